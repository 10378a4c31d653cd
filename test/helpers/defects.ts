import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import sharp, { type Sharp } from 'sharp';
import { type CheckedResult, checkData } from '../../core/checks/check-data.ts';
import type { CheckedSet } from '../../core/checks/sets.ts';
import { type ImageFacts, imageFacts } from '../../core/data/image-facts.ts';
import { openImageInputs } from '../../core/data/inputs.ts';
import { parsePreprocess, resolvePreprocess } from '../../core/data/preprocess.ts';
import type { Manifest } from '../../core/data/types.ts';
import { MISSING_GROUP } from '../../core/data/types.ts';
import { loadClassifier } from '../../core/model/load-classifier.ts';
import { type Observation, observe } from '../../core/model/observe.ts';

const SHARED = path.resolve(import.meta.dirname, '../../../shared');
const HAM = path.join(SHARED, 'data/ham10000-64');
const NIH = path.join(SHARED, 'data/nih-cxr-1000-64');

/** Rows of each (sex, label) cell of each split. */
const CELL = 50;

/** One row as a manifest would have it; `image` is a place in the pool. */
export interface Row {
  readonly image: number;
  readonly label: 0 | 1;
  readonly group: string;
  readonly subject: string;
  readonly split: 'external' | 'test';
}

/** What was seen of every image, clean or altered, by one pass of the model. */
export interface Pool {
  /** 400 images of HAM10000 by sex and label, half external, half test. */
  readonly clean: readonly Row[];
  /** Place of the altered version of a clean image. */
  altered(kind: Alteration, row: Row): number;
  check(rows: readonly Row[], options?: CheckOptions): Promise<CheckedResult>;
}

interface CheckOptions {
  /** What the model makes of the rows is left out: the defect shows without. */
  readonly withoutModel?: boolean | undefined;
  readonly withoutGroup?: number;
  readonly reference?: readonly Row[];
}

const overlay = (svg: string) => (image: Sharp) =>
  image.composite([{ input: Buffer.from(`<svg width="64" height="64">${svg}</svg>`) }]);

const noise = sharp({
  create: {
    width: 64,
    height: 64,
    channels: 3,
    background: '#000',
    noise: { type: 'gaussian', mean: 128, sigma: 25 },
  },
});

/** Files are JPEG unless an alteration is about the format. */
const ALTERATIONS = {
  recoloured: (image) => image.linear([0.8, 1, 1.25], [0, 0, 0]),
  blurred: (image) => image.blur(1.2),
  png: (image) => image,
  noisy: (image) => image, // and grain on it
  'coded anew': (image) => image, // at another quality
  'sized anew': (image) => image.resize(48, 48),
  mirrored: (image) => image.flop(),
  turned: (image) => image.rotate(90),
  blank: (image) => image.linear(0, 200),
  inverted: (image) => image.negate({ alpha: false }),
  marked: overlay(
    '<text x="44" y="12" font-size="12" fill="white">L</text><rect x="44" y="3" width="8" height="9" fill="white"/>',
  ),
  dotted: overlay('<circle cx="8" cy="8" r="6" fill="#733399"/>'),
  'of the chest': (image) => image, // other files
} satisfies Record<string, (image: Sharp) => Sharp>;
export type Alteration = keyof typeof ALTERATIONS | 'unscaled';

interface HamRow {
  readonly file: string;
  readonly label: '0' | '1';
  readonly sex: string;
  readonly lesion_id: string;
  readonly split: string;
}

const readTable = async (file: string) =>
  parse(await readFile(path.join(file, 'labels.csv'), 'utf8'), { columns: true }) as HamRow[];

/** Rows of each cell, evenly spaced, so that every cell can be judged and none is of one source. */
async function cleanRows(): Promise<{ rows: Row[]; files: string[] }> {
  const used = (await readTable(HAM)).filter(
    ({ split, sex }) => (split === 'external' || split === 'test') && sex !== '',
  );
  const cells = new Map<string, HamRow[]>();
  for (const row of used) {
    const cell = `${row.split} ${row.sex} ${row.label}`;
    cells.set(cell, [...(cells.get(cell) ?? []), row]);
  }
  const taken = new Set(
    [...cells.values()].flatMap((cell) =>
      Array.from({ length: CELL }, (_, index) => cell[Math.floor((index * cell.length) / CELL)]!),
    ),
  );
  const kept = used.filter((row) => taken.has(row));
  return {
    files: kept.map(({ file }) => path.join(HAM, file)),
    rows: kept.map(({ label, sex, lesion_id, split }, image) => ({
      image,
      label: Number(label) as 0 | 1,
      group: sex,
      subject: lesion_id,
      split: split as Row['split'],
    })),
  };
}

/**
 * Writes every image that a defect needs into `folder` and looks at each once.
 *
 * @param needed  clean rows of which an alteration is wanted
 */
export async function makePool(
  folder: string,
  needed: (clean: readonly Row[]) => Readonly<Record<Alteration, readonly Row[]>>,
): Promise<Pool> {
  const { rows: clean, files } = await cleanRows();
  await mkdir(folder, { recursive: true });
  const places = new Map<string, number>();
  const paths = [...files];
  const chest = (await readTable(NIH)).map(({ file }) => path.join(NIH, file));
  const sourceOf = (kind: string, { image }: Row, index: number) =>
    kind === 'of the chest' ? chest[index * 5]! : files[image]!;
  const grain = await noise.raw().toBuffer();
  const jobs: Promise<unknown>[] = [];
  const { unscaled, ...drawn } = needed(clean);
  for (const [kind, rows] of Object.entries(drawn) as [keyof typeof ALTERATIONS, readonly Row[]][]) {
    for (const [index, row] of rows.entries()) {
      const file = path.join(folder, `${kind} ${row.image}.${kind === 'png' ? 'png' : 'jpg'}`);
      places.set(`${kind} ${row.image}`, paths.push(file) - 1);
      const image = ALTERATIONS[kind](sharp(sourceOf(kind, row, index)));
      jobs.push(encoded(image, kind, grain).toFile(file));
    }
  }
  await Promise.all(jobs);
  const seen = await look(
    paths,
    JSON.parse(await readFile(path.join(SHARED, 'models/preprocess.json'), 'utf8')),
  );
  const raw = await look(
    unscaled.map(({ image }) => files[image]!),
    { scale: 1, mean: 0, std: 1 },
  );
  for (const [index, row] of unscaled.entries()) {
    places.set(`unscaled ${row.image}`, paths.length + index);
  }
  const all = { facts: [...seen.facts, ...raw.facts], observations: [seen.observation, raw.observation] };
  return {
    clean,
    altered: (kind, row) => {
      const place = places.get(`${kind} ${row.image}`);
      if (place === undefined) throw new RangeError(`image ${row.image} was not asked for ${kind}`);
      return place;
    },
    check: (rows, { withoutGroup = 0, withoutModel = false, reference } = {}) =>
      checkData({
        parts: partsOf(rows)
          .map(({ name, isTest, own }) => setOf({ name, isTest }, own, all))
          .map((set) => (withoutModel ? { ...set, seen: null } : set)),
        reference: reference ? setOf({ name: 'reference', isTest: false }, reference, all) : null,
        withoutGroup,
        isBrief: false,
        mitigated: ['sex'],
      }),
  };
}

/** JPEG unless the defect is about the format. */
function encoded(image: Sharp, kind: string, grain: Buffer): Sharp {
  if (kind === 'png') return image.png();
  if (kind !== 'noisy') return image.jpeg({ quality: kind === 'coded anew' ? 60 : 92 });
  const raw = { width: 64, height: 64, channels: 3 } as const;
  return image.composite([{ input: grain, raw, blend: 'soft-light' }]).jpeg({ quality: 92 });
}

interface Looked {
  readonly facts: readonly ImageFacts[];
  readonly observation: Observation;
}

async function look(paths: readonly string[], preprocess: unknown): Promise<Looked> {
  const model = await loadClassifier(path.join(SHARED, 'models/ham-artefact-plain'));
  try {
    const manifest = {
      size: paths.length,
      input: { kind: 'image', root: '/', paths, lines: Int32Array.from(paths, (_, row) => row) },
    } as unknown as Manifest;
    const facts: ImageFacts[] = [];
    const inputs = openImageInputs(
      manifest,
      resolvePreprocess(parsePreprocess(preprocess, 'test'), model.inputShape),
      {
        onImage: (row, image) => {
          facts[row] = imageFacts(image);
        },
      },
    );
    const rows = Array.from(paths, (_, row) => row);
    return { observation: await observe({ model, inputs, rows }), facts };
  } finally {
    model.dispose();
  }
}

/** Every third external row selects, as a mitigation would have it. */
function partsOf(rows: readonly Row[]) {
  const external = rows.filter(({ split }) => split === 'external');
  const subjects = [...new Set(external.map(({ subject }) => subject))];
  const chosen = new Set(subjects.filter((_, index) => index % 3 === 2));
  return [
    { name: 'tune', isTest: false, own: external.filter(({ subject }) => !chosen.has(subject)) },
    { name: 'select', isTest: false, own: external.filter(({ subject }) => chosen.has(subject)) },
    { name: 'test', isTest: true, own: rows.filter(({ split }) => split === 'test') },
  ];
}

function setOf(
  use: { name: string; isTest: boolean },
  rows: readonly Row[],
  { facts, observations }: { facts: readonly ImageFacts[]; observations: readonly Observation[] },
): CheckedSet {
  const groupNames = [...new Set(rows.map(({ group }) => group))].sort((a, b) =>
    a === MISSING_GROUP ? 1 : b === MISSING_GROUP ? -1 : a < b ? -1 : 1,
  );
  return {
    ...use,
    samples: {
      size: rows.length,
      labels: Int32Array.from(rows, ({ label }) => label),
      sensitiveFeatures: [
        { name: 'sex', groupNames, groups: Int32Array.from(rows, ({ group }) => groupNames.indexOf(group)) },
      ],
      subjects: rows.map(({ subject }) => subject),
    },
    images: rows.map(({ image }) => facts[image]!),
    table: null,
    seen: pick(
      observations,
      rows.map(({ image }) => image),
    ),
  };
}

/** Rows of observations that lie one after the other. */
function pick(observations: readonly Observation[], places: readonly number[]): Observation {
  const from = places.map((place) =>
    place < observations[0]!.size
      ? { observation: observations[0]!, row: place }
      : { observation: observations[1]!, row: place - observations[0]!.size },
  );
  const gather = (width: number, of: (observation: Observation) => Float32Array) => {
    const values = new Float32Array(places.length * width);
    from.forEach(({ observation, row }, index) => {
      values.set(of(observation).subarray(row * width, (row + 1) * width), index * width);
    });
    return values;
  };
  const { width, normalizations } = observations[0]!;
  return {
    size: places.length,
    width,
    features: gather(width, ({ features }) => features),
    logits: gather(1, ({ logits }) => logits),
    normalizations: normalizations.map((moments, layer) => ({
      ...moments,
      means: gather(moments.channels, (each) => each.normalizations[layer]!.means),
      squares: gather(moments.channels, (each) => each.normalizations[layer]!.squares),
    })),
  };
}
