import type { ConfusionCounts, DisparityName, GroupMetrics } from '../types.ts';
import { ourDisparity } from './ours.ts';
import { inRows, withRows } from './pool.ts';
import { printed } from './printed.ts';
import type { Library, LibraryNumber } from './types.ts';

const TITLE = 'OxonFair';

/** x/0 is x, so 0/0 is 0. */
const over = (numerator: number, denominator: number): number => numerator / Math.max(1, denominator);

type Rate = (counts: ConfusionCounts) => number;
const rows = ({ truePositives, falsePositives, trueNegatives, falseNegatives }: ConfusionCounts): number =>
  truePositives + falsePositives + trueNegatives + falseNegatives;
const positiveRate: Rate = (counts) => (counts.truePositives + counts.falsePositives) / rows(counts);
const accuracy: Rate = (counts) => (counts.truePositives + counts.trueNegatives) / rows(counts);
const recall: Rate = ({ truePositives, falseNegatives }) =>
  over(truePositives, truePositives + falseNegatives);
const missRate: Rate = ({ truePositives, falseNegatives }) =>
  over(falseNegatives, truePositives + falseNegatives);
const specificity: Rate = ({ trueNegatives, falsePositives }) =>
  over(trueNegatives, trueNegatives + falsePositives);
const precision: Rate = ({ truePositives, falsePositives }) =>
  over(truePositives, truePositives + falsePositives);
const negativePrecision: Rate = ({ trueNegatives, falseNegatives }) =>
  over(trueNegatives, trueNegatives + falseNegatives);
const errorRatio: Rate = ({ falsePositives, falseNegatives }) => over(falsePositives, falseNegatives);

type Groups = readonly ConfusionCounts[];
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Mean over all pairs of groups of the gap between them. */
const meanGap =
  (rate: Rate) =>
  (groups: Groups): number => {
    const values = groups.map(rate);
    const gaps = values.flatMap((left) => values.map((right) => Math.max(left - right, 0)));
    return sum(gaps) / Math.max(1, (values.length * (values.length - 1)) / 2);
  };

/** Mean over all ordered pairs of groups of the ratio below 1; 1 for 0/0. */
const meanRatio =
  (rate: Rate) =>
  (groups: Groups): number => {
    const values = groups.map(rate);
    const ratios = values.flatMap((left, place) =>
      values.filter((_, other) => other !== place).map((right) => ratioBelowOne(left, right)),
    );
    return sum(ratios) / (values.length * (values.length - 1));
  };

function ratioBelowOne(left: number, right: number): number {
  const ratio = Math.min(left / right, 1 / (left / right));
  return Number.isFinite(ratio) ? ratio : 1;
}

const largestGap =
  (rate: Rate) =>
  (groups: Groups): number =>
    Math.max(...groups.map(rate)) - Math.min(...groups.map(rate));

interface Metric {
  readonly name: string;
  readonly value: (groups: Groups) => number;
  readonly ours?: DisparityName;
}

const METRICS: readonly Metric[] = [
  { name: 'demographic_parity', value: meanGap(positiveRate), ours: 'demographicParityDifference' },
  { name: 'disparate_impact', value: meanRatio(positiveRate), ours: 'demographicParityRatio' },
  { name: 'equal_opportunity', value: meanGap(recall), ours: 'equalOpportunityDifference' },
  {
    name: 'equalized_odds',
    value: (groups) => 0.5 * meanGap(recall)(groups) + 0.5 * meanGap(specificity)(groups),
    ours: 'equalizedOddsMeanDifference',
  },
  {
    name: 'equalized_odds_max',
    value: (groups) => Math.max(largestGap(recall)(groups), largestGap(specificity)(groups)),
    ours: 'equalizedOddsDifference',
  },
  { name: 'predictive_parity', value: meanGap(precision), ours: 'predictiveParityDifference' },
  { name: 'predictive_equality', value: meanGap(missRate), ours: 'equalOpportunityDifference' },
  { name: 'accuracy_parity', value: meanGap(accuracy), ours: 'accuracyDifference' },
  {
    name: 'cond_use_accuracy',
    value: (groups) => 0.5 * meanGap(precision)(groups) + 0.5 * meanGap(negativePrecision)(groups),
  },
  { name: 'treatment_equality', value: meanGap(errorRatio) },
];

/** Measures of `oxonfair.group_metrics`: means over all pairs of groups, where ours take the widest pair. */
export const oxonfair: Library = {
  title: TITLE,
  version: '0.3',
  numbers: ({ groups }) => {
    const all = groups.map(inRows);
    const seen = withRows(all);
    return seen.length === 0 ? [] : METRICS.map((metric) => numberOf(metric, seen, all));
  },
};

function numberOf(
  { name, value, ours }: Metric,
  seen: readonly GroupMetrics[],
  all: readonly GroupMetrics[],
): LibraryNumber {
  return {
    name,
    group: null,
    against: null,
    ...printed(value(seen.map(({ counts }) => counts)), TITLE),
    ours: ours === undefined ? null : ourDisparity(ours, all),
    ...(name !== 'equalized_odds_max' &&
      seen.length > 2 && { note: 'a mean over pairs of groups; ours is the widest pair' }),
  };
}
