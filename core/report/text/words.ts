import type { DisparityName, RateName, WorstGroup } from '../../fairness/types.ts';
import type { CandidateRecord, DataPart, Outcome } from '../../jobs/run-record.ts';
import { DISPARITY_LABELS } from './labels.ts';

interface DisparityWords {
  readonly label: string;
  readonly meaning: string;
  /** For a ratio 1 means no gap, for a difference 0 does. */
  readonly isRatio: boolean;
}

export const DISPARITY_WORDS = {
  demographicParityDifference: {
    label: DISPARITY_LABELS.demographicParityDifference,
    meaning: 'Highest minus lowest selection rate; 0 is no gap.',
    isRatio: false,
  },
  demographicParityRatio: {
    label: DISPARITY_LABELS.demographicParityRatio,
    meaning: 'Lowest selection rate divided by the highest; 1 is no gap.',
    isRatio: true,
  },
  disparateImpactRatio: {
    label: DISPARITY_LABELS.disparateImpactRatio,
    meaning: 'Lowest selection rate of the other groups divided by that of the reference group; 1 is no gap.',
    isRatio: true,
  },
  conditionalDemographicDisparity: {
    label: DISPARITY_LABELS.conditionalDemographicDisparity,
    meaning:
      'Largest gap between the share of a group among the rejected and among the selected, within strata; 0 is no gap.',
    isRatio: false,
  },
  equalOpportunityDifference: {
    label: DISPARITY_LABELS.equalOpportunityDifference,
    meaning: 'Highest minus lowest true positive rate; 0 is no gap.',
    isRatio: false,
  },
  equalOpportunityRatio: {
    label: DISPARITY_LABELS.equalOpportunityRatio,
    meaning: 'Lowest true positive rate divided by the highest; 1 is no gap.',
    isRatio: true,
  },
  equalizedOddsDifference: {
    label: DISPARITY_LABELS.equalizedOddsDifference,
    meaning: 'The larger of the gap in true positive rate and the gap in false positive rate; 0 is no gap.',
    isRatio: false,
  },
  equalizedOddsRatio: {
    label: DISPARITY_LABELS.equalizedOddsRatio,
    meaning:
      'The smaller of the ratio of true positive rates and the ratio of false positive rates; 1 is no gap.',
    isRatio: true,
  },
  equalizedOddsMeanDifference: {
    label: DISPARITY_LABELS.equalizedOddsMeanDifference,
    meaning: 'Mean of the gap in true positive rate and the gap in false positive rate; 0 is no gap.',
    isRatio: false,
  },
  equalizedOddsMeanRatio: {
    label: DISPARITY_LABELS.equalizedOddsMeanRatio,
    meaning: 'Mean of the ratio of true positive rates and the ratio of false positive rates; 1 is no gap.',
    isRatio: true,
  },
  bmftEqualizedOdds: {
    label: DISPARITY_LABELS.bmftEqualizedOdds,
    meaning:
      'Adds both gaps with their sign, so that opposite gaps cancel: a 0 here does not show that the gaps are 0.',
    isRatio: false,
  },
  falsePositiveRateDifference: {
    label: DISPARITY_LABELS.falsePositiveRateDifference,
    meaning: 'Highest minus lowest false positive rate; 0 is no gap.',
    isRatio: false,
  },
  predictiveParityDifference: {
    label: DISPARITY_LABELS.predictiveParityDifference,
    meaning: 'Highest minus lowest positive predictive value; 0 is no gap.',
    isRatio: false,
  },
  falseDiscoveryRateDifference: {
    label: DISPARITY_LABELS.falseDiscoveryRateDifference,
    meaning: 'Highest minus lowest false discovery rate; 0 is no gap.',
    isRatio: false,
  },
  falseOmissionRateDifference: {
    label: DISPARITY_LABELS.falseOmissionRateDifference,
    meaning: 'Highest minus lowest false omission rate; 0 is no gap.',
    isRatio: false,
  },
  accuracyDifference: {
    label: DISPARITY_LABELS.accuracyDifference,
    meaning: 'Highest minus lowest accuracy; 0 is no gap.',
    isRatio: false,
  },
  balancedAccuracyDifference: {
    label: DISPARITY_LABELS.balancedAccuracyDifference,
    meaning: 'Highest minus lowest balanced accuracy; 0 is no gap.',
    isRatio: false,
  },
  treatmentEqualityDifference: {
    label: DISPARITY_LABELS.treatmentEqualityDifference,
    meaning: 'Highest minus lowest number of false negatives per false positive; 0 is no gap.',
    isRatio: false,
  },
  aucDifference: {
    label: DISPARITY_LABELS.aucDifference,
    meaning: 'Highest minus lowest AUC; 0 is no gap.',
    isRatio: false,
  },
  xAucDifference: {
    label: DISPARITY_LABELS.xAucDifference,
    meaning: 'Largest gap between the AUC of one group against another and the reverse; 0 is no gap.',
    isRatio: false,
  },
  specificityAtSensitivityDifference: {
    label: DISPARITY_LABELS.specificityAtSensitivityDifference,
    meaning: 'Highest minus lowest specificity at the same sensitivity; 0 is no gap.',
    isRatio: false,
  },
  calibrationErrorDifference: {
    label: DISPARITY_LABELS.calibrationErrorDifference,
    meaning: 'Highest minus lowest expected calibration error; 0 is no gap.',
    isRatio: false,
  },
  brierDifference: {
    label: DISPARITY_LABELS.brierDifference,
    meaning: 'Highest minus lowest Brier score; 0 is no gap.',
    isRatio: false,
  },
  baseRateDifference: {
    label: DISPARITY_LABELS.baseRateDifference,
    meaning: 'Highest minus lowest share of positive labels, a property of the data; 0 is no gap.',
    isRatio: false,
  },
  classImbalance: {
    label: DISPARITY_LABELS.classImbalance,
    meaning: 'Largest minus smallest group size, divided by their sum, a property of the data; 0 is no gap.',
    isRatio: false,
  },
} satisfies Record<DisparityName, DisparityWords>;

/** Why a rate without support has no value, by what it divides by. */
export const NO_SUPPORT_WORDS = {
  selectionRate: 'no samples',
  truePositiveRate: 'no positives',
  falsePositiveRate: 'no negatives',
  trueNegativeRate: 'no negatives',
  falseNegativeRate: 'no positives',
  positivePredictiveValue: 'none predicted positive',
  negativePredictiveValue: 'none predicted negative',
  falseDiscoveryRate: 'none predicted positive',
  falseOmissionRate: 'none predicted negative',
  accuracy: 'no samples',
  baseRate: 'no samples',
} satisfies Record<RateName, string>;

export const WORST_GROUP_WORDS = {
  auc: 'AUC',
  accuracy: 'Accuracy',
  balancedAccuracy: 'Balanced accuracy',
  truePositiveRate: 'True positive rate',
} satisfies Record<WorstGroup['metric'], string>;

/** Status with a symbol, so that it does not depend on colour. Two arrows that meet: the gap narrowed. */
export const OUTCOME_WORDS = {
  improved: {
    symbol: '\u2192\u2190',
    label: 'Improved',
    meaning: 'a candidate met every guard rail on the select part',
  },
  'not-improved': { symbol: '=', label: 'Not improved', meaning: 'the original model stays' },
  rejected: { symbol: '\u00d7', label: 'Rejected', meaning: 'the data cannot carry the method' },
} satisfies Record<Outcome, { symbol: string; label: string; meaning: string }>;

export const CANDIDATE_WORDS = {
  bmft: 'BMFT',
  control: 'control',
  original: 'original model',
} satisfies Record<CandidateRecord['kind'], string>;

export const PART_WORDS = {
  tune: 'importance, mask and training',
  select: 'choice of the candidate and of the threshold',
  test: 'audit only',
} satisfies Record<DataPart['name'], string>;

/** First letter small, for use inside a sentence; an abbreviation keeps its capitals. */
export function inSentence(label: string): string {
  return /^[A-Z][a-z]/.test(label) ? label.charAt(0).toLowerCase() + label.slice(1) : label;
}
