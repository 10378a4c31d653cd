import type { Occlusion, OcclusionGrid, OcclusionMap } from '../../jobs/explanation.ts';
import { heatGrid } from '../charts/heat-grid.ts';
import { figure, paragraph } from '../page/layout.ts';
import { plural, signed } from '../text/format.ts';
import { type Html, html } from '../text/html.ts';
import { nameHtml, visibleName } from '../text/names.ts';

/** Which places of the images move the logit, before and after, averaged over each group. */
export function occlusionHtml(occlusion: Occlusion | null): Html {
  if (occlusion === null) return paragraph('No images were covered: the model reads none.');
  const { maps, patch, logitDeviation } = occlusion;
  const scaled = maps.map((map) => ({
    map,
    before: scaleBy(map.before, logitDeviation.before),
    after: map.after && scaleBy(map.after, logitDeviation.after ?? 0),
  }));
  const limit = Math.max(0, ...scaled.flatMap(({ before, after }) => sizes(before, after)));
  return html`${scaled.map(({ map, before, after }) => paragraph(strongestSentence(map, { before, after }, occlusion)))}
<div class="pictures">${scaled.map(({ map, before, after }, place) => groupFigure({ map, before, after, place, limit }))}</div>
${paragraph(
  `A patch of ${patch.height} × ${patch.width} pixels takes the mean colour of these images; the maps show the mean change of the logit over the images of a group, in standard deviations of the model’s logits, all on one scale. Orange: what is there raises the logit. Blue: it lowers it. A mean over images shows what lies at the same place in all of them.`,
)}`;
}

function scaleBy(grid: OcclusionGrid, deviation: number): number[][] {
  return grid.map((line) => line.map((value) => (deviation === 0 ? 0 : value / deviation)));
}

function sizes(...grids: readonly (readonly (readonly number[])[] | null)[]): number[] {
  return grids.flatMap((grid) => (grid ?? []).flat().map(Math.abs));
}

interface Scaled {
  readonly before: readonly (readonly number[])[];
  readonly after: readonly (readonly number[])[] | null;
}

/** The place that mattered most before, and what became of it. */
function strongestSentence(
  { group }: OcclusionMap,
  { before, after }: Scaled,
  { tops, lefts }: Occlusion,
): Html {
  let [y, x] = [0, 0];
  before.forEach((line, row) => {
    line.forEach((value, column) => {
      if (Math.abs(value) > Math.abs(before[y]![x]!)) [y, x] = [row, column];
    });
  });
  return html`${nameHtml(group)}: the strongest place before lies ${tops[y]!} pixels from the top and ${lefts[x]!} from the left; covering it moves the logit by ${signed(0 - before[y]![x]!)} standard deviations before${after === null ? '' : `, and by ${signed(0 - after[y]![x]!)} after`}.`;
}

function groupFigure({
  map,
  before,
  after,
  place,
  limit,
}: Scaled & { readonly map: OcclusionMap; readonly place: number; readonly limit: number }): Html {
  const grid = (when: 'before' | 'after', values: readonly (readonly number[])[]) => {
    const title = `${visibleName(map.group)}, ${when}`;
    const description = `Strongest: ${signed(largest(values))} standard deviations of the logit.`;
    const id = `occlusion-${place}-${when}`;
    return html`<div class="tile"><p class="panel-title">${when}</p>${heatGrid({ id, title, description, values, limit })}</div>`;
  };
  const pictures = [grid('before', before), ...(after === null ? [] : [grid('after', after)])];
  return figure(pictures, html`${nameHtml(map.group)}, mean over ${plural(map.images, 'image')}`);
}

function largest(values: readonly (readonly number[])[]): number {
  return values.flat().reduce((best, value) => (Math.abs(value) > Math.abs(best) ? value : best), 0);
}
