import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll } from 'vitest';
import { makeRandom } from '../../worker/random.ts';
import { type TempFolder, useTempFolder } from './files.ts';

/** Side of a made picture. */
const SIDE = 16;
/** Sides of the square in the middle that shows the label, and of the one in the corner that shows the group. */
const MIDDLE = { from: 5, to: 11 } as const;
const CORNER = { from: 0, to: 4 } as const;

export interface MadeSample {
  readonly file: string;
  readonly label: 0 | 1;
  /** `inked` pictures have a blue square in their corner. */
  readonly group: 'inked' | 'plain';
  readonly subject: string;
  readonly split: 'external' | 'test';
}

export interface MadeImages {
  readonly manifest: string;
  readonly samples: readonly MadeSample[];
}

/** Rows of each (group, label) cell by split. */
const CELL_ROWS = { external: 15, test: 10 } as const;

/**
 * A manifest beside a folder of PNG pictures: the positive label is a red square in the middle, brighter on
 * average than the negative one, and a blue square marks one group.
 *
 * @returns absolute path of `labels.csv` and its rows
 */
export async function writeImageSet(folder: string): Promise<MadeImages> {
  const samples = madeSamples();
  await mkdir(path.join(folder, 'images'), { recursive: true });
  await Promise.all(
    samples.map(async (sample, index) =>
      writeFile(path.join(folder, sample.file), await drawPicture(sample, index)),
    ),
  );
  const manifest = path.join(folder, 'labels.csv');
  await writeFile(manifest, manifestText(samples));
  return { manifest, samples };
}

function manifestText(samples: readonly MadeSample[]): string {
  const rows = samples.map(({ file, label, group, subject, split }) =>
    [file, label, group, subject, split].join(','),
  );
  return `${['file,malignant,ink,patient,part', ...rows].join('\n')}\n`;
}

function madeSamples(): MadeSample[] {
  const cells = (['inked', 'plain'] as const).flatMap((group) =>
    ([0, 1] as const).map((label) => ({ group, label })),
  );
  return (['external', 'test'] as const).flatMap((split) =>
    cells.flatMap(({ group, label }) =>
      Array.from({ length: CELL_ROWS[split] }, (_, index) => {
        const name = `${split}-${group}-${label}-${index}`;
        return { file: `images/${name}.png`, label, group, subject: `P-${name}`, split };
      }),
    ),
  );
}

/** One picture as a PNG file; the same arguments give the same bytes. */
export function drawPicture(
  { label, group }: Pick<MadeSample, 'label' | 'group'>,
  seed: number,
): Promise<Buffer> {
  const random = makeRandom(0).fork(`picture ${seed}`);
  const red = Math.round(60 + 60 * label + 75 * random.next());
  const pixels = new Uint8Array(SIDE * SIDE * 3);
  for (let y = 0; y < SIDE; y += 1) {
    for (let x = 0; x < SIDE; x += 1) {
      const isRed = isInside(MIDDLE, x, y);
      const isBlue = group === 'inked' && isInside(CORNER, x, y);
      const noise = random.integer(8);
      pixels.set([isRed ? red : 40 + noise, 40 + noise, isBlue ? 240 : 40 + noise], (y * SIDE + x) * 3);
    }
  }
  return sharp(pixels, { raw: { width: SIDE, height: SIDE, channels: 3 } })
    .png()
    .toBuffer();
}

function isInside({ from, to }: { from: number; to: number }, x: number, y: number): boolean {
  return x >= from && x < to && y >= from && y < to;
}

interface DenseLayer {
  readonly name: string;
  readonly units: number;
  readonly activation: 'linear' | 'relu' | 'sigmoid' | 'softmax';
  /** [inputs · units] row by row; the inputs are what the layer before gives */
  readonly kernel: readonly number[];
  /** [units] */
  readonly bias: readonly number[];
}

interface MadeModel {
  /** Of one sample; more than one axis is flattened first. */
  readonly inputShape: readonly number[];
  readonly layers: readonly DenseLayer[];
}

/** A tfjs LayersModel of dense layers, as its converter would write it: model.json and one shard. */
async function writeModel(folder: string, { inputShape, layers }: MadeModel): Promise<string> {
  const isFlat = inputShape.length === 1;
  const first = { batch_input_shape: [null, ...inputShape], dtype: 'float32' };
  const flatten = { class_name: 'Flatten', config: { name: 'flatten', ...first } };
  const dense = layers.map(({ name, units, activation }, index) => ({
    class_name: 'Dense',
    config: { name, units, activation, use_bias: true, ...(isFlat && index === 0 && first) },
  }));
  const config = { name: 'made', layers: isFlat ? dense : [flatten, ...dense] };
  const weights = layers.flatMap(({ name, units, kernel }) => [
    { name: `${name}/kernel`, shape: [kernel.length / units, units], dtype: 'float32' },
    { name: `${name}/bias`, shape: [units], dtype: 'float32' },
  ]);
  const json = {
    format: 'layers-model',
    modelTopology: {
      keras_version: 'tfjs-layers 4.22.0',
      model_config: { class_name: 'Sequential', config },
    },
    weightsManifest: [{ paths: ['weights.bin'], weights }],
  };
  const values = layers.flatMap(({ kernel, bias }) => [...kernel, ...bias]);
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'model.json'), JSON.stringify(json));
  await writeFile(path.join(folder, 'weights.bin'), new Uint8Array(Float32Array.from(values).buffer));
  return folder;
}

/** Weights from a made picture to two hidden units: redness of the middle, blue in the corner. */
function pictureKernel(): number[] {
  const area = ({ from, to }: { from: number; to: number }) => (to - from) ** 2;
  return Array.from({ length: SIDE * SIDE * 3 }, (_, input) => {
    const [channel, x, y] = [input % 3, Math.floor(input / 3) % SIDE, Math.floor(input / (3 * SIDE))];
    const isRed = channel === 0 && isInside(MIDDLE, x, y);
    const isBlue = channel === 2 && isInside(CORNER, x, y);
    return [isRed ? 1 / area(MIDDLE) : 0, isBlue ? 1 / area(CORNER) : 0];
  }).flat();
}

/**
 * A classifier of made pictures in [0, 1] (`unit`) that takes the ink for a sign of the positive label: its rates
 * differ by group, and a refitted head can lower that without losing AUC.
 */
export function writeInkModel(folder: string): Promise<string> {
  return writeModel(folder, {
    inputShape: [SIDE, SIDE, 3],
    layers: [
      { name: 'hidden', units: 2, activation: 'relu', kernel: pictureKernel(), bias: [0.05, 0.05] },
      { name: 'head', units: 1, activation: 'linear', kernel: [12, 3], bias: [-7.6] },
    ],
  });
}

/** The same idea for rows of two numbers and one category, whose preprocess is `tablePreprocess`. */
export const TABLE_LAYERS = [
  {
    name: 'hidden',
    units: 3,
    activation: 'relu',
    kernel: [1, 0, 0.1, 0.1, 0.2, 0.1, 0, 1, 0.1, 0, 0, 0.2],
    bias: [2, 0.1, 0.1],
  },
  { name: 'head', units: 1, activation: 'sigmoid', kernel: [1.5, 1.2, 0.1], bias: [-3.6] },
] as const satisfies readonly DenseLayer[];

function writeTableModel(folder: string): Promise<string> {
  return writeModel(folder, { inputShape: [4], layers: TABLE_LAYERS });
}

export const tablePreprocess = {
  features: [
    { column: 'size', mean: 10, std: 4 },
    { column: 'depth', mean: 1, std: 1 },
    { column: 'site', categories: ['north', 'south'] },
  ],
};

/** A manifest of feature rows: the label moves `size`, the site has nothing to say but the model listens to it. */
export async function writeTableSet(folder: string): Promise<string> {
  const random = makeRandom(0).fork('rows');
  const rows = madeSamples().map(({ label, group, subject, split }) => {
    const size = (8 + 4 * label + 5 * (random.next() - 0.5)).toFixed(3);
    const site = group === 'inked' ? 'north' : 'south';
    return [label, group, subject, split, size, random.next().toFixed(3), site].join(',');
  });
  await mkdir(folder, { recursive: true });
  const manifest = path.join(folder, 'rows.csv');
  await writeFile(manifest, `${['malignant,ink,patient,part,size,depth,site', ...rows].join('\n')}\n`);
  return manifest;
}

/** Confusion counts of one group at threshold 0.5. */
export interface Cells {
  readonly group: string;
  readonly tp: number;
  readonly fp: number;
  readonly tn: number;
  readonly fn: number;
}

/** A predictions table with the given counts; a score is 0.9 above the threshold and 0.1 below it. */
export function predictionsText(groups: readonly Cells[]): string {
  const rows = groups.flatMap(({ group, tp, fp, tn, fn }) => [
    ...new Array<string>(tp).fill(`1,0.9,yes,${group}`),
    ...new Array<string>(fp).fill(`0,0.9,yes,${group}`),
    ...new Array<string>(tn).fill(`0,0.1,no,${group}`),
    ...new Array<string>(fn).fill(`1,0.1,no,${group}`),
  ]);
  return `${['y,score,decision,sex', ...rows].join('\n')}\n`;
}

/** Every file of a folder by its path inside, in order of name. */
export async function filesIn(folder: string): Promise<Map<string, Buffer>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();
  return new Map(
    await Promise.all(names.map(async (name) => [name, await readFile(path.join(folder, name))] as const)),
  );
}

/** A safetensors file, read by the letter of its format and by none of our code. */
export function readSafetensors(file: Buffer) {
  const headerLength = Number(file.readBigUInt64LE(0));
  const { __metadata__: metadata, ...tensors } = JSON.parse(
    file.toString('utf8', 8, 8 + headerLength),
  ) as Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>;
  return { headerLength, metadata, tensors, data: file.subarray(8 + headerLength) };
}

/**
 * A working folder for one test file, so that paths are as short as a user's: `labels.csv` with `images/` for
 * `model/`, `rows.csv` with `table.json` for `table-model/`.
 */
export function useWorkshop(): TempFolder {
  const folder = useTempFolder();
  const home = process.cwd();
  beforeAll(async () => {
    await writeImageSet(folder.path);
    await writeInkModel(folder.at('model'));
    await writeTableSet(folder.path);
    await writeTableModel(folder.at('table-model'));
    await folder.write('table.json', JSON.stringify(tablePreprocess));
    process.chdir(folder.path);
  });
  afterAll(() => process.chdir(home));
  return folder;
}
