import { type Html, html } from '../text/html.ts';
import { chartFrame } from './frame.ts';
import { round } from './scale.ts';

interface HeatGrid {
  readonly id: string;
  readonly title: string;
  /** What the picture shows, for a reader who cannot see it. */
  readonly description: string;
  /** Rows from the top, each of one length. */
  readonly values: readonly (readonly number[])[];
  /** Size that has the full colour. */
  readonly limit: number;
}

const WIDTH = 180;

/** Values with sign as squares: one colour above 0, another below, the stronger the further from 0. */
export function heatGrid({ id, title, description, values, limit }: HeatGrid): Html {
  const side = WIDTH / Math.max(1, values[0]?.length ?? 1);
  const height = round(side * values.length);
  const cells = values.flatMap((line, y) => line.map((value, x) => cell({ value, limit, side, x, y })));
  const body = html`<rect class="bar-whole" width="${WIDTH}" height="${height}"/>${cells}`;
  return chartFrame({ id, title, description, width: WIDTH, height, body });
}

interface Cell {
  readonly value: number;
  readonly limit: number;
  readonly side: number;
  readonly x: number;
  readonly y: number;
}

function cell({ value, limit, side, x, y }: Cell): Html {
  const opacity = limit === 0 ? 0 : round(Math.min(1, Math.abs(value) / limit));
  if (opacity === 0) return html``;
  return html`<rect class="${value > 0 ? 'raises' : 'lowers'}" x="${round(x * side)}" y="${round(y * side)}" width="${round(side)}" height="${round(side)}" fill-opacity="${opacity}"/>`;
}
