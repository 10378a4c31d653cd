import type { GroupMetrics } from '../types.ts';
import type { OurNumber } from './types.ts';

/** Distances between the labels of two groups, by their SageMaker Clarify names. */
export type LabelDistance = 'JS' | 'KL' | 'KS' | 'LP' | 'TVD';

/** Probability of one label among the rest (a) and in the facet (d). */
interface Share {
  readonly a: number;
  readonly d: number;
}

const sum = (shares: readonly Share[], of: (share: Share) => number): number =>
  shares.reduce((total, share) => total + of(share), 0);
/** p · ln(p/q), which tends to 0 with p. */
const surprise = (p: number, q: number): number => (p === 0 ? 0 : p * Math.log(p / q));

const DISTANCES: Readonly<Record<LabelDistance, (shares: readonly Share[]) => number>> = {
  JS: (shares) =>
    0.5 *
    (sum(shares, ({ a, d }) => surprise(a, (a + d) / 2)) +
      sum(shares, ({ a, d }) => surprise(d, (a + d) / 2))),
  KL: (shares) => sum(shares, ({ a, d }) => surprise(a, d)),
  KS: (shares) => Math.max(...shares.map(({ a, d }) => Math.abs(a - d))),
  LP: (shares) => Math.sqrt(sum(shares, ({ a, d }) => (a - d) ** 2)),
  TVD: (shares) => 0.5 * sum(shares, ({ a, d }) => Math.abs(a - d)),
};

const OUR_NAMES: Readonly<Record<LabelDistance, string>> = {
  JS: 'Jensen-Shannon divergence of labels',
  KL: 'Kullback-Leibler divergence of labels',
  KS: 'largest difference of label shares',
  LP: 'Euclidean distance of label shares',
  TVD: 'total variation distance of labels',
};

/**
 * As smclarify has it: a label that one side lacks is left out, so that KL may be negative and the others too small.
 *
 * @returns null where the two sides have no label in common
 */
export function clarifyDistance(name: LabelDistance, facet: GroupMetrics, rest: GroupMetrics): number | null {
  const common = sharesOf(facet, rest).filter(({ a, d }) => a > 0 && d > 0);
  return common.length === 0 ? null : DISTANCES[name](common);
}

/** By definition, every label counted. */
export function ourDistance(name: LabelDistance, facet: GroupMetrics, rest: GroupMetrics): OurNumber {
  const shares = sharesOf(facet, rest);
  const value = DISTANCES[name](shares);
  if (Number.isFinite(value)) return { name: OUR_NAMES[name], value };
  const label = shares[0]!.d === 0 ? 'negative' : 'positive';
  const reason = `infinite: group "${facet.group}" has no ${label} labels and "${rest.group}" has some`;
  return { name: OUR_NAMES[name], value: null, reason };
}

/** Negative labels, then positive ones. */
function sharesOf(facet: GroupMetrics, rest: GroupMetrics): readonly [Share, Share] {
  return [
    { a: rest.negatives / rest.support, d: facet.negatives / facet.support },
    { a: rest.positives / rest.support, d: facet.positives / facet.support },
  ];
}
