import type { GroupMetrics, RateName } from '../types.ts';
import { ourRate, ourRatio } from './ours.ts';
import { inRows, withRows } from './pool.ts';
import { divide, printed } from './printed.ts';
import type { Library, LibraryNumber } from './types.ts';

const TITLE = 'Aequitas';

/** `fill_divbyzero`: what x/0 becomes in a disparity. */
const INFINITE = 10;
/** `tau`: a disparity from tau to 1/tau counts as parity. */
const TAU = 0.8;

/** A rate with disparity and parity: its name, ours, and the name of the parity. */
const COMPARED = [
  ['ppr', null, 'Statistical Parity'],
  ['pprev', 'selectionRate', 'Impact Parity'],
  ['precision', 'positivePredictiveValue', 'Precision Parity'],
  ['fdr', 'falseDiscoveryRate', 'FDR Parity'],
  ['for', 'falseOmissionRate', 'FOR Parity'],
  ['fpr', 'falsePositiveRate', 'FPR Parity'],
  ['fnr', 'falseNegativeRate', 'FNR Parity'],
  ['tpr', 'truePositiveRate', 'TPR Parity'],
  ['tnr', 'trueNegativeRate', 'TNR Parity'],
  ['npv', 'negativePredictiveValue', 'NPV Parity'],
] as const satisfies readonly (readonly [string, RateName | null, string])[];

const ALONE = [
  ['prev', 'baseRate'],
  ['accuracy', 'accuracy'],
] as const satisfies readonly (readonly [string, RateName])[];

/** Parities of two parities. */
const JOINED = [
  ['TypeI Parity', 'FDR Parity', 'FPR Parity'],
  ['TypeII Parity', 'FOR Parity', 'FNR Parity'],
  ['Equalized Odds', 'FPR Parity', 'TPR Parity'],
  ['Unsupervised Fairness', 'Statistical Parity', 'Impact Parity'],
  ['Supervised Fairness', 'TypeI Parity', 'TypeII Parity'],
] as const;

/** null where a parity is not defined */
type Parity = boolean | null;

/**
 * `Group.get_crosstabs`, `Bias.get_disparity_predefined_groups` with our reference group, and
 * `Fairness.get_group_value_fairness`. A rate without support is NaN there, a disparity x/0 is 10.
 */
export const aequitas: Library = {
  title: TITLE,
  version: '1.1.0',
  numbers: ({ groups, reference }) => {
    const seen = withRows(groups).map(inRows);
    const selected = seen.reduce((sum, { rates }) => sum + rates.selectionRate.numerator, 0);
    const referenceGroup = seen.find(({ group }) => group === reference?.group);
    return seen.flatMap((group) => [
      ...ratesOf(group, selected),
      ...(referenceGroup === undefined ? [] : disparitiesOf(group, referenceGroup, selected)),
    ]);
  },
};

/** A rate, NaN without support; `ppr`, which is no rate of ours, is the share of all selected rows. */
function rateOrNaN(rate: RateName | null, group: GroupMetrics, selected: number): number {
  if (rate !== null) return group.rates[rate].value ?? Number.NaN;
  return divide(group.rates.selectionRate.numerator, selected, Number.NaN);
}

function ratesOf(group: GroupMetrics, selected: number): LibraryNumber[] {
  return [...COMPARED, ...ALONE].map(([name, rate]) => ({
    name,
    group: group.group,
    against: null,
    ...printed(rateOrNaN(rate, group, selected), TITLE),
    ours: rate === null ? null : ourRate(rate, group),
    ...(rate === null && { note: 'share of all predicted positives that are of this group' }),
  }));
}

function disparitiesOf(group: GroupMetrics, reference: GroupMetrics, selected: number): LibraryNumber[] {
  const of = { group: group.group, against: reference.group };
  const parities = new Map<string, Parity>();
  const disparities = COMPARED.map(([name, rate, parity]): LibraryNumber => {
    const ratio = rateOrNaN(rate, group, selected) / rateOrNaN(rate, reference, selected);
    const disparity = ratio === Number.POSITIVE_INFINITY ? INFINITE : ratio;
    parities.set(parity, Number.isNaN(disparity) ? null : TAU <= disparity && disparity <= 1 / TAU);
    return {
      name: `${name}_disparity`,
      ...of,
      ...printed(disparity, TITLE),
      ours: rate === null ? null : ourRatio(rate, group, reference),
      ...(disparity !== ratio && !Number.isNaN(ratio) && { note: `${INFINITE} stands for a ratio to 0` }),
    };
  });
  for (const [name, first, second] of JOINED) {
    parities.set(name, joined(parities.get(first)!, parities.get(second)!));
  }
  return [
    ...disparities,
    ...[...parities].map(([name, value]) => ({
      name,
      ...of,
      value,
      ...(value === null && { reason: `${TITLE} gives NaN` }),
      ours: null,
    })),
  ];
}

/** Undefined only where both are; where one is, the two together are no parity. */
const joined = (first: Parity, second: Parity): Parity =>
  first === null && second === null ? null : first === true && second === true;
