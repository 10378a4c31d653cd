import { type Content, type Html, html } from '../text/html.ts';
import { round, type Scale, type Ticks } from './scale.ts';

interface Frame {
  /** Unique in the document. */
  readonly id: string;
  readonly title: string;
  /** What the picture shows, for a reader who cannot see it. */
  readonly description: Content;
  readonly width: number;
  readonly height: number;
  readonly body: Content;
}

/** An inline SVG that names and describes itself; CSS scales it to the page. */
export function chartFrame({ id, title, description, width, height, body }: Frame): Html {
  return html`<svg class="chart" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${id}-title ${id}-desc" style="--width:${width}px">
<title id="${id}-title">${title}</title><desc id="${id}-desc">${description}</desc>
${body}</svg>`;
}

interface XAxis {
  readonly scale: Scale;
  readonly ticks: Ticks;
  /** Vertical reach of the grid lines; labels stand below `bottom`. */
  readonly top: number;
  readonly bottom: number;
}

export function xAxis({ scale, ticks, top, bottom }: XAxis): Html {
  const marks = ticks.values.map((value) => {
    const x = scale(value);
    return html`<line class="grid" x1="${x}" x2="${x}" y1="${top}" y2="${bottom}"/>
<text class="tick" x="${x}" y="${bottom + 14}" text-anchor="${anchorOf(value, ticks)}">${tickText(value, ticks)}</text>`;
  });
  return html`<g>${marks}</g>`;
}

const MINUS = '\u2212';

function tickText(value: number, { decimals, label }: Ticks): string {
  return label === undefined ? value.toFixed(decimals).replace('-', MINUS) : label(value);
}

/** Long labels at the ends stay inside the picture. */
function anchorOf(value: number, { values, label }: Ticks): 'start' | 'middle' | 'end' {
  if (label === undefined || values.length < 2) return 'middle';
  if (value === values[0]) return 'start';
  return value === values.at(-1) ? 'end' : 'middle';
}

interface YAxis {
  readonly scale: Scale;
  readonly ticks: Ticks;
  /** Horizontal reach of the grid lines; labels stand left of `left`. */
  readonly left: number;
  readonly right: number;
}

export function yAxis({ scale, ticks, left, right }: YAxis): Html {
  const marks = ticks.values.map((value) => {
    const y = scale(value);
    return html`<line class="grid" x1="${left}" x2="${right}" y1="${y}" y2="${y}"/>
<text class="tick" x="${left - 6}" y="${round(y + 4)}" text-anchor="end">${tickText(value, ticks)}</text>`;
  });
  return html`<g>${marks}</g>`;
}

export type Shape = 'circle' | 'square' | 'diamond';

interface Marker {
  readonly shape: Shape;
  readonly x: number;
  readonly y: number;
  /** Colour class of the mark plus `hollow` where it is not filled. */
  readonly className: string;
  readonly tooltip?: Content;
  /** Half its width; 5 where not given. */
  readonly radius?: number;
}

/** A mark whose shape carries the meaning; its tooltip is plain SVG, without a script. */
export function marker({ shape, x, y, className, tooltip, radius = 5 }: Marker): Html {
  const title = tooltip === undefined ? html`` : html`<title>${tooltip}</title>`;
  if (shape === 'circle')
    return html`<circle class="${className}" cx="${x}" cy="${y}" r="${radius}">${title}</circle>`;
  if (shape === 'square')
    return html`<rect class="${className}" x="${round(x - radius)}" y="${round(y - radius)}" width="${2 * radius}" height="${2 * radius}">${title}</rect>`;
  const half = round(radius * 1.3);
  return html`<path class="${className}" d="M${x},${round(y - half)}l${half},${half}l${-half},${half}l${-half},${-half}z">${title}</path>`;
}
