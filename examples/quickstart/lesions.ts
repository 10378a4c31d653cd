import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import type { Columns } from '../../core/data/columns.ts';
import type { Random } from '../../worker/random.ts';
import { makeRandom } from '../../worker/random.ts';
import type { Signs } from './draw-lesion.ts';
import { drawLesion, normal, SIDE } from './draw-lesion.ts';

export interface Lesion {
  readonly isMalignant: boolean;
  readonly isMarked: boolean;
  /** Each patient has one to three lesions, all in one split. */
  readonly patient: string;
  /** [SIDE · SIDE · 3] RGB, row by row */
  readonly pixels: Uint8Array;
}

/** Share of lesions with ink beside them, by truth. */
export interface InkShares {
  readonly malignant: number;
  readonly benign: number;
}

/** As a hospital might photograph: what looks bad gets a mark for the surgeon first. */
export const BIASED_INK: InkShares = { malignant: 0.9, benign: 0.1 };
/** As it is where every second lesion gets a mark, whatever it is. */
export const INDEPENDENT_INK: InkShares = { malignant: 0.5, benign: 0.5 };

/** Share of malignant lesions. */
export const PREVALENCE = 0.38;

/** Distance of the malignant from the benign average in each sign, in standard deviations. */
const SEPARATION = 1.2;

export interface SplitPlan {
  readonly split: string;
  readonly count: number;
  readonly ink: InkShares;
  readonly seed: number;
}

/** Makes the lesions of one split; the same plan gives the same bytes, and a longer one begins with them. */
export function makeLesions({ split, count, ink, seed }: SplitPlan): Lesion[] {
  const random = makeRandom(seed).fork(split);
  const patients = random.fork('patients');
  let patient = 0;
  let left = 0;
  return Array.from({ length: count }, (_, index) => {
    if (left === 0) {
      patient += 1;
      left = 1 + patients.integer(3);
    }
    left -= 1;
    return { ...makeLesion(ink, random.fork(`lesion ${index}`)), patient: `${split}-${patient}` };
  });
}

function makeLesion(ink: InkShares, random: Random): Omit<Lesion, 'patient'> {
  const isMalignant = random.next() < PREVALENCE;
  const isMarked = random.next() < (isMalignant ? ink.malignant : ink.benign);
  const signs = drawSigns(isMalignant, random.fork('signs'));
  return { isMalignant, isMarked, pixels: drawLesion({ signs, isMarked }, random.fork('picture')) };
}

/** Every sign is noisy: benign lesions may look bad, malignant ones harmless. */
function drawSigns(isMalignant: boolean, random: Random): Signs {
  const sign = () => (isMalignant ? SEPARATION / 2 : -SEPARATION / 2) + normal(random);
  return { irregularity: sign(), asymmetry: sign(), darkness: sign(), variety: sign() };
}

/** What the columns of the manifest mean. */
export const COLUMNS = {
  image: 'file',
  label: 'malignant',
  positiveLabel: 'yes',
  sensitiveFeatures: ['ink'],
  subject: 'patient',
  split: 'split',
} satisfies Columns;

/**
 * Makes the splits and writes them: one PNG a lesion, and a manifest beside them.
 *
 * @returns path of the manifest
 */
export async function writeLesions(folder: string, plans: readonly SplitPlan[]): Promise<string> {
  const lines = ['file,malignant,ink,patient,split'];
  for (const plan of plans) {
    await mkdir(path.join(folder, plan.split), { recursive: true });
    const lesions = makeLesions(plan);
    await Promise.all(
      lesions.map(({ pixels }, index) => writePng(path.join(folder, fileOf(plan, index)), pixels)),
    );
    lines.push(...lesions.map((lesion, index) => lineOf(lesion, plan, index)));
  }
  const manifest = path.join(folder, 'manifest.csv');
  await writeFile(manifest, `${lines.join('\n')}\n`);
  return manifest;
}

function fileOf({ split }: SplitPlan, index: number): string {
  return `${split}/${String(index + 1).padStart(4, '0')}.png`;
}

function lineOf({ isMalignant, isMarked, patient }: Lesion, plan: SplitPlan, index: number): string {
  const cells = [isMalignant ? 'yes' : 'no', isMarked ? 'marked' : 'unmarked', patient, plan.split];
  return [fileOf(plan, index), ...cells].join(',');
}

async function writePng(file: string, pixels: Uint8Array): Promise<void> {
  await sharp(pixels, { raw: { width: SIDE, height: SIDE, channels: 3 } })
    .png()
    .toFile(file);
}
