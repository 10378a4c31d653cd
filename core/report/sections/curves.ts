import type { CurvePoint, RunRecord } from '../../jobs/run-record.ts';
import { type Line, lineChart } from '../charts/lines.ts';
import { hasSelection } from '../facts/selection.ts';
import { disclosure, figure, paragraph, type Section } from '../page/layout.ts';
import { numberCell, numberedRow, table } from '../page/table.ts';
import { loss, plural } from '../text/format.ts';
import { type Html, html } from '../text/html.ts';

interface Stage {
  readonly id: string;
  readonly title: string;
  /** What the curve counts: epoch or solver step. */
  readonly unit: string;
  readonly points: readonly CurvePoint[];
}

const MOST_ROWS = 30;

/**
 * Losses of both stages, as pictures with their figures under them. A run that selects solves the head to
 * convergence, step by step; one with fixed settings trains it by epochs.
 */
export function curvesSection({ curves, data, candidates }: RunRecord): Section {
  const stages: readonly Stage[] = [
    { id: 'curve-body', title: 'Stage 1, body', unit: 'epoch', points: curves.body },
    {
      id: 'curve-head',
      title: 'Stage 2, head',
      unit: hasSelection(data) ? 'solver step' : 'epoch',
      points: curves.head,
    },
  ];
  const whose = candidates.some(({ isChosen }) => isChosen) ? ' of the chosen candidate' : '';
  return {
    id: 'curves',
    title: 'Training curves',
    body: html`${paragraph(`Losses${whose} on the data it was tuned on. They show whether training settled, not how the model does on other data.`)}
${figure(stages.map(panel), 'Losses have no unit. Solid line with circles: task loss. Dashed line with squares: disparity loss.')}
${stages.map(stageTable)}`,
  };
}

function panel(stage: Stage): Html {
  const { title, points } = stage;
  const picture = points.length === 0 ? paragraph('No step is recorded for this stage.') : stageChart(stage);
  return html`<div class="panel"><p class="panel-title">${title}</p>${picture}</div>`;
}

function stageChart({ id, title, unit, points }: Stage): Html {
  const lines: readonly Line[] = [
    {
      name: 'task loss',
      shortName: 'task',
      className: 'task',
      shape: 'circle',
      points: points.map(({ step, taskLoss }) => ({ x: step, y: taskLoss })),
    },
    {
      name: 'disparity loss',
      shortName: 'disparity',
      className: 'disparity',
      shape: 'square',
      points: points.map(({ step, disparityLoss }) => ({ x: step, y: disparityLoss })),
    },
  ];
  return lineChart({ id, title: `${title}: losses by ${unit}`, xLabel: unit, yLabel: 'loss', lines });
}

function stageTable({ title, unit, points }: Stage): Html {
  if (points.length === 0) return html``;
  const shown = thin(points);
  const thinned = shown.length === points.length ? '' : `, ${shown.length} of ${points.length}`;
  const columns = [
    { title: unit.charAt(0).toUpperCase() + unit.slice(1) },
    { title: 'Loss', isNumeric: true },
    { title: 'Task loss', isNumeric: true },
    { title: 'Disparity loss', isNumeric: true },
  ];
  const rows = shown.map(({ step, loss: total, taskLoss, disparityLoss }) =>
    numberedRow(
      step,
      [total, taskLoss, disparityLoss].map((value) => numberCell(loss(value))),
    ),
  );
  return disclosure(
    `${title}: figures of ${plural(points.length, unit)}`,
    table({ caption: `${title}: losses by ${unit}${thinned}`, columns, rows }),
  );
}

/** At most about `MOST_ROWS` points at equal distance, the last one always among them. */
function thin(points: readonly CurvePoint[]): readonly CurvePoint[] {
  const stride = Math.ceil(points.length / MOST_ROWS);
  return points.filter((_, index) => index % stride === 0 || index === points.length - 1);
}
