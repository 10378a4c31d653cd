import type { AuditReport } from '../../fairness/types.ts';
import { ENGLISH } from '../language/language.ts';
import { shownDisparity } from '../tables/figure-cells.ts';
import { count, NOT_DEFINED, plural, rate, thresholdText } from '../text/format.ts';
import { DISPARITY_WORDS, inSentence } from '../text/words.ts';
import { figureText, markdownText, rateText } from './markdown.ts';

/** Sentences on an audit that several checklists ask for; Markdown, each on one line. */

export function dataText({ overall, input }: AuditReport): string {
  const rows =
    input === undefined ? '' : `${plural(input.rows, 'row')} read, ${count(input.audited)} audited; `;
  return `${rows}${plural(overall.support, 'sample')}, ${count(overall.positives)} positive, ${count(overall.negatives)} negative.`;
}

export function missingText({ input }: AuditReport): string | null {
  if (input === undefined) return null;
  if (input.missing.length === 0) return 'No sensitive feature lacks a value.';
  const each = input.missing.map(
    ({ sensitiveFeature, rows }) => `${markdownText(sensitiveFeature)} in ${plural(rows, 'row')}`,
  );
  return `Missing values are a group of their own: ${each.join(', ')}. No row was dropped for them.`;
}

export function groupsText({ features }: AuditReport): string | null {
  if (features.length === 0) return null;
  const each = features.map(({ sensitiveFeature, groups }) => {
    const sizes = groups.map(({ group, support }) => `${markdownText(group)} ${count(support)}`);
    return `${markdownText(sensitiveFeature)}: ${sizes.join(', ')}`;
  });
  return `${each.join('; ')}.`;
}

export function measuresText({ level, replicates, ranks }: AuditReport): string {
  const scores = ranks === null ? '' : ', AUC, calibration (ECE, slope, intercept), Brier score';
  return `Rates by group${scores}, disparities, differences from a reference group; intervals at ${ENGLISH.percent(level)} (${plural(replicates, 'bootstrap draw')}), tests corrected by Holm. Definitions: docs/metrics.md.`;
}

export function outputText({ threshold, classes }: AuditReport): string {
  if (classes !== undefined) return `One of ${classes.length} classes.`;
  return `Positive at or above the threshold; threshold: ${thresholdText(threshold)}.`;
}

export function performanceText({ overall }: AuditReport): string {
  const { rates, auc, calibration } = overall;
  const slope = calibration === null ? NOT_DEFINED : figureText(calibration.slope);
  return `AUC ${figureText(auc)}; sensitivity ${rateText(rates.truePositiveRate)}; specificity ${rateText(rates.trueNegativeRate)}; calibration slope ${slope}.`;
}

export function gapsText({ features }: AuditReport): string | null {
  if (features.length === 0) return null;
  const label = inSentence(DISPARITY_WORDS.equalizedOddsDifference.label);
  const each = features.map(({ sensitiveFeature, disparities }) => {
    const gap = disparities.equalizedOddsDifference;
    const value = shownDisparity(gap);
    const p = value !== null && gap.test ? `, adjusted p ${rate(gap.test.adjustedPValue)}` : '';
    return `${label} by ${markdownText(sensitiveFeature)} ${figureText({ ...gap, value })}${p}`;
  });
  return `${each.join('; ')}.`;
}

export function groupPerformanceText({ features }: AuditReport): string | null {
  if (features.length === 0) return null;
  const each = features.flatMap(({ sensitiveFeature, groups }) =>
    groups.map(
      ({ group, auc, rates }) =>
        `${markdownText(sensitiveFeature)} ${markdownText(group)}: AUC ${figureText(auc)}, sensitivity ${rateText(rates.truePositiveRate)}, false positive rate ${rateText(rates.falsePositiveRate)}`,
    ),
  );
  return `${each.join('; ')}.`;
}

export function limitsText({ warnings, level }: AuditReport): string {
  const { limits } = ENGLISH.t;
  return [
    ...warnings.map((warning) => `${markdownText(warning)}.`),
    limits.intervals(ENGLISH.percent(level)),
    limits.notCause,
  ].join(' ');
}
