import { type Html, html, NOTHING } from '../text/html.ts';
import { fitText } from '../text/text-fit.ts';
import { chartFrame, marker, xAxis, yAxis } from './frame.ts';
import { ends, linearScale, round, type Scale, type Ticks } from './scale.ts';

/** Lines that a picture can hold and still be read: as many as there are strokes in the style sheet. */
export const MOST_CURVES = 6;

export interface Curve {
  readonly name: string;
  /** In order of x. A null breaks the line. */
  readonly points: readonly ({ readonly x: number; readonly y: number } | null)[];
  /** A place on the line that carries a mark. */
  readonly mark?: { readonly x: number; readonly y: number };
}

interface CurveChart {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly xTicks: Ticks;
  readonly yTicks: Ticks;
  /** At most `MOST_CURVES`. */
  readonly curves: readonly Curve[];
  /** Draws the line y = x. */
  readonly hasDiagonal?: boolean;
  /** Marks every point. */
  readonly hasDots?: boolean;
  /** Height of the plot; as high as it is wide where not given. */
  readonly height?: number;
}

const WIDTH = 360;
const LEFT = 46;
const RIGHT = 340;
const LEGEND_ROW = 18;
const NAME_ROOM = 12;

/** Lines of several groups over shared axes; one alone is named by the title. Each has a dash pattern of its own, so colour only repeats it. */
export function curveChart(chart: CurveChart): Html {
  const { xTicks, yTicks, curves, xLabel, yLabel, height = RIGHT - LEFT } = chart;
  const isAlone = curves.length === 1;
  const top = (isAlone ? 0 : Math.ceil(curves.length / 2) * LEGEND_ROW) + 30;
  const bottom = top + height;
  const x = linearScale(ends(xTicks), [LEFT, RIGHT]);
  const y = linearScale(ends(yTicks), [bottom, top]);
  const body = html`${isAlone ? NOTHING : legend(curves)}
<text class="muted label" x="4" y="${top - 12}">${yLabel}</text>
${yAxis({ scale: y, ticks: yTicks, left: LEFT, right: RIGHT })}
${xAxis({ scale: x, ticks: xTicks, top, bottom })}
<text class="muted label" x="${(LEFT + RIGHT) / 2}" y="${bottom + 32}" text-anchor="middle">${xLabel}</text>
${chart.hasDiagonal ? html`<line class="diagonal" x1="${LEFT}" y1="${bottom}" x2="${RIGHT}" y2="${top}"/>` : NOTHING}
${curves.map((curve, index) => drawCurve(curve, index, { x, y, hasDots: chart.hasDots ?? false }))}`;
  const { id, title, description } = chart;
  return chartFrame({ id, title, description, width: WIDTH, height: bottom + 42, body });
}

function legend(curves: readonly Curve[]): Html {
  const entries = curves.map(({ name }, index) => {
    const left = 8 + (index % 2) * 178;
    const y = 12 + Math.floor(index / 2) * LEGEND_ROW;
    return html`<line class="curve curve-${index + 1}" x1="${left}" x2="${left + 28}" y1="${y}" y2="${y}"/><text class="label" x="${left + 35}" y="${y + 4}">${fitText(name, NAME_ROOM)}</text>`;
  });
  return html`<g>${entries}</g>`;
}

interface Drawing {
  readonly x: Scale;
  readonly y: Scale;
  readonly hasDots: boolean;
}

function drawCurve({ points, mark }: Curve, index: number, { x, y, hasDots }: Drawing): Html {
  const className = `curve curve-${index + 1}`;
  const pieces = piecesOf(points);
  const lines = pieces.map(
    (piece) =>
      html`<polyline class="${className}" points="${piece.map((point) => `${round(x(point.x))},${round(y(point.y))}`).join(' ')}"/>`,
  );
  const dots = hasDots || pieces.some((piece) => piece.length === 1) ? pieces.flat() : [];
  const dot = (at: { x: number; y: number }, radius: number) =>
    marker({ shape: 'circle', x: x(at.x), y: y(at.y), className: `dot dot-${index + 1}`, radius });
  return html`${lines}${dots.map((point) => dot(point, 3))}${mark === undefined ? NOTHING : dot(mark, 5)}`;
}

/** Runs of points without a null between them. */
function piecesOf(points: Curve['points']): { x: number; y: number }[][] {
  const pieces: { x: number; y: number }[][] = [[]];
  for (const point of points) {
    if (point === null) pieces.push([]);
    else pieces.at(-1)!.push(point);
  }
  return pieces.filter((piece) => piece.length > 0);
}
