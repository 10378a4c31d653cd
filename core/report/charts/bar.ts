import { type Html, html } from '../text/html.ts';
import { linearScale } from './scale.ts';

const WIDTH = 120;
const HEIGHT = 12;

/** Length of the bar of a share in [0, 1]. */
export const barScale = linearScale([0, 1], [0, WIDTH]);

/** A share as a bar inside a table cell. Its number stands in the same cell, so it is hidden from screen readers. */
export function shareBar(share: number): Html {
  return html`<svg class="bar" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" aria-hidden="true"><rect class="bar-whole" width="${WIDTH}" height="${HEIGHT}"/><rect class="bar-part" width="${barScale(share)}" height="${HEIGHT}"/></svg>`;
}
