import type { CandidateRecord } from '../../jobs/run-record.ts';
import { rate } from '../text/format.ts';
import { type Html, html, NOTHING } from '../text/html.ts';
import { CANDIDATE_WORDS } from '../text/words.ts';
import { chartFrame, marker, type Shape, xAxis, yAxis } from './frame.ts';
import { placeLabel } from './place-label.ts';
import { ends, extent, linearScale, niceTicks, round, type Scale } from './scale.ts';

/** A candidate with both figures. */
export interface FrontierPoint {
  /** Its number in the table under the picture. */
  readonly number: number;
  readonly kind: CandidateRecord['kind'];
  readonly auc: number;
  readonly disparity: number;
  readonly isFeasible: boolean;
  readonly isChosen: boolean;
  /** Drawn by a search beyond the preset's grid: a smaller mark. */
  readonly isDrawn?: boolean;
  /** Shown as a cross behind the mark. */
  readonly intervals?: { readonly auc: Bounds; readonly disparity: Bounds };
}

interface Bounds {
  readonly low: number;
  readonly high: number;
}

interface FrontierChart {
  readonly id: string;
  readonly title: string;
  readonly yLabel: string;
  /** At least one. */
  readonly points: readonly FrontierPoint[];
}

const WIDTH = 360;
const HEIGHT = 348;
const PLOT = { left: 46, right: 346, top: 72, bottom: 304 };
const DRAWN_RADIUS = 3;
const SHAPES = { bmft: 'circle', control: 'square', original: 'diamond' } satisfies Record<string, Shape>;

/** Disparity (y, from 0) against AUC (x, cut to the values) on the select part. */
export function frontierChart({ id, title, yLabel, points }: FrontierChart): Html {
  const xTicks = niceTicks(
    extent(
      points.flatMap(({ auc, intervals }) => [auc, ...endsOf(intervals?.auc)]),
      0.05,
    ),
    { atMost: 6 },
  );
  const yTicks = niceTicks(
    extent([
      0,
      ...points.flatMap(({ disparity, intervals }) => [disparity, ...endsOf(intervals?.disparity)]),
    ]),
    { atMost: 5 },
  );
  const x = linearScale(ends(xTicks), [PLOT.left, PLOT.right]);
  const y = linearScale(ends(yTicks), [PLOT.bottom, PLOT.top]);
  const body = html`${legend(points)}
<text class="muted label" x="4" y="${PLOT.top - 12}">${yLabel}</text>
${yAxis({ scale: y, ticks: yTicks, left: PLOT.left, right: PLOT.right })}
${xAxis({ scale: x, ticks: xTicks, top: PLOT.top, bottom: PLOT.bottom })}
<text class="muted label" x="${(PLOT.left + PLOT.right) / 2}" y="${PLOT.bottom + 32}" text-anchor="middle">AUC on the select part</text>
${points.map((point) => drawIntervals(point, x, y))}
${drawingOrder(points).map((point) => drawPoint(point, x, y))}
${pointLabels(points, x, y)}`;
  const description = points.map((point) => `${describe(point)}. `);
  return chartFrame({ id, title, description, width: WIDTH, height: HEIGHT, body });
}

const endsOf = (bounds: Bounds | undefined): number[] => (bounds ? [bounds.low, bounds.high] : []);

function drawIntervals({ auc, disparity, intervals }: FrontierPoint, x: Scale, y: Scale): Html {
  if (intervals === undefined) return NOTHING;
  const across = `M${x(intervals.auc.low)},${y(disparity)}H${x(intervals.auc.high)}`;
  const along = `M${x(auc)},${y(intervals.disparity.low)}V${y(intervals.disparity.high)}`;
  return html`<path class="interval" d="${across}${along}"/>`;
}

function legend(points: readonly FrontierPoint[]): Html {
  const shapes = (['bmft', 'control', 'original'] as const).map((kind, index) => {
    const left = 10 + index * 90;
    return html`${marker({ shape: SHAPES[kind], x: left + 5, y: 12, className: `point ${kind}` })}
<text class="label" x="${left + 15}" y="16">${CANDIDATE_WORDS[kind]}</text>`;
  });
  const drawn = points.some(({ isDrawn }) => isDrawn)
    ? html`${marker({ shape: 'circle', x: 305, y: 12, className: 'point bmft', radius: DRAWN_RADIUS })}<text class="label" x="315" y="16">drawn</text>`
    : NOTHING;
  return html`<g>${shapes}${drawn}
${marker({ shape: 'circle', x: 15, y: 32, className: 'point bmft' })}<text class="label" x="25" y="36">filled: guard rails met</text>
${marker({ shape: 'circle', x: 163, y: 32, className: 'point bmft hollow' })}<text class="label" x="173" y="36">hollow: broken</text>
${marker({ shape: 'circle', x: 276, y: 32, className: 'point bmft' })}<circle class="ring" cx="276" cy="32" r="9"/><text class="label" x="290" y="36">chosen</text></g>`;
}

/** Feasible points above infeasible ones, the original above those, the chosen one on top. */
function drawingOrder(points: readonly FrontierPoint[]): FrontierPoint[] {
  const rank = (point: FrontierPoint) =>
    Number(point.isFeasible) + 2 * Number(point.kind === 'original') + 4 * Number(point.isChosen);
  return points.toSorted((a, b) => rank(a) - rank(b));
}

function describe({ number, kind, auc, disparity, isFeasible, isChosen }: FrontierPoint): string {
  const state = isFeasible ? 'guard rails met' : 'guard rails broken';
  return `${number}, ${CANDIDATE_WORDS[kind]}: disparity ${rate(disparity)}, AUC ${rate(auc)}, ${state}${isChosen ? ', chosen' : ''}`;
}

function drawPoint(point: FrontierPoint, x: Scale, y: Scale): Html {
  const position = { x: x(point.auc), y: y(point.disparity) };
  const className = `point ${point.kind}${point.isFeasible ? '' : ' hollow'}`;
  const ring = point.isChosen
    ? html`<circle class="ring" cx="${position.x}" cy="${position.y}" r="10"/>`
    : html``;
  return html`${marker({ shape: SHAPES[point.kind], ...position, className, tooltip: describe(point), ...(point.isDrawn && { radius: DRAWN_RADIUS }) })}${ring}`;
}

/** The points that the eye looks for carry their name; the others have their number in a tooltip. */
function pointLabels(points: readonly FrontierPoint[], x: Scale, y: Scale): Html[] {
  const marks = points.map((point) => ({ x: x(point.auc), y: y(point.disparity) }));
  return points.flatMap((point, index) => {
    if (!point.isChosen && point.kind !== 'original') return [];
    const text = `${point.isChosen ? 'chosen' : 'original'} (${point.number})`;
    const others = marks.filter((_, other) => other !== index);
    const place = placeLabel(text, marks[index]!, { fontSize: 11, marks: others, plot: PLOT });
    return [
      html`<text class="label strong halo" x="${round(place.x)}" y="${round(place.y)}" text-anchor="${place.anchor}">${text}</text>`,
    ];
  });
}
