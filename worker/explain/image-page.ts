import path from 'node:path';
import sharp from 'sharp';
import type { Manifest } from '../../core/data/types.ts';
import { notice, paragraph, type Section } from '../../core/report/page/layout.ts';
import { page } from '../../core/report/page/page.ts';
import { type Html, html } from '../../core/report/text/html.ts';
import { nameHtml } from '../../core/report/text/names.ts';
import type { ChannelImages } from './firing.ts';

/** Channels of a layer that are shown, and images of each group. */
const MOST_CHANNELS = 3;
const MOST_IMAGES = 6;
/** Pixels along the longer side. */
const SIDE = 96;

const WARNING =
  'this page contains images of people or patients: keep it on this machine. It is in no list of files, and nothing here uploads it.';

/**
 * A page of the images in which channels of the mask fire most, by group, shrunk and embedded. For the person at this
 * machine only.
 *
 * @throws InvalidInputError when an image cannot be read any more
 */
export async function renderImagePage(
  channels: readonly ChannelImages[],
  { input }: Pick<Manifest, 'input'>,
): Promise<string> {
  const thumbnails = new Map<number, string>();
  const shown = firstOfEachLayer(channels);
  if (input.kind === 'image') {
    for (const row of new Set(shown.flatMap(rowsOf))) {
      thumbnails.set(row, await thumbnail(path.join(input.root, input.paths[row]!)));
    }
  }
  return page({
    title: 'Images in which masked channels fire most',
    heading: html`Images in which masked channels fire most`,
    lead: notice('Warning', WARNING),
    sections: [...new Set(shown.map(({ layer }) => layer))].map((layer, index) => ({
      id: `layer-${index}`,
      title: layer,
      body: html`${shown.filter((own) => own.layer === layer).map((own) => channelHtml(own, thumbnails))}`,
    })) satisfies Section[],
    colophon: 'Made on this machine; keep it there',
  });
}

function firstOfEachLayer(channels: readonly ChannelImages[]): ChannelImages[] {
  const counts = new Map<string, number>();
  return channels.filter(({ layer }) => {
    counts.set(layer, (counts.get(layer) ?? 0) + 1);
    return counts.get(layer)! <= MOST_CHANNELS;
  });
}

function rowsOf({ groups }: ChannelImages): number[] {
  return groups.flatMap(({ rows }) => rows.slice(0, MOST_IMAGES));
}

/** As a data URL; metadata, which may name a patient, is left behind. */
async function thumbnail(file: string): Promise<string> {
  const bytes = await sharp(file)
    .rotate()
    .resize(SIDE, SIDE, { fit: 'inside' })
    .toColourspace('srgb')
    .jpeg({ quality: 85 })
    .toBuffer();
  return `data:image/jpeg;base64,${bytes.toString('base64')}`;
}

function channelHtml({ channel, groups }: ChannelImages, thumbnails: ReadonlyMap<number, string>): Html {
  return html`<h3>Channel ${channel}</h3>
${groups.map(
  ({ group, rows }) => html`${paragraph(html`${nameHtml(group)}: ${rows.length} of the strongest images`)}
<p>${rows.slice(0, MOST_IMAGES).map((row) => html`<img src="${thumbnails.get(row) ?? ''}" alt="" loading="lazy"> `)}</p>
`,
)}`;
}
