import type { Finding, GateResult, Verdict } from '../../fairness/policy/gate.ts';
import type { Language } from '../language/language.ts';
import { paragraph, type Section } from '../page/layout.ts';
import { numberCell, row, table, textCell } from '../page/table.ts';
import { rangeText, undefinedText } from '../tables/figure-cells.ts';
import { significant } from '../text/format.ts';
import { type Html, html, NOTHING } from '../text/html.ts';
import { joinHtml, nameHtml } from '../text/names.ts';

/** What a policy asks of the audit, rule by rule. */
export function policySection({ policy, verdict, findings }: GateResult, language: Language): Section {
  const { policy: words } = language.t;
  const columns = [
    { title: words.rule },
    { title: words.found, isNumeric: true },
    { title: words.limit },
    { title: words.verdict },
  ];
  return {
    id: 'policy',
    title: words.title,
    body: html`${paragraph(words.lead[verdict])}
${table({ caption: words.caption(policy), columns, rows: findings.map((finding) => findingRow(finding, language)) })}`,
  };
}

function findingRow(finding: Finding, language: Language): Html {
  const { t } = language;
  const { metric, sensitiveFeature, value, interval, on, limit, baseline, severity } = finding;
  const where =
    sensitiveFeature === null ? t.policy.whole : t.byFeature(nameHtml(sensitiveFeature, language));
  const how = on === 'interval' ? html`<small>${t.policy.onInterval}</small>` : NOTHING;
  const before =
    baseline === null ? NOTHING : html`<small>${t.policy.baseline(significant(baseline))}</small>`;
  const minor = severity === 'warning' ? html` <span class="tag">${t.policy.warning}</span>` : NOTHING;
  return row(html`${t.metric(metric)}${minor}<small>${where}</small>`, [
    value === null
      ? numberCell(undefinedText(language))
      : numberCell(significant(value), rangeText(interval, language)),
    textCell(html`${t.policy.limits[limit.kind](significant(limit.value))}${how}${before}`),
    textCell(verdictText(finding, language)),
  ]);
}

function verdictText({ verdict, reason, needed }: Finding, language: Language): Html {
  const { t } = language;
  const why = reason === null ? NOTHING : html`<small>${t.sentence(reason)}</small>`;
  return html`${verdictBadge(verdict, t.policy.verdicts[verdict], language)}${why}${neededText(needed, language)}`;
}

/** Of which groups how many more rows would decide a rule. */
function neededText(needed: Finding['needed'], language: Language): Html {
  if (needed === null || needed.length === 0) return NOTHING;
  const { policy: words } = language.t;
  const rows = needed.map(({ group, more, of }) =>
    words.more(nameHtml(group, language), language.count(more), words.rowKinds[of]),
  );
  return html`<small>${words.needed(joinHtml(rows, language))}</small>`;
}

/** A verdict by a sign and a word; the colour only repeats them. */
export function verdictBadge(verdict: Verdict, words: string, { t }: Language): Html {
  return html`<span class="gate ${verdict}"><span aria-hidden="true">${t.policy.symbols[verdict]}</span> ${words}</span>`;
}
