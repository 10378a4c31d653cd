import type { GroupMetrics } from '../types.ts';
import { clarifyDistance, type LabelDistance, ourDistance } from './label-distances.ts';
import { ourDifference, ourDisparity, ourRatio } from './ours.ts';
import { inRows, pooled, withRows } from './pool.ts';
import { printed } from './printed.ts';
import type { Library, LibraryInput, LibraryNumber, OurNumber } from './types.ts';

const TITLE = 'SageMaker Clarify';
const REST = '(all others)';

/** 0/0 is 0, x/0 is infinite. */
const quotient = (numerator: number, denominator: number): number =>
  numerator === 0 && denominator === 0 ? 0 : numerator / denominator;

/** Infinite on both sides is no difference. */
const minus = (left: number, right: number): number => (left === right ? 0 : left - right);

/** The sensitive facet d and the rest a. */
interface Sides {
  readonly facet: GroupMetrics;
  readonly rest: GroupMetrics;
  /** [stratum]: the same two sides; empty without strata. */
  readonly strata: readonly { readonly facet: GroupMetrics; readonly rest: GroupMetrics }[];
}

/** A number, or the error that Clarify reports in its place. */
type Outcome = number | { readonly error: string };

interface Metric {
  readonly stage: 'pre_training' | 'post_training';
  readonly value: (sides: Sides) => Outcome;
  readonly ours?: (sides: Sides) => OurNumber;
  readonly note?: string;
}

const selected = ({ counts }: GroupMetrics) => counts.truePositives + counts.falsePositives;
const rejected = ({ counts }: GroupMetrics) => counts.trueNegatives + counts.falseNegatives;
const acceptance = ({ positives, ...group }: GroupMetrics) =>
  quotient(positives, group.counts.truePositives + group.counts.falsePositives);
const rejection = (group: GroupMetrics) => quotient(group.negatives, rejected(group));
const recall = ({ counts, positives }: GroupMetrics) => quotient(counts.truePositives, positives);
const specificity = ({ counts, negatives }: GroupMetrics) => quotient(counts.trueNegatives, negatives);
const precision = (group: GroupMetrics) => quotient(group.counts.truePositives, selected(group));
const negativePrecision = (group: GroupMetrics) => quotient(group.counts.trueNegatives, rejected(group));
const accuracy = ({ counts, support }: GroupMetrics) =>
  quotient(counts.truePositives + counts.trueNegatives, support);
const missRatio = ({ counts }: GroupMetrics) => quotient(counts.falseNegatives, counts.falsePositives);

const OTHER_SIGN = 'all others minus the facet, where ours is the facet minus all others';
const ABSOLUTE = 'ours is its absolute value';

/**
 * Weighted mean over strata of the facet's share among the rejected minus its share among the accepted.
 *
 * @param positivesOf  accepted rows of one side, by label or by prediction
 */
function conditionalDisparity(
  { facet, rest, strata }: Sides,
  positivesOf: (group: GroupMetrics) => number,
): Outcome {
  if (strata.length === 0) return { error: 'Group variable is empty or not provided' };
  const accepted = positivesOf(facet) + positivesOf(rest);
  if (accepted === 0) return { error: 'No positive labels in set' };
  if (accepted === facet.support + rest.support) return { error: 'No negative labels in set' };
  const shareOf = (part: number, other: number) => (part + other === 0 ? 0 : part / (part + other));
  const negativesOf = (group: GroupMetrics) => group.support - positivesOf(group);
  const weighted = strata.map((side) => {
    const among = (of: (group: GroupMetrics) => number) => shareOf(of(side.facet), of(side.rest));
    return (side.facet.support + side.rest.support) * (among(negativesOf) - among(positivesOf));
  });
  return weighted.reduce((sum, value) => sum + value, 0) / (facet.support + rest.support);
}

/** Generalised entropy of the benefits 1 + prediction - label over all rows. */
function generalizedEntropy({ facet, rest }: Sides): Outcome {
  const { counts, support } = pooled('(all)', [facet, rest]);
  const { truePositives, trueNegatives, falsePositives } = counts;
  const mean = (truePositives + trueNegatives + 2 * falsePositives) / support;
  if (mean === 0) return { error: 'All predicted labels are false negatives.' };
  const right = (truePositives + trueNegatives) * (1 / mean) ** 2;
  return (right + falsePositives * (2 / mean) ** 2 - support) / (2 * support);
}

const distance = (name: LabelDistance): Metric => ({
  stage: 'pre_training',
  value: ({ facet, rest }) =>
    clarifyDistance(name, facet, rest) ?? {
      error: 'No instance of common facet found, dataset may be too small',
    },
  ours: ({ facet, rest }) => ourDistance(name, facet, rest),
  note: 'Clarify leaves out a label that one side lacks; ours counts it',
});

const METRICS = {
  CDDL: {
    stage: 'pre_training',
    value: (sides) => conditionalDisparity(sides, ({ positives }) => positives),
  },
  CI: {
    stage: 'pre_training',
    value: ({ facet, rest }) => (rest.support - facet.support) / (rest.support + facet.support),
    ours: ({ facet, rest }) => ourDisparity('classImbalance', [facet, rest]),
    note: ABSOLUTE,
  },
  DPL: {
    stage: 'pre_training',
    value: ({ facet, rest }) => rest.positives / rest.support - facet.positives / facet.support,
    ours: ({ facet, rest }) => ourDifference('baseRate', facet, rest),
    note: OTHER_SIGN,
  },
  JS: distance('JS'),
  KL: distance('KL'),
  KS: distance('KS'),
  LP: distance('LP'),
  TVD: distance('TVD'),
  AD: {
    stage: 'post_training',
    value: ({ facet, rest }) => accuracy(rest) - accuracy(facet),
    ours: ({ facet, rest }) => ourDifference('accuracy', facet, rest),
    note: OTHER_SIGN,
  },
  CDDPL: {
    stage: 'post_training',
    value: (sides) => conditionalDisparity(sides, selected),
    ours: ({ facet, rest, strata }) =>
      ourDisparity('conditionalDemographicDisparity', [facet, rest], {
        strata: strata.map((side, index) => ({
          stratum: String(index),
          counts: [side.facet.counts, side.rest.counts],
        })),
      }),
    note: `${ABSOLUTE}; where a stratum accepts nobody or everybody, Clarify counts a share of 0/0 as 0`,
  },
  DAR: {
    stage: 'post_training',
    value: ({ facet, rest }) => precision(rest) - precision(facet),
    ours: ({ facet, rest }) => ourDifference('positivePredictiveValue', facet, rest),
    note: OTHER_SIGN,
  },
  DCA: { stage: 'post_training', value: ({ facet, rest }) => minus(acceptance(rest), acceptance(facet)) },
  DCR: { stage: 'post_training', value: ({ facet, rest }) => minus(rejection(facet), rejection(rest)) },
  DI: {
    stage: 'post_training',
    value: ({ facet, rest }) => quotient(selected(facet) / facet.support, selected(rest) / rest.support),
    ours: ({ facet, rest }) => ourRatio('selectionRate', facet, rest),
  },
  DPPL: {
    stage: 'post_training',
    value: ({ facet, rest }) => selected(rest) / rest.support - selected(facet) / facet.support,
    ours: ({ facet, rest }) => ourDifference('selectionRate', facet, rest),
    note: OTHER_SIGN,
  },
  DRR: {
    stage: 'post_training',
    value: ({ facet, rest }) => negativePrecision(facet) - negativePrecision(rest),
    ours: ({ facet, rest }) => ourDifference('negativePredictiveValue', facet, rest),
  },
  FT: {
    stage: 'post_training',
    value: () => ({ error: 'not computed here: the flip test needs the features of every row' }),
  },
  GE: { stage: 'post_training', value: generalizedEntropy, note: 'the same for every facet' },
  RD: {
    stage: 'post_training',
    value: ({ facet, rest }) => recall(rest) - recall(facet),
    ours: ({ facet, rest }) => ourDifference('truePositiveRate', facet, rest),
    note: OTHER_SIGN,
  },
  SD: {
    stage: 'post_training',
    value: ({ facet, rest }) => specificity(facet) - specificity(rest),
    ours: ({ facet, rest }) => ourDifference('trueNegativeRate', facet, rest),
  },
  TE: {
    stage: 'post_training',
    value: ({ facet, rest }) => minus(missRatio(facet), missRatio(rest)),
    ours: ({ facet, rest }) => ourDisparity('treatmentEqualityDifference', [facet, rest]),
    note: ABSOLUTE,
  },
} satisfies Record<string, Metric>;

export type ClarifyMetric = keyof typeof METRICS;
const CLARIFY_METRICS = Object.keys(METRICS) as ClarifyMetric[];
export type ClarifyStage = Metric['stage'];

/** Metrics that Clarify computes before, or after, training. */
export const clarifyMetricsOf = (stage: ClarifyStage): ClarifyMetric[] =>
  CLARIFY_METRICS.filter((name) => METRICS[name].stage === stage);

interface ClarifyChoices {
  /** Groups of each facet; each group by itself when absent. */
  readonly facets?: readonly (readonly string[])[];
  readonly metrics?: readonly ClarifyMetric[];
}

/**
 * Bias metrics of Clarify and its open package smclarify: each facet against all other rows. CDDL and CDDPL need
 * strata (Clarify: the group variable). 0/0 is 0 there, x/0 infinite. Weights do not count: Clarify has none.
 */
export function clarifyNumbers(
  { groups, strata }: LibraryInput,
  { facets = groups.map(({ group }) => [group]), metrics = CLARIFY_METRICS }: ClarifyChoices = {},
): readonly LibraryNumber[] {
  const seen = withRows(groups).map(inRows);
  const isUnselected = seen.every((group) => selected(group) === 0);
  const tables = strata.map(({ counts }) =>
    counts.map((cell, index) => ({ group: groups[index]!.group, counts: cell })),
  );
  const isSeen = (names: readonly string[]) => seen.some(({ group }) => names.includes(group));
  return facets.filter(isSeen).flatMap((names) => {
    const split = <Group extends Pick<GroupMetrics, 'group' | 'counts'>>(members: readonly Group[]) => ({
      facet: pooled(
        names.join(','),
        members.filter(({ group }) => names.includes(group)),
      ),
      rest: pooled(
        REST,
        members.filter(({ group }) => !names.includes(group)),
      ),
    });
    const sides = { ...split(seen), strata: tables.map(split) };
    return metrics.map((name) => numberOf(name, sides, isUnselected));
  });
}

function numberOf(name: ClarifyMetric, sides: Sides, isUnselected: boolean): LibraryNumber {
  const { stage, value, ours, note }: Metric = METRICS[name];
  return {
    name,
    group: sides.facet.group,
    against: REST,
    ...printedOutcome(isUnselected && stage === 'post_training' ? UNSELECTED : outcomeOf(value, sides)),
    ours: ours?.(sides) ?? null,
    ...(note !== undefined && { note }),
  };
}

const UNSELECTED: Outcome = { error: 'No Label values are present in the predicted Label Column' };

const outcomeOf = (value: Metric['value'], sides: Sides): Outcome =>
  sides.rest.support === 0 ? { error: 'Negated facet set is empty' } : value(sides);

function printedOutcome(outcome: Outcome): Pick<LibraryNumber, 'value' | 'reason'> {
  if (typeof outcome === 'number') return printed(outcome, TITLE);
  return { value: null, reason: `${TITLE} reports an error: ${outcome.error}` };
}

export const clarify: Library = {
  title: TITLE,
  version: '(smclarify 0.5)',
  numbers: (input) => clarifyNumbers(input),
};
