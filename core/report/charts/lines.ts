import { loss } from '../text/format.ts';
import { type Html, html } from '../text/html.ts';
import { chartFrame, marker, type Shape, xAxis, yAxis } from './frame.ts';
import { ends, extent, linearScale, niceTicks, round, type Scale, spread } from './scale.ts';

export interface Line {
  readonly name: string;
  /** Written at the end of the line. */
  readonly shortName: string;
  readonly className: string;
  readonly shape: Shape;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

interface LineChart {
  readonly id: string;
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  /** Each with at least one point. */
  readonly lines: readonly Line[];
}

const WIDTH = 360;
const HEIGHT = 248;
const PLOT = { left: 46, right: 286, top: 48, bottom: 206 };
const MOST_MARKERS = 24;

/** Lines over a counted step. The y axis starts at 0, so that a fall looks as large as it is. */
export function lineChart({ id, title, xLabel, yLabel, lines }: LineChart): Html {
  const points = lines.flatMap((line) => line.points);
  const xTicks = niceTicks(extent(points.map((point) => point.x)), { atMost: 6, minStep: 1 });
  const yTicks = niceTicks(extent([0, ...points.map((point) => point.y)]), { atMost: 5 });
  const x = linearScale(ends(xTicks), [PLOT.left, PLOT.right]);
  const y = linearScale(ends(yTicks), [PLOT.bottom, PLOT.top]);
  const body = html`${legend(lines)}
<text class="muted label" x="4" y="${PLOT.top - 12}">${yLabel}</text>
${yAxis({ scale: y, ticks: yTicks, left: PLOT.left, right: PLOT.right })}
${xAxis({ scale: x, ticks: xTicks, top: PLOT.top, bottom: PLOT.bottom })}
<text class="muted label" x="${(PLOT.left + PLOT.right) / 2}" y="${PLOT.bottom + 32}" text-anchor="middle">${xLabel}</text>
${lines.map((line) => drawLine(line, x, y))}
${endLabels(lines, x, y)}`;
  const description = lines.map(describe);
  return chartFrame({ id, title, description, width: WIDTH, height: HEIGHT, body });
}

function describe({ name, points }: Line): string {
  const [first, last] = [points[0]!, points.at(-1)!];
  return `${name}: ${loss(first.y)} at ${first.x}, ${loss(last.y)} at ${last.x}. `;
}

function legend(lines: readonly Line[]): Html {
  const entries = lines.map((line, index) => {
    const left = 10 + index * 130;
    return html`<line class="line ${line.className}" x1="${left}" x2="${left + 26}" y1="12" y2="12"/>
${marker({ shape: line.shape, x: left + 13, y: 12, className: `dot ${line.className}` })}
<text class="label" x="${left + 33}" y="16">${line.name}</text>`;
  });
  return html`<g>${entries}</g>`;
}

function drawLine(line: Line, x: Scale, y: Scale): Html {
  const path = line.points.map((point) => `${x(point.x)},${y(point.y)}`).join(' ');
  const marked = line.points.length <= MOST_MARKERS ? line.points : [line.points.at(-1)!];
  const dots = marked.map((point) =>
    marker({
      shape: line.shape,
      x: x(point.x),
      y: y(point.y),
      className: `dot ${line.className}`,
      tooltip: `${line.name} at ${point.x}: ${loss(point.y)}`,
    }),
  );
  return html`<polyline class="line ${line.className}" points="${path}"/>${dots}`;
}

function endLabels(lines: readonly Line[], x: Scale, y: Scale): Html {
  const lasts = lines.map((line) => line.points.at(-1)!);
  const positions = spread(
    lasts.map((point) => y(point.y)),
    13,
  );
  const labels = lines.map(
    (line, index) =>
      html`<text class="label ink-${line.className}" x="${round(x(lasts[index]!.x) + 9)}" y="${round(positions[index]! + 4)}">${line.shortName}</text>`,
  );
  return html`<g>${labels}</g>`;
}
