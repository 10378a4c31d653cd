import { ENGLISH, type Language } from '../language/language.ts';
import { type Html, html, NOTHING } from '../text/html.ts';
import { visibleName } from '../text/names.ts';
import { fitText, textWidth } from '../text/text-fit.ts';
import { chartFrame, marker, xAxis } from './frame.ts';
import { linearScale } from './scale.ts';

export interface DumbbellRow {
  readonly group: string;
  /** What the rate divides by, e.g. `41 positives`. */
  readonly support: string;
  readonly before: number | null;
  /** Absent where only one audit exists. */
  readonly after?: number | null;
}

interface DumbbellChart {
  readonly id: string;
  readonly title: string;
  readonly rows: readonly DumbbellRow[];
  /** True when rows have an `after`. */
  readonly isComparison: boolean;
  readonly language?: Language;
  /** What squares and circles of a comparison are; before and after where not given. */
  readonly words?: readonly [square: string, circle: string];
}

const WIDTH = 360;
const LEFT = 12;
const RIGHT = WIDTH - 12;
/** Room for the legend of a comparison. */
const LEGEND_HEIGHT = 28;
const PADDING = 4;
const ROW_HEIGHT = 40;
const FONT_SIZE = 11;
const TICKS = { values: [0, 0.25, 0.5, 0.75, 1], decimals: 2 };

/** Position of a rate in [0, 1] on the shared axis. */
export const dumbbellScale = linearScale([0, 1], [LEFT, RIGHT]);

/**
 * One row per group: name and support, the figures, and a track from 0 to 1 with the rate before (hollow
 * square) and after (filled circle). A group without the rate keeps its row, with an empty dashed track.
 */
export function dumbbellChart({
  id,
  title,
  rows,
  isComparison,
  language = ENGLISH,
  words = ['before', 'after'],
}: DumbbellChart): Html {
  const top = isComparison ? LEGEND_HEIGHT : PADDING;
  const bottom = top + rows.length * ROW_HEIGHT;
  const body = html`${isComparison ? legend(words) : NOTHING}
${xAxis({ scale: dumbbellScale, ticks: TICKS, top, bottom })}
${rows.map((row, index) => rowMarks(row, top + index * ROW_HEIGHT, language))}`;
  const description = rows.map(
    (row) => `${visibleName(row.group, language)}, ${row.support}: ${figures(row, language)}. `,
  );
  return chartFrame({ id, title, description, width: WIDTH, height: bottom + 22, body });
}

function legend([square, circle]: readonly [string, string]): Html {
  const second = Math.max(76, Math.round(32 + textWidth(square) * FONT_SIZE));
  return html`<g>${marker(squareAt(LEFT + 6, 12))}
<text class="label" x="${LEFT + 16}" y="16">${square}</text>
${marker(circleAt(LEFT + second, 12))}
<text class="label" x="${LEFT + second + 10}" y="16">${circle}</text></g>`;
}

function figures({ before, after }: DumbbellRow, { rate, t }: Language): string {
  if (after === undefined) return rate(before);
  return before === null && after === null ? t.notDefined : `${rate(before)} \u2192 ${rate(after)}`;
}

function rowMarks(row: DumbbellRow, top: number, language: Language): Html {
  const shown = figures(row, language);
  const name = fitText(visibleName(row.group, language), nameRoom(row.support, shown));
  return html`<g><text class="label" x="${LEFT}" y="${top + 14}"><tspan class="name">${name}</tspan><tspan class="muted">, ${row.support}</tspan></text>
<text class="label strong" x="${RIGHT}" y="${top + 14}" text-anchor="end">${shown}</text>
${track(row, top + 27)}</g>`;
}

/** Room in em that support and figures leave for the name on a row. */
function nameRoom(support: string, shown: string): number {
  return (RIGHT - LEFT) / FONT_SIZE - textWidth(`,  ${support}`) - textWidth(`${shown}  `);
}

/** The square is wider than the circle and drawn first, so that both stay visible where nothing moved. */
function track({ before, after }: DumbbellRow, y: number): Html {
  const first = before === null ? undefined : dumbbellScale(before);
  const second = typeof after === 'number' ? dumbbellScale(after) : undefined;
  const isEmpty = first === undefined && second === undefined;
  const hasMoved = first !== undefined && second !== undefined;
  return html`<line class="${isEmpty ? 'track empty' : 'track'}" x1="${LEFT}" x2="${RIGHT}" y1="${y}" y2="${y}"/>
${hasMoved ? html`<line class="move" x1="${first}" x2="${second}" y1="${y}" y2="${y}"/>` : NOTHING}
${first === undefined ? NOTHING : marker(after === undefined ? circleAt(first, y) : squareAt(first, y))}
${second === undefined ? NOTHING : marker(circleAt(second, y))}`;
}

function squareAt(x: number, y: number) {
  return { shape: 'square', x, y, className: 'before hollow', radius: 6 } as const;
}

function circleAt(x: number, y: number) {
  return { shape: 'circle', x, y, className: 'after', radius: 4.5 } as const;
}
