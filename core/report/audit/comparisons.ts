import type { AuditReport, FeatureAudit, GroupComparison } from '../../fairness/types.ts';
import { type ForestRow, forestChart, forestTicks } from '../charts/forest.ts';
import { largestGroups } from '../facts/score-curves.ts';
import type { Language } from '../language/language.ts';
import { disclosure, figure, paragraph, type Section } from '../page/layout.ts';
import { type Column, numberCell, table } from '../page/table.ts';
import { rangeText, statisticCell, undefinedText } from '../tables/figure-cells.ts';
import { type Html, html, NOTHING } from '../text/html.ts';
import { nameHtml, visibleName } from '../text/names.ts';

/** Shown as pictures and first in the table. */
const MAIN = ['selectionRate', 'truePositiveRate', 'falsePositiveRate', 'auc'] as const;
const MOST_ROWS = 12;

/** Every group against the reference group: forest plots of the main figures, and all figures in tables. */
export function comparisonsSection(
  { features }: Pick<AuditReport, 'features'>,
  language: Language,
): Section | null {
  const compared = features.filter(({ comparisons }) => comparisons.length > 0);
  if (compared.length === 0) return null;
  return {
    id: 'comparisons',
    title: language.t.comparisons.title,
    body: html`${compared.map((feature) => comparisonsOf(feature, features.indexOf(feature), language))}`,
  };
}

function comparisonsOf(feature: FeatureAudit, index: number, language: Language): Html {
  const { t } = language;
  const { sensitiveFeature, reference, comparisons } = feature;
  const main = comparisons.filter(({ rate }) => isMain(rate));
  const others = comparisons.filter(({ rate }) => !isMain(rate));
  const lead =
    reference === null
      ? NOTHING
      : paragraph(
          t.comparisons.reference(nameHtml(reference.group, language), t.comparisons.rules[reference.rule]),
        );
  return html`<h3>${t.byFeature(nameHtml(sensitiveFeature, language))}</h3>
${lead}${forestFigure(feature, index, language)}
${comparisonTable(t.comparisons.caption(sensitiveFeature), main, language)}
${disclosure(
  t.comparisons.more(others.length),
  comparisonTable(t.comparisons.moreCaption(sensitiveFeature), others, language),
)}`;
}

function isMain(rate: GroupComparison['rate']): rate is (typeof MAIN)[number] {
  return (MAIN as readonly string[]).includes(rate);
}

function forestFigure(feature: FeatureAudit, index: number, language: Language): Html {
  const { t } = language;
  const compared = feature.groups.filter(({ group }) => group !== feature.reference?.group);
  const shown = new Set(largestGroups(compared, MOST_ROWS).map(({ group }) => group));
  const panels = MAIN.map((rate) => ({
    rate,
    rows: feature.comparisons
      .filter((each) => each.rate === rate && shown.has(each.group))
      .map((each) => forestRow(each, language)),
  })).filter(({ rows }) => rows.some(({ value }) => value !== null));
  const ticks = forestTicks(panels.flatMap(({ rows }) => rows));
  const pictures = panels.map(({ rate, rows }) => {
    const title = t.comparisons.picture(t.rateNames[rate], feature.sensitiveFeature);
    const picture = forestChart({ id: `forest-${index + 1}-${rate.toLowerCase()}`, title, rows, ticks });
    return html`<div class="panel"><p class="panel-title">${t.rateNames[rate]}</p>${picture}</div>`;
  });
  const cut =
    compared.length > shown.size ? html` ${t.comparisons.onlyLargest(shown.size, compared.length)}` : NOTHING;
  return panels.length === 0
    ? NOTHING
    : html`<div class="pairs">${figure(pictures, html`${t.comparisons.note}${cut}`)}</div>`;
}

function forestRow({ group, difference }: GroupComparison, language: Language): ForestRow {
  const { t, rate, signed } = language;
  const { value, interval, test } = difference;
  const p = test === null ? '' : `, p ${rate(test.adjustedPValue)}`;
  return {
    name: visibleName(group, language),
    figures: value === null ? t.notDefined : `${signed(value)}${p}`,
    value,
    interval,
  };
}

function comparisonTable(caption: string, comparisons: readonly GroupComparison[], language: Language): Html {
  const { groupsSection, comparisons: words } = language.t;
  const columns: Column[] = [
    { title: groupsSection.group },
    { title: groupsSection.figure },
    { title: words.difference, isNumeric: true },
    { title: words.ratio, isNumeric: true },
    { title: groupsSection.adjusted, isNumeric: true },
    { title: groupsSection.detectable, isNumeric: true },
  ];
  const names = [...new Set(comparisons.map(({ group }) => group))];
  const rows = names.map((name) =>
    groupBody(
      name,
      comparisons.filter(({ group }) => group === name),
      language,
    ),
  );
  return table({ caption, columns, rows, hasBodies: true });
}

function groupBody(group: string, comparisons: readonly GroupComparison[], language: Language): Html {
  const rows = comparisons.map((each, index) => {
    const heading =
      index === 0
        ? html`<th scope="rowgroup" rowspan="${comparisons.length}">${nameHtml(group, language)}</th>`
        : NOTHING;
    return html`<tr>${heading}<th scope="row" class="model wide">${language.t.rateNames[each.rate]}</th>${figureCells(each, language)}</tr>
`;
  });
  return html`<tbody>${rows}</tbody>
`;
}

function figureCells({ difference, ratio }: GroupComparison, language: Language): Html {
  const { t, rate, signed } = language;
  const { value, interval, test, smallestDetectable } = difference;
  const none = html`<span class="muted">${t.groupsSection.noTest}</span>`;
  const cells = [
    value === null
      ? numberCell(undefinedText(language), t.sentence(difference.reason ?? t.noReason))
      : numberCell(signed(value), rangeText(interval, language)),
    statisticCell(ratio, language),
    test === null ? numberCell(none) : numberCell(rate(test.adjustedPValue), t.comparisons.tests[test.name]),
    numberCell(smallestDetectable === null ? none : rate(smallestDetectable)),
  ];
  return html`${cells}`;
}
