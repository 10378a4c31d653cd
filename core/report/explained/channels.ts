import type { Firing, LayerChannels, MaskedChannel } from '../../jobs/explanation.ts';
import { shareBar } from '../charts/bar.ts';
import { disclosure, paragraph } from '../page/layout.ts';
import { row, table, textCell } from '../page/table.ts';
import { NOT_DEFINED, percent } from '../text/format.ts';
import { type Html, html } from '../text/html.ts';
import { joinHtml, nameHtml } from '../text/names.ts';

/** Layers whose channels stand open; the rest is behind a summary. */
const MOST_LAYERS = 4;

/** Which channels the mask tunes most, and in images of which groups they fire. */
export function channelsHtml(layers: readonly LayerChannels[]): Html {
  if (layers.length === 0) return paragraph('The body has no kernels whose channels could be listed.');
  const ordered = layers.toSorted((a, b) => massOf(b) - massOf(a));
  const [shown, rest] = [ordered.slice(0, MOST_LAYERS), ordered.slice(MOST_LAYERS)];
  return html`${paragraph(
    'Output channels whose masked weights hold most of their layer’s importance for the disparity. Beside them the groups of the images in which the channel’s largest activation is strongest, and in brackets how many there would be if the channel did not depend on the group. Which images they are is not recorded.',
  )}
${shown.map(layerTable)}
${rest.length === 0 ? '' : disclosure(`${rest.length} more layers`, html`${rest.map(layerTable)}`)}`;
}

function massOf({ top }: LayerChannels): number {
  return top[0]?.disparityMass ?? 0;
}

function layerTable({ layer, channels, top }: LayerChannels): Html {
  const columns = [
    { title: 'Channel' },
    { title: 'Weights in the mask' },
    { title: 'Disparity importance of the layer' },
    { title: 'Strongest images before' },
    { title: 'Strongest images after' },
  ];
  return table({
    caption: `${layer}: ${top.length} of ${channels} channels`,
    columns,
    rows: top.map(channelRow),
  });
}

function channelRow({ channel, weights, selected, disparityMass, firing }: MaskedChannel): Html {
  return row(String(channel), [
    barCell(selected / weights),
    barCell(disparityMass),
    firingCell(firing?.before),
    firingCell(firing?.after),
  ]);
}

function barCell(share: number | null): Html {
  if (share === null) return textCell(NOT_DEFINED);
  return html`<td class="bar-cell">${shareBar(share)} ${percent(share)}</td>`;
}

function firingCell(firing: readonly Firing[] | null | undefined): Html {
  if (!firing) return textCell('not read');
  return textCell(
    joinHtml(
      firing.map(
        ({ group, images, expected }) => html`${nameHtml(group)} ${images} (${expected.toFixed(1)})`,
      ),
    ),
  );
}
