import type { AuditReport, FeatureAudit, GroupMetrics } from '../../fairness/types.ts';
import type { Language } from '../language/language.ts';
import { paragraph, type Section } from '../page/layout.ts';
import { type Column, row, table } from '../page/table.ts';
import { shownRate, undefinedText } from '../tables/figure-cells.ts';
import { type Html, html, NOTHING } from '../text/html.ts';
import { nameHtml, nameList } from '../text/names.ts';

const FIGURES = ['selectionRate', 'truePositiveRate', 'falsePositiveRate'] as const;
type Figure = (typeof FIGURES)[number];

/** Grids of the intersections of two features: picture and table in one, a cell's shade being its rate. */
export function heatMapSection(
  { features }: Pick<AuditReport, 'features'>,
  language: Language,
): Section | null {
  const pairs = features.filter(({ attributes }) => attributes.length === 2);
  if (pairs.length === 0) return null;
  const { t } = language;
  return {
    id: 'intersections',
    title: t.heatMap.title,
    body: html`${paragraph(t.heatMap.note)}${pairs.map((feature) => heatMaps(feature, language))}`,
  };
}

interface Cell {
  readonly first: string;
  readonly second: string;
  readonly group: GroupMetrics;
}

/** Joins the names of an intersection. */
const TIMES = ' × ';

function heatMaps(feature: FeatureAudit, language: Language): Html {
  const { t } = language;
  const { sensitiveFeature, groups } = feature;
  const cells = groups.flatMap((group): Cell[] => {
    const names = group.group.split(TIMES);
    return names.length === 2 ? [{ first: names[0]!, second: names[1]!, group }] : [];
  });
  const left = groups.filter((group) => !cells.some((cell) => cell.group === group));
  const notInGrid =
    left.length === 0
      ? NOTHING
      : paragraph(
          t.heatMap.merged(
            nameList(
              left.map(({ group }) => group),
              language,
            ),
          ),
        );
  return html`<h3>${t.byFeature(nameHtml(sensitiveFeature, language))}</h3>
<div class="tables">${FIGURES.map((figure) => heatMap(figure, { feature, cells }, language))}</div>${notInGrid}`;
}

interface Grid {
  readonly feature: FeatureAudit;
  readonly cells: readonly Cell[];
}

function heatMap(figure: Figure, { feature, cells }: Grid, language: Language): Html {
  const { t } = language;
  const rows = [...new Set(cells.map(({ first }) => first))];
  const across = [...new Set(cells.map(({ second }) => second))];
  const columns: Column[] = [
    { title: nameHtml(feature.attributes[0]!, language) },
    ...across.map((name) => ({ title: nameHtml(name, language), isNumeric: true })),
  ];
  const lines = rows.map((first) =>
    row(
      nameHtml(first, language),
      across.map((second) => {
        const cell = cells.find((each) => each.first === first && each.second === second);
        return heatCell(figure, cell?.group, language);
      }),
    ),
  );
  const caption = t.heatMap.caption(t.rateNames[figure], feature.sensitiveFeature);
  return table({ caption, columns, rows: lines });
}

function heatCell(figure: Figure, group: GroupMetrics | undefined, language: Language): Html {
  const { t, rate, count } = language;
  if (group === undefined) {
    return html`<td class="number heat none"><span class="muted">${t.heatMap.noSamples}</span></td>`;
  }
  const measured = group.rates[figure];
  const value = shownRate(measured);
  if (value === null) {
    return html`<td class="number heat none">${undefinedText(language)}<small>${t.noSupport[figure]}</small></td>`;
  }
  const fraction = t.fraction(count(measured.numerator), count(measured.support));
  return html`<td class="number heat" style="--share:${Math.round(value * 1000) / 1000}">${rate(value)}<small>${fraction}</small></td>`;
}
