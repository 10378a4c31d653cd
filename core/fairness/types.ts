import type { InputFacts } from './input-facts.ts';
import type { GateResult } from './policy/gate.ts';

/** A sensitive feature (a column such as sex) resolved to one group index per sample. */
export interface SensitiveFeature {
  readonly name: string;
  /** Group names in order of first appearance by sorted name; index = group. */
  readonly groupNames: readonly string[];
  /** [N], each in 0 … groupNames.length - 1 */
  readonly groups: Int32Array;
}

/** How an interval was made; docs/metrics.md#intervals. */
export const INTERVAL_METHODS = [
  'wilson',
  'newcombe',
  'ratio',
  'delong',
  'wald',
  'bootstrap',
  'cluster-bootstrap',
] as const;
export type IntervalMethod = (typeof INTERVAL_METHODS)[number];

/** Both ends belong to it; its level is the report's. */
export interface Interval {
  readonly low: number;
  readonly high: number;
  readonly method: IntervalMethod;
}

/** A proportion with what is behind it. `value` is null, never 0, when `support` is 0. */
export interface Rate {
  readonly value: number | null;
  /** Rows, whether weighted or not. */
  readonly numerator: number;
  readonly support: number;
  readonly interval: Interval | null;
  /** Sums of weights, where rows have weights: `value` is their quotient. */
  readonly weighted?: { readonly numerator: number; readonly support: number };
}

/** Confusion counts of one group at the threshold, in rows. */
export interface ConfusionCounts {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly trueNegatives: number;
  readonly falseNegatives: number;
}

/** A number that is no proportion of rows (AUC, Brier score): null with its reason when undefined. */
export interface Statistic {
  readonly value: number | null;
  readonly reason?: string;
  readonly interval: Interval | null;
  /** How far the exact value may lie from `value`, where ranks come from a histogram. */
  readonly errorBound?: number;
}

/** How well scores are probabilities of a positive label. */
export interface Calibration {
  /** Expected calibration error over bins of equal mass, in [0, 1]. */
  readonly error: Statistic;
  /** Slope of the logistic recalibration on logit(score); 1 is ideal. */
  readonly slope: Statistic;
  /** Calibration in the large: intercept of the recalibration with slope 1; 0 is ideal. */
  readonly intercept: Statistic;
  /** In order of score. */
  readonly bins: readonly CalibrationBin[];
}

/** Rows of neighbouring scores; sums of weights where rows have weights. */
export interface CalibrationBin {
  readonly meanScore: number;
  readonly positives: number;
  readonly support: number;
}

/** Rows at or above each of the report's `thresholds`. */
export interface Sweep {
  readonly truePositives: readonly number[];
  readonly falsePositives: readonly number[];
}

export interface GroupMetrics {
  /** Group name, or `(all)` for the whole set. */
  readonly group: string;
  readonly support: number;
  readonly positives: number;
  readonly negatives: number;
  /** Below a minimum support of the report. */
  readonly isSmall: boolean;
  readonly counts: ConfusionCounts;
  readonly rates: Readonly<Record<RateName, Rate>>;
  readonly balancedAccuracy: Statistic;
  readonly auc: Statistic;
  /** Mean squared distance of scores from labels; less is better. */
  readonly brier: Statistic;
  /** Specificity at the highest threshold whose sensitivity is at least `sensitivity`. */
  readonly specificityAtSensitivity: Statistic & { readonly sensitivity: number };
  /** null without scores */
  readonly calibration: Calibration | null;
  /** null without scores, and where a feature has more than 50 groups */
  readonly sweep: Sweep | null;
}

export const RATE_NAMES = [
  'selectionRate',
  'truePositiveRate',
  'falsePositiveRate',
  'trueNegativeRate',
  'falseNegativeRate',
  'positivePredictiveValue',
  'negativePredictiveValue',
  'falseDiscoveryRate',
  'falseOmissionRate',
  'accuracy',
  'baseRate',
] as const;
export type RateName = (typeof RATE_NAMES)[number];

export const TEST_NAMES = [
  'two-proportion',
  'fisher-exact',
  'chi-square',
  'permutation',
  'delong',
  'wald',
] as const;

/** Test of "no gap". */
export interface GapTest {
  readonly name: (typeof TEST_NAMES)[number];
  readonly pValue: number;
  /** By Holm's method over all tests of the report. */
  readonly adjustedPValue: number;
}

/**
 * A gap or ratio over groups. `value` is over every group and null when any group lacks the support for it;
 * `amongSupported` leaves those groups out and names them, so that an empty group can never look fair.
 */
export interface Disparity {
  readonly value: number | null;
  readonly amongSupported: number | null;
  /** Groups without support for this metric; empty when `value` is a number. */
  readonly unsupportedGroups: readonly string[];
  /** The two groups that span the gap (lowest, highest) for metrics of a single figure. */
  readonly between?: readonly [string, string];
  readonly reason?: string;
  /** Of `value`. */
  readonly interval: Interval | null;
  readonly test: GapTest | null;
  /** Smallest gap that these supports would have shown with power 0.8. */
  readonly smallestDetectable: number | null;
}

/** Names that end in `Ratio`: 1 is no gap and more is better. All others: 0 is no gap and less is better. */
export const DISPARITY_NAMES = [
  'demographicParityDifference',
  'demographicParityRatio',
  'disparateImpactRatio',
  'conditionalDemographicDisparity',
  'equalOpportunityDifference',
  'equalOpportunityRatio',
  'equalizedOddsDifference',
  'equalizedOddsRatio',
  'equalizedOddsMeanDifference',
  'equalizedOddsMeanRatio',
  'bmftEqualizedOdds',
  'falsePositiveRateDifference',
  'predictiveParityDifference',
  'falseDiscoveryRateDifference',
  'falseOmissionRateDifference',
  'accuracyDifference',
  'balancedAccuracyDifference',
  'treatmentEqualityDifference',
  'aucDifference',
  'xAucDifference',
  'specificityAtSensitivityDifference',
  'calibrationErrorDifference',
  'brierDifference',
  'baseRateDifference',
  'classImbalance',
] as const;
export type DisparityName = (typeof DISPARITY_NAMES)[number];

export interface WorstGroup {
  readonly metric: 'auc' | 'accuracy' | 'balancedAccuracy' | 'truePositiveRate';
  readonly group: string | null;
  readonly value: number | null;
  readonly unsupportedGroups: readonly string[];
}

/** One group against the reference group. */
export interface GroupComparison {
  readonly group: string;
  readonly rate: RateName | 'auc';
  /** Figure of the group minus that of the reference. */
  readonly difference: Statistic & {
    readonly test: GapTest | null;
    readonly smallestDetectable: number | null;
  };
  /** Figure of the group divided by that of the reference. */
  readonly ratio: Statistic;
}

/** xAUC: chance that a positive of one group scores above a negative of another. */
export interface CrossAuc {
  readonly positives: string;
  readonly negatives: string;
  readonly auc: Statistic;
}

/** Group that the others are compared with, and how it was found. */
export interface ReferenceGroup {
  readonly group: string;
  readonly rule: 'named' | 'largest' | 'best';
}

/** Counts of one stratum, in the order of the feature's groups. */
export interface StratumCounts {
  readonly stratum: string;
  readonly counts: readonly ConfusionCounts[];
}

export interface FeatureAudit {
  /** `sex × race` for an intersection. */
  readonly sensitiveFeature: string;
  /** One attribute, or those that are intersected. */
  readonly attributes: readonly string[];
  /** null where there are no rows */
  readonly reference: ReferenceGroup | null;
  readonly groups: readonly GroupMetrics[];
  readonly disparities: Readonly<Record<DisparityName, Disparity>>;
  /** Every group but the reference, every rate and the AUC. */
  readonly comparisons: readonly GroupComparison[];
  /** Every ordered pair of two groups; empty without scores and with more than 20 groups. */
  readonly crossAuc: readonly CrossAuc[];
  readonly worstGroups: readonly WorstGroup[];
  /** Empty where the rows have no strata. */
  readonly strata: readonly StratumCounts[];
  /** Groups that were merged into `(other)`. */
  readonly merged: readonly string[];
}

/** Smallest supports that count as enough, in rows, and what happens to groups below one of them. */
export interface MinSupport {
  readonly group: number;
  readonly positives: number;
  readonly negatives: number;
  readonly action: 'mark' | 'merge' | 'refuse';
}

/** One class against the rest. */
export interface ClassAudit {
  readonly label: string;
  readonly overall: GroupMetrics;
  readonly features: readonly FeatureAudit[];
}

/** What `audit-before.json`, `audit-after.json` and `counterweight audit --json` hold. */
export interface AuditReport {
  readonly schemaVersion: 2;
  /** Score at or above which a sample is predicted positive; null when the table held predictions only. */
  readonly threshold: number | null;
  /** Of every interval, in (0, 1). */
  readonly level: number;
  /** Draws of every bootstrap. */
  readonly replicates: number;
  readonly seed: number;
  readonly minSupport: MinSupport;
  /** How scores were ranked; null without scores. */
  readonly ranks: 'exact' | 'histogram' | null;
  readonly isWeighted: boolean;
  /** Subjects, where rows name theirs. */
  readonly clusters: number | null;
  /** Of the sweeps, ascending, `threshold` among them; empty without scores. */
  readonly thresholds: readonly number[];
  readonly overall: GroupMetrics;
  readonly features: readonly FeatureAudit[];
  /** More than two classes: each against the rest; `overall` and `features` are then means over classes. */
  readonly classes?: readonly ClassAudit[];
  /** How rows were read, where they came from a table of predictions. */
  readonly input?: InputFacts;
  /** What a policy found in this audit, where it was held against one. */
  readonly gate?: GateResult;
  /** Sentences about what limits these numbers (small cells, missing values, undefined rates). */
  readonly warnings: readonly string[];
}
