import type { AuditReport, DisparityName, FeatureAudit, GroupMetrics } from '../../fairness/types.ts';
import { findingText } from '../facts/finding-text.ts';
import { ENGLISH } from '../language/language.ts';
import { shownDisparity } from '../tables/figure-cells.ts';
import { count, NOT_DEFINED, rate, thresholdText } from '../text/format.ts';
import { DISPARITY_WORDS } from '../text/words.ts';
import { type ExportOptions, figureText, markdownTable, markdownText, rateText } from './markdown.ts';

const GAPS = [
  'demographicParityDifference',
  'demographicParityRatio',
  'equalOpportunityDifference',
  'equalizedOddsDifference',
  'predictiveParityDifference',
  'accuracyDifference',
  'aucDifference',
  'calibrationErrorDifference',
] as const satisfies readonly DisparityName[];

/** The section of a model card on figures by group (Mitchell et al., "Model cards for model reporting", 2019). */
export function modelCardSection(audit: AuditReport, { model, source, gate }: ExportOptions): string {
  const { overall, threshold, level, features } = audit;
  const facts = [
    `Model: ${markdownText(model)}`,
    `Data: ${markdownText(source)}, ${count(overall.support)} samples, ${count(overall.positives)} of them positive`,
    `Decision threshold: ${thresholdText(threshold)}`,
    `AUC over all samples: ${figureText(overall.auc)}`,
    `In brackets: intervals at a level of ${ENGLISH.percent(level)}; p-values are adjusted for all tests of the audit`,
  ];
  return [
    '## Quantitative analyses: fairness audit\n',
    list(facts),
    ...features.map((feature) => featureText(feature, overall)),
    ...(gate === undefined ? [] : [`### Policy ${markdownText(gate.policy)}: ${gate.verdict}\n`]),
    ...(gate === undefined ? [] : [list(gate.findings.map((finding) => markdownText(findingText(finding))))]),
    '### Caveats\n',
    list([
      ...audit.warnings.map(markdownText),
      ENGLISH.t.limits.intervals(ENGLISH.percent(level)),
      ENGLISH.t.limits.notCause,
    ]),
  ].join('\n');
}

function list(items: readonly string[]): string {
  return items.map((item) => `- ${item}\n`).join('');
}

function featureText(feature: FeatureAudit, overall: GroupMetrics): string {
  const { sensitiveFeature, groups, reference } = feature;
  const rows = [...groups, overall].map((group) => groupRow(group, group === overall));
  const title = feature.attributes.length > 1 ? 'Intersectional results' : 'Results';
  const against = reference === null ? '' : ` Reference group: ${markdownText(reference.group)}.`;
  return `### ${title} by ${markdownText(sensitiveFeature)}

${markdownTable(['Group', 'Samples', 'Positives', 'Selection rate', 'True positive rate', 'False positive rate', 'AUC', 'Calibration error'], rows)}
${markdownTable(
  ['Disparity', 'Value', 'Adjusted p-value', 'Smallest gap it could show'],
  GAPS.map((name) => gapRow(feature, name)),
)}
Differences: 0 is no gap; ratios: 1 is no gap.${against}
`;
}

function groupRow(group: GroupMetrics, isWhole: boolean): string[] {
  const { support, positives, rates, auc, calibration, isSmall } = group;
  const name = isWhole ? 'All samples' : markdownText(group.group);
  return [
    isSmall && !isWhole ? `${name} (small)` : name,
    count(support),
    count(positives),
    rateText(rates.selectionRate),
    rateText(rates.truePositiveRate),
    rateText(rates.falsePositiveRate),
    figureText(auc),
    calibration === null ? NOT_DEFINED : figureText(calibration.error),
  ];
}

function gapRow({ disparities }: FeatureAudit, name: DisparityName): string[] {
  const disparity = disparities[name];
  const value = shownDisparity(disparity);
  const isShown = value !== null;
  const { test, smallestDetectable } = disparity;
  return [
    DISPARITY_WORDS[name].label,
    figureText({ ...disparity, value }),
    isShown && test ? rate(test.adjustedPValue) : 'none',
    isShown && smallestDetectable !== null ? rate(smallestDetectable) : 'none',
  ];
}
