import type { DisparityName, RateName, WorstGroup } from '../../fairness/types.ts';
import type { CandidateRecord, DataPart, Outcome } from '../../jobs/run-record.ts';

interface DisparityWords {
  readonly label: string;
  readonly meaning: string;
  /** For a ratio 1 means no gap, for a difference 0 does. */
  readonly isRatio: boolean;
}

export const DISPARITY_WORDS = {
  demographicParityDifference: {
    label: 'Demographic parity difference',
    meaning: 'Highest minus lowest selection rate; 0 is no gap.',
    isRatio: false,
  },
  demographicParityRatio: {
    label: 'Demographic parity ratio',
    meaning: 'Lowest selection rate divided by the highest; 1 is no gap.',
    isRatio: true,
  },
  disparateImpactRatio: {
    label: 'Disparate impact ratio',
    meaning: 'Lowest selection rate divided by that of the reference group; 1 is no gap.',
    isRatio: true,
  },
  conditionalDemographicDisparity: {
    label: 'Conditional demographic disparity',
    meaning:
      'Largest gap between the share of a group among the rejected and among the selected, within strata; 0 is no gap.',
    isRatio: false,
  },
  equalOpportunityDifference: {
    label: 'Equal opportunity difference',
    meaning: 'Highest minus lowest true positive rate; 0 is no gap.',
    isRatio: false,
  },
  equalOpportunityRatio: {
    label: 'Equal opportunity ratio',
    meaning: 'Lowest true positive rate divided by the highest; 1 is no gap.',
    isRatio: true,
  },
  equalizedOddsDifference: {
    label: 'Equalised odds difference',
    meaning: 'The larger of the gap in true positive rate and the gap in false positive rate; 0 is no gap.',
    isRatio: false,
  },
  equalizedOddsRatio: {
    label: 'Equalised odds ratio',
    meaning:
      'The smaller of the ratio of true positive rates and the ratio of false positive rates; 1 is no gap.',
    isRatio: true,
  },
  equalizedOddsMeanDifference: {
    label: 'Equalised odds, mean difference',
    meaning: 'Mean of the gap in true positive rate and the gap in false positive rate; 0 is no gap.',
    isRatio: false,
  },
  equalizedOddsMeanRatio: {
    label: 'Equalised odds, mean ratio',
    meaning: 'Mean of the ratio of true positive rates and the ratio of false positive rates; 1 is no gap.',
    isRatio: true,
  },
  bmftEqualizedOdds: {
    label: 'Equalised odds, signed form of the BMFT paper',
    meaning:
      'Adds both gaps with their sign, so that opposite gaps cancel: a 0 here does not show that the gaps are 0.',
    isRatio: false,
  },
  falsePositiveRateDifference: {
    label: 'False positive rate difference',
    meaning: 'Highest minus lowest false positive rate; 0 is no gap.',
    isRatio: false,
  },
  predictiveParityDifference: {
    label: 'Predictive parity difference',
    meaning: 'Highest minus lowest positive predictive value; 0 is no gap.',
    isRatio: false,
  },
  falseDiscoveryRateDifference: {
    label: 'False discovery rate difference',
    meaning: 'Highest minus lowest false discovery rate; 0 is no gap.',
    isRatio: false,
  },
  falseOmissionRateDifference: {
    label: 'False omission rate difference',
    meaning: 'Highest minus lowest false omission rate; 0 is no gap.',
    isRatio: false,
  },
  accuracyDifference: {
    label: 'Accuracy difference',
    meaning: 'Highest minus lowest accuracy; 0 is no gap.',
    isRatio: false,
  },
  balancedAccuracyDifference: {
    label: 'Balanced accuracy difference',
    meaning: 'Highest minus lowest balanced accuracy; 0 is no gap.',
    isRatio: false,
  },
  treatmentEqualityDifference: {
    label: 'Treatment equality difference',
    meaning: 'Highest minus lowest number of false negatives per false positive; 0 is no gap.',
    isRatio: false,
  },
  aucDifference: {
    label: 'AUC difference',
    meaning: 'Highest minus lowest AUC; 0 is no gap.',
    isRatio: false,
  },
  xAucDifference: {
    label: 'xAUC difference',
    meaning: 'Largest gap between the AUC of one group against another and the reverse; 0 is no gap.',
    isRatio: false,
  },
  specificityAtSensitivityDifference: {
    label: 'Specificity difference at fixed sensitivity',
    meaning: 'Highest minus lowest specificity at the same sensitivity; 0 is no gap.',
    isRatio: false,
  },
  calibrationErrorDifference: {
    label: 'Calibration error difference',
    meaning: 'Highest minus lowest expected calibration error; 0 is no gap.',
    isRatio: false,
  },
  brierDifference: {
    label: 'Brier score difference',
    meaning: 'Highest minus lowest Brier score; 0 is no gap.',
    isRatio: false,
  },
  baseRateDifference: {
    label: 'Base rate difference',
    meaning: 'Highest minus lowest share of positive labels, a property of the data; 0 is no gap.',
    isRatio: false,
  },
  classImbalance: {
    label: 'Class imbalance',
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
