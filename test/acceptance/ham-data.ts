import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import sharp from 'sharp';

export const SCENARIOS = ['artefact', 'age'] as const;
export type Scenario = (typeof SCENARIOS)[number];

interface HamRow {
  readonly file: string;
  readonly label: string;
  readonly age_band: string;
  readonly lesion_id: string;
  readonly split: string;
}

/** Splits that the job reads; the others stay where they are. */
const USED_SPLITS = new Set(['external', 'test']);

/**
 * Writes a manifest and images for one scenario of the PyTorch peer into `folder`.
 *
 * `artefact`: a hash of lesion_id decides which images carry a violet dot, half of them here whatever the label
 * (in training the dot went with the label). `age`: the group is 60 and over, images as they are.
 *
 * @returns path of the manifest
 */
export async function writeScenario(data: string, scenario: Scenario, folder: string): Promise<string> {
  const text = await readFile(path.join(data, 'labels.csv'), 'utf8');
  const all = parse(text, { columns: true }) as HamRow[];
  const rows = all.filter(({ split }) => USED_SPLITS.has(split));
  await mkdir(path.join(folder, 'images'), { recursive: true });
  const lines = ['file,label,group,lesion,split'];
  for (const row of rows) {
    const group = scenario === 'age' ? ageGroup(row.age_band) : hasDot(row) ? 'dot' : 'no dot';
    const file = await placeImage(path.resolve(data, row.file), group === 'dot', folder);
    lines.push([file, row.label, group, row.lesion_id, row.split].join(','));
  }
  const manifest = path.join(folder, 'manifest.csv');
  await writeFile(manifest, `${lines.join('\n')}\n`);
  return manifest;
}

function ageGroup(band: string): string {
  if (band === '') return '';
  return band === '60-74' || band === '75+' ? '60 and over' : 'under 60';
}

/** u = (number in lesion_id · 2654435761 mod 2^32) / 2^32 < 0.5, as the peer draws it outside training. */
function hasDot({ lesion_id }: HamRow): boolean {
  const hash = (BigInt(lesion_id.slice('HAM_'.length)) * 2654435761n) % 2n ** 32n;
  return Number(hash) / 2 ** 32 < 0.5;
}

/** Colour of the dot in [0, 1]; no 8-bit image holds 0.45, so dotted images are 16-bit PNG. */
const DOT_COLOUR = [0.45, 0.2, 0.6] as const;
const DOT_CENTRE = 8;
const DOT_RADIUS = 6;

async function placeImage(source: string, isDotted: boolean, folder: string): Promise<string> {
  const name = path.basename(source);
  if (!isDotted) {
    await writeFile(path.join(folder, 'images', name), await readFile(source));
    return `images/${name}`;
  }
  const { data, info } = await sharp(source).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const pixels = Uint16Array.from(data, (value) => value * 257);
  for (let y = 0; y < info.height; y += 1) {
    for (let x = 0; x < info.width; x += 1) {
      if ((y - DOT_CENTRE) ** 2 + (x - DOT_CENTRE) ** 2 > DOT_RADIUS ** 2) continue;
      DOT_COLOUR.forEach((value, channel) => {
        pixels[(y * info.width + x) * 3 + channel] = Math.round(value * 65535);
      });
    }
  }
  const file = `images/${path.parse(name).name}.png`;
  const raw = { width: info.width, height: info.height, channels: 3 } as const;
  await sharp(pixels, { raw })
    .toColourspace('rgb16')
    .png({ compressionLevel: 1 })
    .toFile(path.join(folder, file));
  return file;
}
