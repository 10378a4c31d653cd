import type { AuditReport, FeatureAudit } from '../../fairness/types.ts';
import type { SweptGroup } from '../facts/score-curves.ts';
import type { Language } from '../language/language.ts';
import { paragraph, type Section } from '../page/layout.ts';
import { type Column, table } from '../page/table.ts';
import { type Html, html } from '../text/html.ts';
import { nameHtml } from '../text/names.ts';

/**
 * Rates and gaps at a threshold that the reader moves with a slider. The tables hold the counts of the sweep, and
 * without a script they show the figures at the threshold of the report.
 *
 * @returns null where there are no sweeps
 */
export function explorerSection(
  { thresholds, threshold, features }: AuditReport,
  language: Language,
): Section | null {
  const swept = features.filter(({ groups }) => groups.length > 0 && groups.every(({ sweep }) => sweep));
  const at = thresholds.indexOf(threshold ?? Number.NaN);
  if (swept.length === 0 || at < 0) return null;
  const { t } = language;
  const texts = thresholds.map(language.threshold);
  const slider = html`<p class="slider" hidden><label for="explorer-slider">${t.explorer.label}</label>
<input id="explorer-slider" type="range" min="0" max="${thresholds.length - 1}" step="1" value="${at}" aria-valuetext="${texts[at]!}">
<output for="explorer-slider">${texts[at]!}</output> <span class="muted">(${t.explorer.chosen}: ${texts[at]!})</span></p>
<p class="muted without-script">${t.explorer.at(texts[at]!)}. ${t.explorer.needsScript}</p>`;
  const tables = swept.map((feature) => explorerTable(feature, at, language));
  return {
    id: 'thresholds',
    title: t.explorer.title,
    body: html`${paragraph(t.explorer.lead)}
<div id="explorer" data-thresholds="${JSON.stringify(texts)}" data-undefined="${t.notDefined}">
${slider}
<div class="tables">${tables}</div>
</div>`,
  };
}

const COLUMNS = ['selectionRate', 'truePositiveRate', 'falsePositiveRate'] as const;

function explorerTable({ sensitiveFeature, groups }: FeatureAudit, at: number, language: Language): Html {
  const { t, rate } = language;
  const columns: Column[] = [
    { title: t.groupsSection.group },
    ...COLUMNS.map((name) => ({ title: t.groupsSection.columns[name], isNumeric: true })),
  ];
  const swept = groups as readonly SweptGroup[];
  const figures = swept.map((group) => ratesAt(group, at));
  const rows = swept.map(
    (group, index) =>
      html`<tr data-tp="${group.sweep.truePositives.join(' ')}" data-fp="${group.sweep.falsePositives.join(' ')}" data-positives="${group.positives}" data-negatives="${group.negatives}"><th scope="row">${nameHtml(group.group, language)}</th>${cells(figures[index]!, rate)}</tr>
`,
  );
  const gaps = COLUMNS.map((_, column) => gapOf(figures.map((each) => each[column]!)));
  const last = html`<tr class="gap"><th scope="row">${t.explorer.gap}</th>${cells(gaps, rate)}</tr>
`;
  return table({ caption: t.explorer.caption(sensitiveFeature), columns, rows: [...rows, last] });
}

function cells(values: readonly (number | null)[], rate: Language['rate']): Html {
  return html`${values.map((value) => html`<td class="number">${rate(value)}</td>`)}`;
}

function ratesAt({ sweep, positives, negatives }: SweptGroup, at: number): (number | null)[] {
  const [tp, fp] = [sweep.truePositives[at]!, sweep.falsePositives[at]!];
  const shares = [
    [tp + fp, positives + negatives],
    [tp, positives],
    [fp, negatives],
  ] as const;
  return shares.map(([part, whole]) => (whole === 0 ? null : part / whole));
}

/** Over every group, so not defined as soon as one group lacks the rate. */
function gapOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length < values.length || known.length < 2 ? null : Math.max(...known) - Math.min(...known);
}

/** Runs in the page; as `ratesAt`, `gapOf` and `rate` do here. */
export const EXPLORER_SCRIPT: Html = html`
(() => {
  const root = document.getElementById('explorer');
  const slider = root.querySelector('input');
  const output = root.querySelector('output');
  const texts = JSON.parse(root.dataset.thresholds);
  const rate = (value) => {
    if (value === null) return root.dataset.undefined;
    if (value > 0 && value < 0.0005) return '<0.001';
    if (value >= 0.9995 && value < 1) return '>0.999';
    return value.toFixed(3);
  };
  const share = (part, whole) => (whole === 0 ? null : part / whole);
  const ratesOf = ({ dataset }, at) => {
    const tp = Number(dataset.tp.split(' ')[at]);
    const fp = Number(dataset.fp.split(' ')[at]);
    const positives = Number(dataset.positives);
    const negatives = Number(dataset.negatives);
    return [share(tp + fp, positives + negatives), share(tp, positives), share(fp, negatives)];
  };
  const gap = (values) =>
    values.length < 2 || values.includes(null) ? null : Math.max(...values) - Math.min(...values);
  const write = (row, values) => {
    values.forEach((value, column) => {
      row.cells[column + 1].textContent = rate(value);
    });
  };
  const show = () => {
    const at = Number(slider.value);
    output.textContent = texts[at];
    slider.setAttribute('aria-valuetext', texts[at]);
    for (const table of root.querySelectorAll('table')) {
      const rows = [...table.querySelectorAll('tr[data-tp]')];
      const rates = rows.map((row) => ratesOf(row, at));
      rows.forEach((row, index) => write(row, rates[index]));
      write(table.querySelector('tr.gap'), [0, 1, 2].map((column) => gap(rates.map((each) => each[column]))));
    }
  };
  root.querySelector('.slider').hidden = false;
  root.querySelector('.without-script').hidden = true;
  slider.addEventListener('input', show);
  show();
})();
`;
