import type { Drift } from '../fairness/drift/drift.ts';
import type { GateResult } from '../fairness/policy/gate.ts';
import type { AuditReport, FeatureAudit } from '../fairness/types.ts';
import { classesSection } from './audit/classes.ts';
import { comparisonsSection } from './audit/comparisons.ts';
import { driftSection } from './audit/drift.ts';
import { EXPLORER_SCRIPT, explorerSection } from './audit/explorer.ts';
import { heatMapSection } from './audit/heat-map.ts';
import { methodSection } from './audit/method.ts';
import { policySection, verdictBadge } from './audit/policy.ts';
import { scoresSection } from './audit/scores.ts';
import { unsupportedIn } from './facts/unsupported.ts';
import { type Language, type LanguageCode, languageOf } from './language/language.ts';
import { bulletList, type Definition, definitions, notice } from './page/layout.ts';
import { page } from './page/page.ts';
import { groupsSection } from './sections/groups.ts';
import { auditLimitsSection } from './sections/limits.ts';
import { shownDisparity } from './tables/figure-cells.ts';
import { type Html, html, NOTHING } from './text/html.ts';
import { nameHtml, nameList } from './text/names.ts';

export interface AuditReportOptions {
  readonly title: string;
  /** Where the scores or predictions came from, e.g. the name of the table. */
  readonly source: string;
  readonly lang?: LanguageCode;
  /** What a policy says of this audit. */
  readonly gate?: GateResult | undefined;
  /** Earlier audits of the same subject. */
  readonly drift?: Drift | undefined;
}

/**
 * The report of one audit as one HTML file that needs nothing else: no request, and one script of its own, which
 * moves the threshold and without which the page says the same.
 *
 * @returns a whole document; same input, same bytes
 */
export function renderAuditReport(audit: AuditReport, options: AuditReportOptions): string {
  const { title, gate, drift, lang = 'en' } = options;
  const language = languageOf(lang);
  const explorer = explorerSection(audit, language);
  const sections = [
    gate === undefined ? null : policySection(gate, language),
    groupsSection({ before: audit, after: null }, language),
    classesSection(audit, language),
    comparisonsSection(audit, language),
    heatMapSection(audit, language),
    audit.features.length === 0 ? null : scoresSection(audit, language),
    explorer,
    drift === undefined ? null : driftSection(drift, language),
    methodSection(audit, language),
    auditLimitsSection(audit, language),
  ];
  return page({
    title,
    heading: html`${title}`,
    lead: summary(audit, options, language),
    sections: sections.filter((section) => section !== null),
    colophon: language.t.madeBy,
    language,
    ...(explorer !== null && { script: EXPLORER_SCRIPT }),
  });
}

function summary(audit: AuditReport, { source, gate }: AuditReportOptions, language: Language): Html {
  const { t, count, rate } = language;
  const { overall, features } = audit;
  const sentences = features.map((feature) => featureSentence(feature, language));
  const tiles: Definition[] = [
    [t.summary.source, source],
    [t.summary.samples, count(overall.support)],
    [t.summary.positives, count(overall.positives)],
    [t.summary.threshold, thresholdText(audit, language)],
  ];
  const badge =
    gate === undefined
      ? NOTHING
      : html`<p class="status">${verdictBadge(gate.verdict, t.summary.verdicts[gate.verdict], language)} <span class="muted">${t.summary.policy}: ${nameHtml(gate.policy, language)}</span></p>`;
  return html`<div class="verdict">
${badge}<p class="headline">${t.summary.headline(t.samples(overall.support), rate(overall.auc.value))}</p>
${features.length === 0 ? NOTHING : bulletList(sentences)}
${definitions(tiles, 'tiles')}
</div>
${features.map((feature) => leftOutNotice(feature, language))}`;
}

function thresholdText({ threshold, classes }: AuditReport, language: Language): string {
  const { summary: words } = language.t;
  if (threshold !== null) return language.threshold(threshold);
  return classes === undefined ? words.noThreshold : words.macro;
}

function leftOutNotice({ sensitiveFeature, disparities }: FeatureAudit, language: Language): Html {
  const groups = unsupportedIn(disparities);
  if (groups.length === 0) return NOTHING;
  const words = language.t.summary.leftOut(nameHtml(sensitiveFeature, language), nameList(groups, language));
  return notice('Warning', words, language);
}

/** The equalised odds difference in words; where a group lacks support, that comes first. */
function featureSentence({ sensitiveFeature, groups, disparities }: FeatureAudit, language: Language): Html {
  const { t, rate, range } = language;
  const words = t.summary;
  const disparity = disparities.equalizedOddsDifference;
  const subject = html`${t.by(t.disparities.equalizedOddsDifference.label, nameHtml(sensitiveFeature, language))}${words.colon}`;
  const size = t.groups(groups.length);
  const value = shownDisparity(disparity);
  if (value !== null) {
    const within = disparity.interval === null ? '' : words.within(range(disparity.interval));
    return html`${subject}${words.over(html`${rate(value)}${within}`, size)}`;
  }
  const leftOut = disparity.unsupportedGroups;
  const among =
    disparity.amongSupported === null ? NOTHING : html`${words.among(rate(disparity.amongSupported))}`;
  const without = leftOut.length === 0 ? NOTHING : words.lacks(nameList(leftOut, language));
  return html`${subject}${words.undefinedOver(size)}${without}${words.stop}${among}`;
}
