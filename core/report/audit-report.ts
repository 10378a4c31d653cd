import type { AuditReport, FeatureAudit } from '../fairness/types.ts';
import { unsupportedIn } from './facts/unsupported.ts';
import { bulletList, definitions, notice } from './page/layout.ts';
import { page } from './page/page.ts';
import { groupsSection } from './sections/groups.ts';
import { auditLimitsSection } from './sections/limits.ts';
import { shownDisparity } from './tables/figure-cells.ts';
import { count, plural, rate, thresholdText } from './text/format.ts';
import { type Html, html, NOTHING } from './text/html.ts';
import { nameHtml, nameList } from './text/names.ts';
import { DISPARITY_WORDS } from './text/words.ts';

interface AuditReportOptions {
  readonly title: string;
  /** Where the scores or predictions came from, e.g. the name of the table. */
  readonly source: string;
}

/**
 * The report of one audit as one HTML file that needs nothing else: no script, no request.
 *
 * @returns a whole document; same input, same bytes
 */
export function renderAuditReport(audit: AuditReport, { title, source }: AuditReportOptions): string {
  return page({
    title,
    heading: html`${title}`,
    lead: summary(audit, source),
    sections: [groupsSection({ before: audit, after: null }), auditLimitsSection(audit)],
    colophon: 'counterweight audit',
  });
}

function summary(audit: AuditReport, source: string): Html {
  const { overall, threshold, features } = audit;
  const sentences = features.map(featureSentence);
  return html`<div class="verdict">
<p class="headline">${plural(overall.support, 'sample')} audited for gaps between groups; AUC over all samples ${rate(overall.auc.value)}.</p>
${features.length === 0 ? NOTHING : bulletList(sentences)}
${definitions(
  [
    ['Source', source],
    ['Samples', count(overall.support)],
    ['Positives', count(overall.positives)],
    ['Threshold', thresholdText(threshold)],
  ],
  'tiles',
)}
</div>
${features.map(leftOutNotice)}`;
}

function leftOutNotice({ sensitiveFeature, disparities }: FeatureAudit): Html {
  const groups = unsupportedIn(disparities);
  if (groups.length === 0) return NOTHING;
  return notice(
    'Warning',
    html`some gaps by ${nameHtml(sensitiveFeature)} leave out ${nameList(groups)} for lack of support. Nothing can be said about the gap to these groups.`,
  );
}

/** The equalised odds difference in words; where a group lacks support, that comes first. */
function featureSentence({ sensitiveFeature, groups, disparities }: FeatureAudit): Html {
  const disparity = disparities.equalizedOddsDifference;
  const subject = html`${DISPARITY_WORDS.equalizedOddsDifference.label} by ${nameHtml(sensitiveFeature)}`;
  const value = shownDisparity(disparity);
  if (value !== null)
    return html`${subject}: <strong>${rate(value)}</strong> over ${plural(groups.length, 'group')}.`;
  const leftOut = disparity.unsupportedGroups;
  const among =
    disparity.amongSupported === null
      ? NOTHING
      : html` It is ${rate(disparity.amongSupported)} among the groups with support.`;
  const without = leftOut.length === 0 ? NOTHING : html`, since ${nameList(leftOut)} lacks support`;
  return html`${subject}: <strong>not defined</strong> over ${plural(groups.length, 'group')}${without}.${among}`;
}
