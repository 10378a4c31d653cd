import type { ConfusionCounts, GroupMetrics, RateName } from '../types.ts';
import { ourDifference, ourDisparity, ourRatio } from './ours.ts';
import { inRows, inWeights, pooled, withRows } from './pool.ts';
import { divide, printed, pythonMax } from './printed.ts';
import type { Library, LibraryNumber, OurNumber } from './types.ts';

const TITLE = 'AIF360';
const OTHERS = '(all others)';

/**
 * `performance_measures`: rates of labels are NaN for 0/0, rates of predictions are 0 for 0/0.
 */
function ratesIn({
  truePositives: tp,
  falsePositives: fp,
  trueNegatives: tn,
  falseNegatives: fn,
}: ConfusionCounts) {
  const total = tp + fp + tn + fn;
  return {
    truePositiveRate: tp / (tp + fn),
    falsePositiveRate: fp / (fp + tn),
    falseNegativeRate: fn / (tp + fn),
    positivePredictiveValue: divide(tp, tp + fp, 0),
    falseDiscoveryRate: divide(fp, tp + fp, 0),
    falseOmissionRate: divide(fn, tn + fn, 0),
    errorRate: 1 - divide(tp + tn, total, 0),
    selectionRate: (tp + fp) / total,
    baseRate: (tp + fn) / total,
  };
}
type Rates = ReturnType<typeof ratesIn>;

/** Unprivileged and privileged side. */
interface Pair {
  readonly unprivileged: GroupMetrics;
  readonly privileged: GroupMetrics;
}

interface PairMetric {
  readonly name: string;
  readonly value: (unprivileged: Rates, privileged: Rates) => number;
  readonly ours?: (pair: Pair) => OurNumber;
  readonly note?: string;
}

const differenceOf = (rate: RateName & keyof Rates, ...names: readonly string[]): PairMetric[] =>
  names.map((name) => ({
    name,
    value: (unprivileged, privileged) => unprivileged[rate] - privileged[rate],
    ours: ({ unprivileged, privileged }) => ourDifference(rate, unprivileged, privileged),
  }));

const ratioOf = (rate: RateName & keyof Rates, name: string): PairMetric => ({
  name,
  value: (unprivileged, privileged) => unprivileged[rate] / privileged[rate],
  ours: ({ unprivileged, privileged }) => ourRatio(rate, unprivileged, privileged),
});

const gap = (rate: keyof Rates, unprivileged: Rates, privileged: Rates): number =>
  unprivileged[rate] - privileged[rate];
const sides = ({ unprivileged, privileged }: Pair) => [unprivileged, privileged];

const PAIR_METRICS: readonly PairMetric[] = [
  ...differenceOf('selectionRate', 'statistical_parity_difference'),
  ratioOf('selectionRate', 'disparate_impact'),
  ...differenceOf('truePositiveRate', 'equal_opportunity_difference', 'true_positive_rate_difference'),
  ...differenceOf('falsePositiveRate', 'false_positive_rate_difference'),
  ...differenceOf('falseNegativeRate', 'false_negative_rate_difference'),
  ...differenceOf('falseOmissionRate', 'false_omission_rate_difference'),
  ...differenceOf('falseDiscoveryRate', 'false_discovery_rate_difference'),
  ratioOf('falsePositiveRate', 'false_positive_rate_ratio'),
  ratioOf('falseNegativeRate', 'false_negative_rate_ratio'),
  ratioOf('falseOmissionRate', 'false_omission_rate_ratio'),
  ratioOf('falseDiscoveryRate', 'false_discovery_rate_ratio'),
  {
    name: 'average_odds_difference',
    value: (u, p) => 0.5 * (gap('falsePositiveRate', u, p) + gap('truePositiveRate', u, p)),
    ours: (pair) => ourDisparity('bmftEqualizedOdds', sides(pair)),
    note: 'ours is its absolute value; opposite gaps cancel in both',
  },
  {
    name: 'average_abs_odds_difference',
    value: (u, p) =>
      0.5 * (Math.abs(gap('falsePositiveRate', u, p)) + Math.abs(gap('truePositiveRate', u, p))),
    ours: (pair) => ourDisparity('equalizedOddsMeanDifference', sides(pair)),
  },
  {
    name: 'average_predictive_value_difference',
    value: (u, p) => 0.5 * (gap('positivePredictiveValue', u, p) + gap('falseOmissionRate', u, p)),
  },
  {
    name: 'equalized_odds_difference',
    value: (u, p) =>
      pythonMax(Math.abs(gap('falsePositiveRate', u, p)), Math.abs(gap('truePositiveRate', u, p))),
    ours: (pair) => ourDisparity('equalizedOddsDifference', sides(pair)),
    note: 'where only the true positive rate is undefined, AIF360 gives the gap of the false positive rate alone',
  },
  {
    name: 'error_rate_difference',
    value: (u, p) => gap('errorRate', u, p),
    ours: ({ unprivileged, privileged }) => ourDifference('accuracy', unprivileged, privileged),
    note: 'ours is of the accuracy, so its sign is the other',
  },
  { name: 'error_rate_ratio', value: (u, p) => u.errorRate / p.errorRate },
  ...differenceOf('baseRate', 'statistical_parity_difference of the labels'),
  ratioOf('baseRate', 'disparate_impact of the labels'),
];

/** Rows of equal benefit b = 1 + prediction - label, which is 0, 1 or 2. */
interface Benefit {
  readonly rows: number;
  readonly benefit: number;
}

/** Generalised entropy of order 1 (Theil) or 2, and the coefficient of variation. */
function entropies(prefix: string, benefits: readonly Benefit[]): readonly { name: string; value: number }[] {
  const total = benefits.reduce((sum, { rows }) => sum + rows, 0);
  const mean = benefits.reduce((sum, { rows, benefit }) => sum + rows * benefit, 0) / total;
  const average = (of: (benefit: number) => number): number =>
    benefits.reduce((sum, { rows, benefit }) => sum + (rows === 0 ? 0 : rows * of(benefit)), 0) / total;
  const index = average((benefit) => ((benefit / mean) ** 2 - 1) / 2);
  return [
    { name: `${prefix}generalized_entropy_index`, value: index },
    {
      name: `${prefix}theil_index`,
      value: average((benefit) => Math.log((benefit / mean) ** benefit) / mean),
    },
    { name: `${prefix}coefficient_of_variation`, value: Math.sqrt(2 * index) },
  ];
}

const meanBenefit = ({ counts, support }: GroupMetrics): Benefit => ({
  rows: support,
  benefit: (support + counts.falsePositives - counts.falseNegatives) / support,
});

function individualBenefits({ counts }: GroupMetrics): readonly Benefit[] {
  return [
    { rows: counts.falseNegatives, benefit: 0 },
    { rows: counts.truePositives + counts.trueNegatives, benefit: 1 },
    { rows: counts.falsePositives, benefit: 2 },
  ];
}

/**
 * Largest log ratio of two groups' smoothed shares of positive, or negative, outcomes.
 *
 *   share = (positives + 1/2) / (rows + 1)      a concentration of 1
 */
function smoothedDifferentialFairness(
  groups: readonly GroupMetrics[],
  positivesOf: (counts: ConfusionCounts) => number,
): number {
  const shares = groups.map(({ counts, support }) => (positivesOf(counts) + 0.5) / (support + 1));
  const spread = (logs: readonly number[]) => Math.max(...logs) - Math.min(...logs);
  return Math.max(spread(shares.map(Math.log)), spread(shares.map((share) => Math.log(1 - share))));
}

function differentialFairness(groups: readonly GroupMetrics[]): readonly { name: string; value: number }[] {
  const labels = smoothedDifferentialFairness(
    groups,
    (counts) => counts.truePositives + counts.falseNegatives,
  );
  const predictions = smoothedDifferentialFairness(
    groups,
    (counts) => counts.truePositives + counts.falsePositives,
  );
  return [
    { name: 'smoothed_empirical_differential_fairness', value: labels },
    { name: 'differential_fairness_bias_amplification', value: predictions - labels },
  ];
}

/**
 * `ClassificationMetric` with the reference group as the privileged one: each other group as the unprivileged
 * one, then all others together, then what AIF360 measures over all rows. Instance weights count, except in the
 * entropy indices, which AIF360 takes over rows.
 *
 * "of the labels" marks methods of `BinaryLabelDatasetMetric` that a `ClassificationMetric` has by the same name.
 */
export const aif360: Library = {
  title: TITLE,
  version: '0.6.1',
  numbers: ({ groups, reference }) => {
    const seen = withRows(groups);
    if (seen.length === 0) return [];
    return [...pairNumbers(seen, reference?.group), ...wholeNumbers(seen)];
  },
};

function pairNumbers(seen: readonly GroupMetrics[], reference: string | undefined): LibraryNumber[] {
  const privileged = seen.find(({ group }) => group === reference);
  const others = seen.filter((group) => group !== privileged);
  if (privileged === undefined) return [];
  const rest = others.length < 2 ? [] : [OTHERS];
  return [
    ...others.flatMap((group) => pairNumber({ name: group.group, members: [group], privileged, seen })),
    ...rest.flatMap((name) => pairNumber({ name, members: others, privileged, seen })),
  ];
}

interface PairInput {
  readonly name: string;
  readonly members: readonly GroupMetrics[];
  readonly privileged: GroupMetrics;
  readonly seen: readonly GroupMetrics[];
}

function pairNumber({ name, members, privileged, seen }: PairInput): LibraryNumber[] {
  const pair = {
    unprivileged: pooled(name, members.map(inWeights)),
    privileged: inWeights(privileged),
  };
  const of = { group: name, against: privileged.group };
  const unprivilegedRates = ratesIn(pair.unprivileged.counts);
  const privilegedRates = ratesIn(pair.privileged.counts);
  const named = PAIR_METRICS.map(({ name: metric, value, ours, note }) => ({
    name: metric,
    ...of,
    ...printed(value(unprivilegedRates, privilegedRates), TITLE),
    ours: ours?.(pair) ?? null,
    ...(note !== undefined && { note }),
  }));
  const isSplit = members.length + 1 === seen.length;
  return [
    ...named,
    ...betweenGroups(members, privileged, seen).map((number) => bare(number, of)),
    ...(isSplit ? differentialFairness([pair.unprivileged, pair.privileged]) : []).map((number) => ({
      ...bare(number, of),
      note: 'of a protected attribute that is coded as privileged or not',
    })),
  ];
}

/** Rows of neither side have a benefit of 0 there. */
function betweenGroups(
  members: readonly GroupMetrics[],
  privileged: GroupMetrics,
  seen: readonly GroupMetrics[],
): readonly { name: string; value: number }[] {
  const pair = [pooled(OTHERS, members), inRows(privileged)];
  const neither = seen.filter((group) => group !== privileged && !members.includes(group));
  const rows = neither.reduce((sum, { counts }) => sum + inRows({ ...privileged, counts }).support, 0);
  return entropies('between_group_', [...pair.map(meanBenefit), { rows, benefit: 0 }]);
}

function wholeNumbers(seen: readonly GroupMetrics[]): LibraryNumber[] {
  const whole = { group: null, against: null };
  return [
    ...entropies('', individualBenefits(pooled('(all)', seen))),
    ...entropies('between_all_groups_', seen.map(inRows).map(meanBenefit)),
    ...(seen.length < 2 ? [] : differentialFairness(seen.map(inWeights))),
  ].map((number) => bare(number, whole));
}

const bare = (
  { name, value }: { readonly name: string; readonly value: number },
  of: Pick<LibraryNumber, 'group' | 'against'>,
): LibraryNumber => ({ name, ...of, ...printed(value, TITLE), ours: null });
