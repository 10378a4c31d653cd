/** A sensitive feature (a column such as sex) resolved to one group index per sample. */
export interface SensitiveFeature {
  readonly name: string;
  /** Group names in order of first appearance by sorted name; index = group. */
  readonly groupNames: readonly string[];
  /** [N], each in 0 … groupNames.length - 1 */
  readonly groups: Int32Array;
}

/** A proportion with what is behind it. `value` is null, never 0, when `support` is 0. */
export interface Rate {
  readonly value: number | null;
  readonly numerator: number;
  readonly support: number;
}

/** Confusion counts of one group at the threshold. */
export interface ConfusionCounts {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly trueNegatives: number;
  readonly falseNegatives: number;
}

/** A number that is no proportion (AUC, balanced accuracy): null with its reason when undefined. */
export interface Statistic {
  readonly value: number | null;
  readonly reason?: string;
}

export interface GroupMetrics {
  /** Group name, or `(all)` for the whole set. */
  readonly group: string;
  readonly support: number;
  readonly positives: number;
  readonly negatives: number;
  readonly counts: ConfusionCounts;
  readonly rates: Readonly<Record<RateName, Rate>>;
  readonly balancedAccuracy: Statistic;
  readonly auc: Statistic;
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
] as const;
export type RateName = (typeof RATE_NAMES)[number];

/**
 * A gap or ratio over groups. `value` is over every group and null when any group lacks the support for it;
 * `amongSupported` leaves those groups out and names them, so that an empty group can never look fair.
 */
export interface Disparity {
  readonly value: number | null;
  readonly amongSupported: number | null;
  /** Groups without support for this metric; empty when `value` is a number. */
  readonly unsupportedGroups: readonly string[];
  /** The two groups that span the gap (lowest, highest) for single-rate metrics. */
  readonly between?: readonly [string, string];
  readonly reason?: string;
}

export const DISPARITY_NAMES = [
  'demographicParityDifference',
  'demographicParityRatio',
  'equalOpportunityDifference',
  'equalOpportunityRatio',
  'equalizedOddsDifference',
  'equalizedOddsRatio',
  'equalizedOddsMeanDifference',
  'bmftEqualizedOdds',
] as const;
export type DisparityName = (typeof DISPARITY_NAMES)[number];

export interface WorstGroup {
  readonly metric: 'auc' | 'accuracy' | 'balancedAccuracy' | 'truePositiveRate';
  readonly group: string | null;
  readonly value: number | null;
  readonly unsupportedGroups: readonly string[];
}

export interface FeatureAudit {
  readonly sensitiveFeature: string;
  readonly groups: readonly GroupMetrics[];
  readonly disparities: Readonly<Record<DisparityName, Disparity>>;
  readonly worstGroups: readonly WorstGroup[];
}

/** What `audit-before.json`, `audit-after.json` and `counterweight audit --json` hold. */
export interface AuditReport {
  readonly schemaVersion: 1;
  /** Score at or above which a sample is predicted positive; null when the table held predictions only. */
  readonly threshold: number | null;
  readonly overall: GroupMetrics;
  readonly features: readonly FeatureAudit[];
  /** Sentences about what limits these numbers (small cells, missing values, undefined rates). */
  readonly warnings: readonly string[];
}
