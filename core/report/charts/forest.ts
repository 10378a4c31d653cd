import { type Html, html, NOTHING } from '../text/html.ts';
import { fitText, textWidth } from '../text/text-fit.ts';
import { chartFrame, marker, xAxis } from './frame.ts';
import { ends, linearScale, niceTicks, type Scale, type Ticks } from './scale.ts';

/** A difference from the reference, with what is written beside its name. */
export interface ForestRow {
  readonly name: string;
  readonly figures: string;
  readonly value: number | null;
  readonly interval: { readonly low: number; readonly high: number } | null;
}

interface ForestChart {
  readonly id: string;
  readonly title: string;
  readonly rows: readonly ForestRow[];
  readonly ticks: Ticks;
}

const WIDTH = 360;
const LEFT = 12;
const RIGHT = WIDTH - 12;
const ROW_HEIGHT = 40;
const PADDING = 4;
const FONT_SIZE = 11;

/** Ticks that hold every end of every row, as far to the left of 0 as to the right, so that panels can be compared. */
export function forestTicks(rows: readonly ForestRow[]): Ticks {
  const sizes = rows.flatMap(({ value, interval }) =>
    value === null ? [] : [value, interval?.low ?? 0, interval?.high ?? 0].map(Math.abs),
  );
  const reach = Math.max(0.01, ...sizes);
  const half = niceTicks([0, reach], { atMost: 2 });
  const mirrored = half.values.slice(1).map((value) => -value);
  return { ...half, values: [...mirrored.reverse(), ...half.values] };
}

/** One row per group: name, figures, and the difference as a square with its interval as a bar. */
export function forestChart({ id, title, rows, ticks }: ForestChart): Html {
  const scale = linearScale(ends(ticks), [LEFT + 14, RIGHT - 14]);
  const bottom = PADDING + rows.length * ROW_HEIGHT;
  const body = html`${xAxis({ scale, ticks, top: PADDING, bottom })}
<line class="zero" x1="${scale(0)}" x2="${scale(0)}" y1="${PADDING}" y2="${bottom}"/>
${rows.map((row, index) => rowMarks(row, PADDING + index * ROW_HEIGHT, scale))}`;
  const description = rows.map(({ name, figures }) => `${name}: ${figures}. `);
  return chartFrame({ id, title, description, width: WIDTH, height: bottom + 22, body });
}

function rowMarks({ name, figures, value, interval }: ForestRow, top: number, scale: Scale): Html {
  const room = (RIGHT - LEFT) / FONT_SIZE - textWidth(`${figures}   `);
  const y = top + 27;
  const ends = value !== null && interval !== null ? interval : undefined;
  return html`<g><text class="label name halo" x="${LEFT}" y="${top + 14}">${fitText(name, room)}</text>
<text class="label strong halo" x="${RIGHT}" y="${top + 14}" text-anchor="end">${figures}</text>
<line class="${value === null ? 'track empty' : 'track faint'}" x1="${LEFT}" x2="${RIGHT}" y1="${y}" y2="${y}"/>
${ends === undefined ? NOTHING : html`<path class="whisker" d="M${scale(ends.low)},${y - 5}v10m0,-5H${scale(ends.high)}m0,-5v10"/>`}
${value === null ? NOTHING : marker({ shape: 'square', x: scale(value), y, className: 'after', radius: 4 })}</g>`;
}
