import type { GroupMetrics } from '../types.ts';
import { ourDifference, ourDisparity, ourRatio } from './ours.ts';
import { inRows, withRows } from './pool.ts';
import { divide, printed, pythonMin } from './printed.ts';
import type { Library, LibraryNumber, OurNumber } from './types.ts';

const TITLE = 'Holistic AI';

interface Metric {
  readonly name: string;
  /** null where it raises an IndexError */
  readonly value: (a: GroupMetrics, b: GroupMetrics) => number | null;
  readonly ours?: (a: GroupMetrics, b: GroupMetrics) => OurNumber;
  readonly note?: string;
}

const successRate = ({ rates, support }: GroupMetrics): number => rates.selectionRate.numerator / support;

/** Success rate of both groups together, and the variance of the difference but for that rate's own part. */
function together(a: GroupMetrics, b: GroupMetrics) {
  const rows = a.support + b.support;
  const share = a.support / rows;
  return {
    rate: (successRate(a) * a.support + successRate(b) * b.support) / rows,
    weight: rows * share * (1 - share),
  };
}

function cohenD(a: GroupMetrics, b: GroupMetrics): number {
  const varianceOf = (rate: number) => rate * (1 - rate);
  const pooledVariance =
    ((b.support - 1) * varianceOf(successRate(b)) + (a.support - 1) * varianceOf(successRate(a))) /
    (a.support + b.support - 2);
  return (successRate(a) - successRate(b)) / Math.sqrt(pooledVariance);
}

/** A rate of labels from scikit-learn's confusion matrix, which has one row where a group knows one class only. */
function rateOfLabels(group: GroupMetrics, part: 'truePositiveRate' | 'falsePositiveRate'): number | null {
  const { truePositives, falsePositives, trueNegatives, falseNegatives } = group.counts;
  const hasOneClass =
    truePositives + falsePositives + falseNegatives === 0 ||
    trueNegatives + falsePositives + falseNegatives === 0;
  return hasOneClass ? null : divide(group.rates[part].numerator, group.rates[part].support, 0);
}

const labelGap = (part: 'truePositiveRate' | 'falsePositiveRate') => (a: GroupMetrics, b: GroupMetrics) => {
  const left = rateOfLabels(a, part);
  const right = rateOfLabels(b, part);
  return left === null || right === null ? null : left - right;
};

function averageOdds(a: GroupMetrics, b: GroupMetrics): number | null {
  const opportunity = labelGap('truePositiveRate')(a, b);
  const falsePositives = labelGap('falsePositiveRate')(a, b);
  return opportunity === null || falsePositives === null ? null : 0.5 * (opportunity + falsePositives);
}

const METRICS: readonly Metric[] = [
  {
    name: 'statistical_parity',
    value: (a, b) => successRate(a) - successRate(b),
    ours: (a, b) => ourDifference('selectionRate', a, b),
  },
  {
    name: 'disparate_impact',
    value: (a, b) => successRate(a) / successRate(b),
    ours: (a, b) => ourRatio('selectionRate', a, b),
  },
  {
    name: 'four_fifths',
    value: (a, b) => pythonMin(successRate(a) / successRate(b), successRate(b) / successRate(a)),
    ours: (a, b) => ourDisparity('demographicParityRatio', [a, b]),
  },
  { name: 'cohen_d', value: cohenD },
  {
    name: 'z_test_diff',
    value: (a, b) => {
      const { rate, weight } = together(a, b);
      return (successRate(a) - successRate(b)) / Math.sqrt((rate * (1 - rate)) / weight);
    },
  },
  {
    name: 'z_test_ratio',
    value: (a, b) => {
      const { rate, weight } = together(a, b);
      return Math.log(successRate(a) / successRate(b)) / Math.sqrt((1 - rate) / (rate * weight));
    },
  },
  {
    name: 'equal_opportunity_diff',
    value: labelGap('truePositiveRate'),
    ours: (a, b) => ourDifference('truePositiveRate', a, b),
  },
  {
    name: 'false_positive_rate_diff',
    value: labelGap('falsePositiveRate'),
    ours: (a, b) => ourDifference('falsePositiveRate', a, b),
  },
  {
    name: 'average_odds_diff',
    value: averageOdds,
    ours: (a, b) => ourDisparity('bmftEqualizedOdds', [a, b]),
    note: 'ours is its absolute value; opposite gaps cancel in both',
  },
  {
    name: 'accuracy_diff',
    value: (a, b) => a.rates.accuracy.value! - b.rates.accuracy.value!,
    ours: (a, b) => ourDifference('accuracy', a, b),
  },
];

/** `holisticai.bias.metrics` of binary classification: each group as `group_a`, the reference as `group_b`. */
export const holisticai: Library = {
  title: TITLE,
  version: '1.0.14',
  numbers: ({ groups, reference }) => {
    const seen = withRows(groups).map(inRows);
    const referenceGroup = seen.find(({ group }) => group === reference?.group);
    if (referenceGroup === undefined) return [];
    const others = seen.filter((group) => group !== referenceGroup);
    return others.flatMap((group) => METRICS.map((metric) => numberOf(metric, group, referenceGroup)));
  },
};

function numberOf({ name, value, ours, note }: Metric, a: GroupMetrics, b: GroupMetrics): LibraryNumber {
  const result = value(a, b);
  return {
    name,
    group: a.group,
    against: b.group,
    ...(result === null
      ? { value: null, reason: `${TITLE} raises an IndexError: a group has one class only` }
      : printed(result, TITLE)),
    ours: ours?.(a, b) ?? null,
    ...(note !== undefined && { note }),
  };
}
