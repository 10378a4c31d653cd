import type { LayerProbe, ProbeFigure, ProbeResult, Probes } from '../../jobs/explanation.ts';
import { type Line, lineChart } from '../charts/lines.ts';
import { disclosure, figure, paragraph } from '../page/layout.ts';
import { numberCell, row, table } from '../page/table.ts';
import { count, NOT_DEFINED, rate, signed } from '../text/format.ts';
import { type Html, html, NOTHING } from '../text/html.ts';
import { nameHtml } from '../text/names.ts';

const PARTS: Readonly<Record<string, string>> = {
  tune: 'the tune part',
  select: 'the select part',
  test: 'test data',
};

/** How well the sensitive feature, and the label, can be read from each layer, before and after. */
export function probesHtml(probes: Probes | null, feature: string): Html {
  if (probes === null) return paragraph('No layer of the body could be read.');
  const { layers, trainedOn, measuredOn } = probes;
  const charts = [
    probeChart({
      id: 'probe-attribute',
      title: `Reading ${feature}`,
      results: layers.map(({ attribute }) => attribute),
    }),
    probeChart({ id: 'probe-label', title: 'Reading the label', results: layers.map(({ label }) => label) }),
  ];
  const part = (name: string) => PARTS[name] ?? name;
  return html`${paragraph(changeSentence(layers, feature))}
${figure(
  charts.flatMap((chart) => (chart === null ? [] : [html`<div class="panel">${chart}</div>`])),
  html`AUC of a logistic regression on the mean and the maximum of each channel, by layer from input to features; 0.5 is chance. Trained on ${count(trainedOn.rows)} rows of ${part(trainedOn.part)}, measured on ${count(measuredOn.rows)} rows of ${part(measuredOn.part)}, one of each subject. That a feature can be read does not say that the model uses it; what can hardly be read from the features any more, a linear head cannot use much.`,
)}
${disclosure('Probes of every layer', probeTable(layers, feature))}`;
}

/** The layer in which most was lost, as the shortest answer. */
function changeSentence(layers: readonly LayerProbe[], feature: string): string {
  const { attribute, label, layer } = layers.at(-1)!;
  if (attribute.before === null) return `${feature} could not be probed: a group is absent from the rows.`;
  const says = (what: string, { before, after, change }: ProbeResult) =>
    after === null || before === null || change === null
      ? `${what} can be read with AUC ${rate(before?.auc ?? null)}`
      : `${what} could be read with AUC ${rate(before.auc)} before and ${rate(after.auc)} after (change ${signed(change.value)}, ${signed(change.low)} to ${signed(change.high)})`;
  return `From what the head reads (${layer}), ${says(feature, attribute)}; ${says('the label', label)}.`;
}

interface ProbeChart {
  readonly id: string;
  readonly title: string;
  /** By layer. */
  readonly results: readonly ProbeResult[];
}

function probeChart({ id, title, results }: ProbeChart): Html | null {
  const line = (when: 'before' | 'after', shape: Line['shape']): Line => ({
    name: when,
    shortName: when,
    className: when,
    shape,
    points: results.flatMap((result, place) => {
      const figureOf = result[when];
      return figureOf === null ? [] : [{ x: place + 1, y: figureOf.auc }];
    }),
  });
  const lines = [line('before', 'square'), line('after', 'circle')].filter(({ points }) => points.length > 0);
  if (lines.length === 0) return null;
  const chart = lineChart({ id, title, xLabel: 'Layer', yLabel: 'AUC', lines });
  return html`<p class="panel-title">${title}</p>${chart}`;
}

function probeTable(layers: readonly LayerProbe[], feature: string): Html {
  const columns = [
    { title: 'Layer' },
    { title: html`${nameHtml(feature)} before`, isNumeric: true },
    { title: 'After', isNumeric: true },
    { title: 'Change', isNumeric: true },
    { title: 'Permuted groups', isNumeric: true },
    { title: 'Label before', isNumeric: true },
    { title: 'After', isNumeric: true },
    { title: 'Change', isNumeric: true },
  ];
  const rows = layers.map(({ layer, width, attribute, control, memorised, label }, place) =>
    row(html`${place + 1}. ${nameHtml(layer)}<small>${count(width)} numbers</small>`, [
      figureCell(attribute.before),
      figureCell(attribute.after),
      changeCell(attribute),
      numberCell(rate(control.before?.auc ?? null), `by heart ${rate(memorised.before)}`),
      figureCell(label.before),
      figureCell(label.after),
      changeCell(label),
    ]),
  );
  const caption = 'AUC of probes with 95 % intervals';
  return html`${table({ caption, columns, rows })}${paragraph(
    'Permuted groups: the same probe on groups drawn at random, which nothing can tell (about 0.5, or rows depend on each other), and how well it repeats the draw that it was trained on.',
  )}`;
}

function figureCell(figureOf: ProbeFigure | null): Html {
  if (figureOf === null) return numberCell(NOT_DEFINED);
  return numberCell(rate(figureOf.auc), `${rate(figureOf.low)} to ${rate(figureOf.high)}`);
}

function changeCell({ change }: ProbeResult): Html {
  if (change === null) return numberCell(NOTHING);
  return numberCell(signed(change.value), `${signed(change.low)} to ${signed(change.high)}`);
}
