import type { FeatureAudit, GroupMetrics, RateName } from '../../fairness/types.ts';
import { ENGLISH, type Language } from '../language/language.ts';
import { type Column, numberCell, table } from '../page/table.ts';
import { type Html, html } from '../text/html.ts';
import { nameHtml } from '../text/names.ts';
import { rateCell, statisticCell } from './figure-cells.ts';

interface GroupTable {
  readonly before: FeatureAudit;
  readonly overallBefore: GroupMetrics;
  readonly after: FeatureAudit | undefined;
  readonly overallAfter: GroupMetrics | undefined;
}

const RATE_COLUMNS = [
  'selectionRate',
  'truePositiveRate',
  'falsePositiveRate',
  'positivePredictiveValue',
  'accuracy',
] as const satisfies readonly RateName[];

const SUPPORT_COLUMNS = ['support', 'positives', 'negatives'] as const;
const STATISTIC_COLUMNS = ['balancedAccuracy', 'auc'] as const;
const FIGURE_COLUMNS = [...SUPPORT_COLUMNS, ...RATE_COLUMNS, ...STATISTIC_COLUMNS];

/** Figures of each group and of all samples; with two audits each group has a row before and a row after. */
export function groupTable(
  { before, overallBefore, after, overallAfter }: GroupTable,
  language: Language = ENGLISH,
): Html {
  const hasAfter = after !== undefined;
  const { groupsSection: words } = language.t;
  const pairs = before.groups.map((group) => ({
    name: groupHeading(group, before, language),
    before: group,
    after: after?.groups.find((other) => other.group === group.group),
  }));
  pairs.push({ name: html`${words.allSamples}`, before: overallBefore, after: overallAfter });
  const when: Column[] = hasAfter ? [{ title: 'Model' }] : [];
  const figures = FIGURE_COLUMNS.map((name) => ({ title: words.columns[name], isNumeric: true }));
  return table({
    caption: `${words.figures(before.sensitiveFeature)}${hasAfter ? ', before and after' : ''}`,
    columns: [{ title: words.group }, ...when, ...figures],
    rows: pairs.map((pair) => groupRows(pair, hasAfter, language)),
    hasBodies: true,
  });
}

function groupHeading(
  { group, isSmall }: GroupMetrics,
  { reference }: FeatureAudit,
  language: Language,
): Html {
  const { groupsSection: words } = language.t;
  const tags = [
    ...(isSmall ? [words.small] : []),
    ...(reference?.group === group ? [words.reference] : []),
  ].map((tag) => html` <span class="tag">${tag}</span>`);
  return html`${nameHtml(group, language)}${tags}`;
}

interface Pair {
  readonly name: Html;
  readonly before: GroupMetrics;
  readonly after: GroupMetrics | undefined;
}

function groupRows({ name, before, after }: Pair, hasAfter: boolean, language: Language): Html {
  if (!hasAfter) {
    return html`<tbody><tr><th scope="row">${name}</th>${supportCells(before, language)}${figureCells(before, language)}</tr></tbody>
`;
  }
  const afterCells =
    after === undefined
      ? html`<td colspan="${FIGURE_COLUMNS.length}">not in the audit after</td>`
      : html`${supportCells(after, language)}${figureCells(after, language)}`;
  return html`<tbody><tr><th scope="rowgroup" rowspan="2">${name}</th><th scope="row" class="model">before</th>${supportCells(before, language)}${figureCells(before, language)}</tr>
<tr><th scope="row" class="model">after</th>${afterCells}</tr></tbody>
`;
}

function supportCells(metrics: GroupMetrics, { count }: Language): Html {
  return html`${SUPPORT_COLUMNS.map((name) => numberCell(count(metrics[name])))}`;
}

function figureCells(metrics: GroupMetrics, language: Language): Html {
  const rates = RATE_COLUMNS.map((name) => rateCell(name, metrics.rates[name], language));
  const statistics = STATISTIC_COLUMNS.map((name) => statisticCell(metrics[name], language));
  return html`${rates}${statistics}`;
}

/** What the columns mean, once per report. */
export function columnGuide({ t }: Language = ENGLISH): Html {
  return html`<dl class="guide">${t.groupsSection.terms.map(
    ([term, text]) => html`<div><dt>${term}</dt><dd>${text}</dd></div>
`,
  )}</dl>
`;
}
