import { metricLabel } from '../facts/finding-text.ts';
import { count, NOT_DEFINED, plural } from '../text/format.ts';
import { type Content, html } from '../text/html.ts';
import { DISPARITY_WORDS, NO_SUPPORT_WORDS, WORST_GROUP_WORDS } from '../text/words.ts';
import { ENGLISH_EVIDENCE } from './english-evidence.ts';

const samples = (value: number): string => plural(value, 'sample');
const groups = (value: number): string => plural(value, 'group');

/** Every word of an audit report, in English. Names from the data come as markup, isolated by `nameHtml`. */
export const ENGLISH_MESSAGES = {
  ...ENGLISH_EVIDENCE,
  notDefined: NOT_DEFINED,
  emptyName: '(empty name)',
  separators: { between: ', ', last: ' and ' },
  notices: { Warning: 'Warning:', Note: 'Note:' },
  sections: 'Sections',
  footer:
    'This report gives gaps, supports and the threshold used; what they mean for a use of the model is for people to judge.',
  madeBy: 'counterweight audit',
  samples,
  groups,
  positives: (value: number): string => plural(value, 'positive'),
  negatives: (value: number): string => plural(value, 'negative'),
  fraction: (part: string, whole: string): string => `${part} of ${whole}`,
  range: (low: string, high: string): string => `${low} to ${high}`,
  by: (subject: Content, feature: Content) => html`${subject} by ${feature}`,
  byFeature: (feature: Content) => html`By ${feature}`,
  noReason: 'no reason recorded',
  /** A reason or warning of the audit, in this language. */
  sentence: (text: string): string => text,
  disparities: DISPARITY_WORDS,
  rateNames: {
    selectionRate: 'Selection rate',
    truePositiveRate: 'True positive rate',
    falsePositiveRate: 'False positive rate',
    trueNegativeRate: 'True negative rate',
    falseNegativeRate: 'False negative rate',
    positivePredictiveValue: 'Positive predictive value',
    negativePredictiveValue: 'Negative predictive value',
    falseDiscoveryRate: 'False discovery rate',
    falseOmissionRate: 'False omission rate',
    accuracy: 'Accuracy',
    baseRate: 'Base rate',
    auc: 'AUC',
  },
  noSupport: NO_SUPPORT_WORDS as Readonly<Record<keyof typeof NO_SUPPORT_WORDS, string>>,
  worstGroups: WORST_GROUP_WORDS as Readonly<Record<keyof typeof WORST_GROUP_WORDS, string>>,
  metric: metricLabel,
  summary: {
    headline: (size: string, auc: string): string =>
      `${size} audited for gaps between groups; AUC over all samples ${auc}.`,
    source: 'Source',
    samples: 'Samples',
    positives: 'Positives',
    threshold: 'Threshold',
    noThreshold: 'not known, the table held predictions only',
    macro: 'each class against the rest, by its own scores',
    over: (gap: Content, size: string) => html`<strong>${gap}</strong> over ${size}.`,
    within: (range: string): string => ` (${range})`,
    undefinedOver: (size: string) => html`<strong>${NOT_DEFINED}</strong> over ${size}`,
    lacks: (names: Content) => html`, since ${names} lacks support`,
    among: (value: string): string => ` It is ${value} among the groups with support.`,
    colon: ': ',
    stop: '.',
    leftOut: (feature: Content, names: Content) =>
      html`some gaps by ${feature} leave out ${names} for lack of support. Nothing can be said about the gap to these groups.`,
    verdicts: { pass: 'Policy kept', fail: 'Policy broken', inconclusive: 'Policy not decided' },
    policy: 'Policy',
  },
  groupsSection: {
    title: 'Figures by group',
    guide: 'What the figures mean',
    oneGroup: 'There is only one group here, so there is nothing to compare.',
    figures: (feature: string): string => `Figures by ${feature}`,
    disparities: (feature: string): string => `Disparities by ${feature}`,
    worst: (feature: string): string => `Worst group by ${feature}`,
    lowest: (name: Content) => html`lowest ${name}`,
    highest: (name: Content) => html`highest ${name}`,
    allEqual: 'all groups equal',
    amongSupported: (value: string): string => `${value} among the groups with support`,
    leftOut: (names: Content) => html`left out: ${names}`,
    allSamples: 'All samples',
    small: 'small',
    reference: 'reference',
    group: 'Group',
    figure: 'Figure',
    disparity: 'Disparity',
    value: 'Value',
    interval: 'Interval',
    adjusted: html`Adjusted<br>p-value`,
    detectable: html`Smallest gap<br>it could show`,
    lowestGroup: 'Lowest group',
    noInterval: 'none',
    noTest: 'none',
    columns: {
      support: 'Support',
      positives: 'Positives',
      negatives: 'Negatives',
      selectionRate: html`Selection<br>rate`,
      truePositiveRate: html`<abbr title="true positive rate">TPR</abbr>`,
      falsePositiveRate: html`<abbr title="false positive rate">FPR</abbr>`,
      positivePredictiveValue: html`<abbr title="positive predictive value">PPV</abbr>`,
      accuracy: 'Accuracy',
      balancedAccuracy: html`Balanced<br>accuracy`,
      auc: html`<abbr title="area under the ROC curve">AUC</abbr>`,
    },
    pictureBy: (rate: string, feature: string): string => `${rate} by ${feature}`,
    pictures: {
      truePositiveRate: 'True positive rate (TPR)',
      falsePositiveRate: 'False positive rate (FPR)',
    },
    pictureNote:
      'The closer the circles of a panel stand in one column, the smaller the gap. A dashed track marks a group without the rate. The figures are in the table above.',
    terms: [
      [
        'Support',
        'Samples of the group. A rate always stands with its numerator and support, as in 21 of 41, and with its interval where there is one.',
      ],
      ['Selection rate', 'Share of the samples that the model predicts positive.'],
      ['TPR', 'True positive rate: share of the positives that the model predicts positive.'],
      ['FPR', 'False positive rate: share of the negatives that the model predicts positive.'],
      ['PPV', 'Positive predictive value: share of the predicted positives that are positive.'],
      ['Accuracy', 'Share of the samples that the model predicts right.'],
      ['Balanced accuracy', 'Mean of the true positive rate and the true negative rate.'],
      ['AUC', 'Chance that a positive scores above a negative of the same group; needs no threshold.'],
      ['not defined', 'The figure has nothing to divide by. It is neither 0 nor evidence of a small gap.'],
      [
        'Adjusted p-value',
        'Chance of so large a gap if there were none, corrected by Holm for all tests of this report.',
      ],
      ['Smallest gap it could show', 'A gap of this size would have been found in 8 samples of 10.'],
      [
        'none',
        'No interval, test or smallest gap is made for this figure, or its support is too small to make one.',
      ],
    ] as readonly (readonly [string, string])[],
  },
  limits: {
    title: 'Limits of these figures',
    warnings: (size: number): string => `Warnings that the audit recorded (${count(size)})`,
    positivesOf: (name: Content) => html`positives of ${name}`,
    negativesOf: (name: Content) => html`negatives of ${name}`,
    inFeature: (group: Content, feature: Content) => html`${group} in ${feature}`,
    empty: (cells: Content) => html`The audited data hold no ${cells}.`,
    small: (least: number, cells: Content, step: string) =>
      html`Fewer than ${least} audited samples: ${cells}. In the smallest of these cells one sample moves a rate by ${step}.`,
    sized: (name: Content, support: string) => html`${name} (${support})`,
    leftOut: (feature: Content, names: Content) =>
      html`Some gaps by ${feature} leave out ${names} for lack of support; nothing is known about the gap to these groups.`,
    noIntervals:
      'No intervals of uncertainty are given. Every figure comes from a sample: part of a gap, or of a change in it, may be chance.',
    intervals: (level: string): string =>
      `Intervals (${level}) cover chance in drawing these samples. They do not cover labels that are wrong, samples that stand for another population, or choices made after looking at the figures.`,
    notCause:
      'A gap is associated with group membership; nothing here shows that it is caused by it. A small gap says nothing beyond these samples and this threshold.',
    noThreshold: 'The table held predictions only, so the threshold is not known and an AUC may be missing.',
  },
};

export type Messages = typeof ENGLISH_MESSAGES;
