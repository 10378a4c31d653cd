import type { ConfusionCounts, DisparityName, GroupMetrics, RateName } from '../types.ts';
import { ourDisparity, ourLowest, ourRate } from './ours.ts';
import { inWeights, pooled, withRows } from './pool.ts';
import { divide, printed, pythonMax, pythonMin } from './printed.ts';
import type { Library, LibraryNumber, OurNumber } from './types.ts';

const TITLE = 'fairlearn';

/**
 * Metrics of fairlearn and scikit-learn on one group. A rate without support is 0; balanced accuracy leaves out
 * a class that has no rows.
 */
function metricsOf(counts: ConfusionCounts) {
  const { truePositives: tp, falsePositives: fp, trueNegatives: tn, falseNegatives: fn } = counts;
  const total = tp + fp + tn + fn;
  const recalls = [...(tp + fn > 0 ? [tp / (tp + fn)] : []), ...(tn + fp > 0 ? [tn / (tn + fp)] : [])];
  return {
    selection_rate: (tp + fp) / total,
    true_positive_rate: divide(tp, tp + fn, 0),
    true_negative_rate: divide(tn, tn + fp, 0),
    false_positive_rate: divide(fp, tn + fp, 0),
    false_negative_rate: divide(fn, tp + fn, 0),
    accuracy_score: (tp + tn) / total,
    zero_one_loss: 1 - (tp + tn) / total,
    balanced_accuracy_score: recalls.reduce((sum, recall) => sum + recall, 0) / recalls.length,
    precision_score: divide(tp, tp + fp, 0),
    recall_score: divide(tp, tp + fn, 0),
    f1_score: divide(2 * tp, 2 * tp + fp + fn, 0),
  };
}
type Metric = keyof ReturnType<typeof metricsOf>;

const OUR_RATES: Partial<Record<Metric, RateName>> = {
  selection_rate: 'selectionRate',
  true_positive_rate: 'truePositiveRate',
  true_negative_rate: 'trueNegativeRate',
  false_positive_rate: 'falsePositiveRate',
  false_negative_rate: 'falseNegativeRate',
  accuracy_score: 'accuracy',
  precision_score: 'positivePredictiveValue',
  recall_score: 'truePositiveRate',
};

type Table = Readonly<Record<Metric, number>>;
/** Over the values of a metric by group; `overall` is that of all rows. */
type Aggregate = (values: readonly number[], overall: number) => number;

const max = (values: readonly number[]) => Math.max(...values);
const min = (values: readonly number[]) => Math.min(...values);
const difference: Aggregate = (values) => max(values) - min(values);
const ratio: Aggregate = (values) => min(values) / max(values);
const differenceToOverall: Aggregate = (values, overall) =>
  max(values.map((value) => Math.abs(value - overall)));
/** Ratios above 1 are turned over; 0/0 is left out, as pandas does. */
const ratioToOverall: Aggregate = (values, overall) => {
  const defined = values.map((value) => value / overall).filter((value) => !Number.isNaN(value));
  return defined.length === 0 ? Number.NaN : min(defined.map((value) => (value > 1 ? 1 / value : value)));
};

/** Mean that leaves NaN out, as pandas does. */
const meanOfDefined = (first: number, second: number): number => {
  const defined = [first, second].filter((value) => !Number.isNaN(value));
  return defined.reduce((sum, value) => sum + value, 0) / defined.length;
};

interface Row {
  readonly name: string;
  readonly of: readonly Metric[];
  readonly take: Aggregate;
  /** Joins the values of two metrics. */
  readonly join?: (first: number, second: number) => number;
  /** Our rate whose lowest value it is. */
  readonly lowest?: RateName;
}

const ODDS: readonly Metric[] = ['true_positive_rate', 'false_positive_rate'];

function namedRows(arguments_: string, take: { difference: Aggregate; ratio: Aggregate }): readonly Row[] {
  const called = (name: string, ...more: string[]) => {
    const all = [...(arguments_ === '' ? [] : [arguments_]), ...more].join(', ');
    return all === '' ? name : `${name}(${all})`;
  };
  const mean = "agg='mean'";
  return [
    { name: called('demographic_parity_difference'), of: ['selection_rate'], take: take.difference },
    { name: called('demographic_parity_ratio'), of: ['selection_rate'], take: take.ratio },
    { name: called('equal_opportunity_difference'), of: ['true_positive_rate'], take: take.difference },
    { name: called('equal_opportunity_ratio'), of: ['true_positive_rate'], take: take.ratio },
    { name: called('equalized_odds_difference'), of: ODDS, take: take.difference, join: pythonMax },
    { name: called('equalized_odds_difference', mean), of: ODDS, take: take.difference, join: meanOfDefined },
    { name: called('equalized_odds_ratio'), of: ODDS, take: take.ratio, join: pythonMin },
    { name: called('equalized_odds_ratio', mean), of: ODDS, take: take.ratio, join: meanOfDefined },
  ];
}

const OUR_NAMES: Readonly<Record<string, DisparityName>> = {
  demographic_parity_difference: 'demographicParityDifference',
  demographic_parity_ratio: 'demographicParityRatio',
  equal_opportunity_difference: 'equalOpportunityDifference',
  equal_opportunity_ratio: 'equalOpportunityRatio',
  equalized_odds_difference: 'equalizedOddsDifference',
  "equalized_odds_difference(agg='mean')": 'equalizedOddsMeanDifference',
  equalized_odds_ratio: 'equalizedOddsRatio',
  "equalized_odds_ratio(agg='mean')": 'equalizedOddsMeanRatio',
  selection_rate_difference: 'demographicParityDifference',
  selection_rate_ratio: 'demographicParityRatio',
  true_positive_rate_difference: 'equalOpportunityDifference',
  true_positive_rate_ratio: 'equalOpportunityRatio',
  false_positive_rate_difference: 'falsePositiveRateDifference',
  accuracy_score_difference: 'accuracyDifference',
};

const GENERATED: readonly Metric[] = [
  'true_positive_rate',
  'true_negative_rate',
  'false_positive_rate',
  'false_negative_rate',
  'selection_rate',
  'accuracy_score',
  'zero_one_loss',
];

const ROWS: readonly Row[] = [
  ...namedRows('', { difference, ratio }),
  ...namedRows("method='to_overall'", { difference: differenceToOverall, ratio: ratioToOverall }),
  ...GENERATED.flatMap((metric): Row[] => [
    { name: `${metric}_difference`, of: [metric], take: difference },
    { name: `${metric}_ratio`, of: [metric], take: ratio },
  ]),
  { name: 'zero_one_loss_group_max', of: ['zero_one_loss'], take: max },
  { name: 'accuracy_score_group_min', of: ['accuracy_score'], take: min, lowest: 'accuracy' },
  { name: 'balanced_accuracy_score_group_min', of: ['balanced_accuracy_score'], take: min },
  {
    name: 'precision_score_group_min',
    of: ['precision_score'],
    take: min,
    lowest: 'positivePredictiveValue',
  },
  { name: 'recall_score_group_min', of: ['recall_score'], take: min, lowest: 'truePositiveRate' },
  { name: 'f1_score_group_min', of: ['f1_score'], take: min },
];

/**
 * `MetricFrame.by_group` and the functions of fairlearn.metrics on predictions, `sample_weight` included.
 *
 * A rate without support is 0 there, so an empty group may look like the worst or like an equal one.
 */
export const fairlearn: Library = {
  title: TITLE,
  version: '0.15.0',
  numbers: ({ groups }) => {
    const all = groups.map(inWeights);
    const seen = withRows(all);
    if (seen.length === 0) return [];
    return [...seen.flatMap(byGroup), ...overGroups(seen, all)];
  },
};

function byGroup(group: GroupMetrics): LibraryNumber[] {
  const metrics = Object.entries(metricsOf(group.counts)) as [Metric, number][];
  return metrics.map(([name, value]) => {
    const rate = OUR_RATES[name];
    const ours = rate === undefined ? null : ourRate(rate, group);
    return {
      name,
      group: group.group,
      against: null,
      ...printed(value, TITLE),
      ours,
      ...(ours?.value === null && { note: '0 stands for 0/0' }),
    };
  });
}

function overGroups(seen: readonly GroupMetrics[], all: readonly GroupMetrics[]): LibraryNumber[] {
  const tables: readonly Table[] = seen.map(({ counts }) => metricsOf(counts));
  const overall: Table = metricsOf(pooled('(all)', seen).counts);
  return ROWS.map(({ name, of, take, join, lowest }) => {
    const [first, second] = of.map((metric) =>
      take(
        tables.map((table) => table[metric]),
        overall[metric],
      ),
    );
    const ours = oursOf(name, lowest, all);
    return {
      name,
      group: null,
      against: name.includes('to_overall') ? '(all)' : null,
      ...printed(join === undefined ? first! : join(first!, second!), TITLE),
      ours,
      ...(ours?.value === null && { note: 'a rate without support counts as 0' }),
    };
  });
}

function oursOf(
  name: string,
  lowest: RateName | undefined,
  groups: readonly GroupMetrics[],
): OurNumber | null {
  const disparity = OUR_NAMES[name];
  if (disparity !== undefined) return ourDisparity(disparity, groups);
  return lowest === undefined ? null : ourLowest(lowest, groups);
}
