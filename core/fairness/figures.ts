import type { Disparity, GroupMetrics, RateName, Statistic } from './types.ts';
import { RATE_NAMES } from './types.ts';

/** What a disparity compares: a rate or another figure of a group. */
export type Figure =
  | RateName
  | 'support'
  | 'balancedAccuracy'
  | 'missRatio'
  | 'auc'
  | 'specificityAtSensitivity'
  | 'calibrationError'
  | 'brier';

/** Figures that predictions alone cannot give. */
export const SCORE_FIGURES: readonly Figure[] = [
  'auc',
  'specificityAtSensitivity',
  'calibrationError',
  'brier',
];

export const NO_SCORES = 'the table holds predictions, no scores';
export const ONE_GROUP = 'one group only: a disparity needs two';

/** A disparity for which the rows lack what it is made of, whatever their groups. */
export function undefinedDisparity(reason: string): Disparity {
  return {
    value: null,
    amongSupported: null,
    unsupportedGroups: [],
    reason,
    interval: null,
    test: null,
    smallestDetectable: null,
  };
}

/** A figure of a group, null where it is not defined. */
export function figureOf(group: GroupMetrics, figure: Figure): number | null {
  return isRate(figure) ? group.rates[figure].value : statisticOf(group, figure).value;
}

/** Why a figure of a group is not defined. */
export function lackOf(group: GroupMetrics, figure: Figure): string {
  if (!isRate(figure)) return `group "${group.group}": ${statisticOf(group, figure).reason}`;
  return `group "${group.group}" has no ${SUPPORT_OF[figure]} (support 0 of ${group.support})`;
}

export function isRate(figure: string): figure is RateName {
  return (RATE_NAMES as readonly string[]).includes(figure);
}

const SUPPORT_OF = {
  selectionRate: 'samples',
  truePositiveRate: 'positive labels',
  falsePositiveRate: 'negative labels',
  trueNegativeRate: 'negative labels',
  falseNegativeRate: 'positive labels',
  positivePredictiveValue: 'predicted positives',
  negativePredictiveValue: 'predicted negatives',
  falseDiscoveryRate: 'predicted positives',
  falseOmissionRate: 'predicted negatives',
  accuracy: 'samples',
  baseRate: 'samples',
} satisfies Record<RateName, string>;

function statisticOf(group: GroupMetrics, figure: Exclude<Figure, RateName>): Statistic {
  if (figure === 'support') return { value: group.support, interval: null };
  if (figure === 'missRatio') return missRatio(group);
  if (figure === 'calibrationError') {
    return group.calibration?.error ?? { value: null, reason: NO_SCORES, interval: null };
  }
  return group[figure];
}

/** False negatives per false positive, of weights where rows have weights: FNR·P / FPR·N. */
function missRatio({ rates }: GroupMetrics): Statistic {
  const falseNegatives = sumOf(rates.falseNegativeRate);
  const falsePositives = sumOf(rates.falsePositiveRate);
  if (falsePositives === 0) return { value: null, reason: 'no false positives', interval: null };
  return { value: falseNegatives / falsePositives, interval: null };
}

const sumOf = ({ numerator, weighted }: GroupMetrics['rates'][RateName]) => weighted?.numerator ?? numerator;
