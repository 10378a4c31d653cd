import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { loadManifest } from '../../../core/data/manifest.ts';
import {
  BIASED_INK,
  COLUMNS,
  INDEPENDENT_INK,
  makeLesions,
  PREVALENCE,
  writeLesions,
} from '../../../examples/quickstart/lesions.ts';
import { useTempFolder } from '../../helpers/files.ts';

/** Fails unless a share lies within four standard errors of the rate that it is drawn with. */
function expectRate(isHit: readonly boolean[], rate: number): void {
  const share = isHit.filter(Boolean).length / isHit.length;
  const error = Math.sqrt((rate * (1 - rate)) / isHit.length);
  expect(Math.abs(share - rate)).toBeLessThan(4 * error);
}

describe('makeLesions', () => {
  it('makes the same lesions from the same seed, and a longer split begins with them', () => {
    const plan = { split: 'external', ink: INDEPENDENT_INK, seed: 1 };

    expect(makeLesions({ ...plan, count: 20 })).toEqual(makeLesions({ ...plan, count: 30 }).slice(0, 20));
    expect(makeLesions({ ...plan, count: 20, seed: 2 })).not.toEqual(makeLesions({ ...plan, count: 20 }));
  });

  it.each([
    ['train', BIASED_INK],
    ['external', INDEPENDENT_INK],
  ])('gives %s lesions ink as planned for their truth', (split, ink) => {
    const lesions = makeLesions({ split, count: 500, ink, seed: 0 });
    const inkOf = (isMalignant: boolean) =>
      lesions.filter((lesion) => lesion.isMalignant === isMalignant).map(({ isMarked }) => isMarked);

    expectRate(
      lesions.map(({ isMalignant }) => isMalignant),
      PREVALENCE,
    );
    expectRate(inkOf(true), ink.malignant);
    expectRate(inkOf(false), ink.benign);
  });

  it('gives each patient at most three lesions, one after another', () => {
    const patients = makeLesions({ split: 'test', count: 60, ink: INDEPENDENT_INK, seed: 0 }).map(
      ({ patient }) => patient,
    );
    const runs = patients.filter((patient, index) => patient !== patients[index - 1]);

    expect(new Set(runs).size).toBe(runs.length);
    for (const run of runs) expect(patients.filter((patient) => patient === run).length).toBeLessThan(4);
  });
});

describe('writeLesions', () => {
  const folder = useTempFolder();

  it('writes what makeLesions makes, as a manifest that the command line reads', async () => {
    const plans = [
      { split: 'external', count: 12, ink: INDEPENDENT_INK, seed: 3 },
      { split: 'test', count: 8, ink: INDEPENDENT_INK, seed: 3 },
    ];
    const lesions = plans.flatMap(makeLesions);

    const manifest = await loadManifest(await writeLesions(folder.path, plans), COLUMNS);

    const { groups, groupNames } = manifest.sensitiveFeatures[0]!;
    expect(Array.from(manifest.labels)).toEqual(lesions.map(({ isMalignant }) => Number(isMalignant)));
    expect(Array.from(groups, (group) => groupNames[group])).toEqual(
      lesions.map(({ isMarked }) => (isMarked ? 'marked' : 'unmarked')),
    );
    expect(manifest.subjects).toEqual(lesions.map(({ patient }) => patient));
    expect(manifest.splits).toEqual(plans.flatMap(({ split, count }) => Array(count).fill(split)));
    const png = await readFile(folder.at('test/0008.png'));
    expect(new Uint8Array(await sharp(png).raw().toBuffer())).toEqual(lesions.at(-1)!.pixels);
  });
});
