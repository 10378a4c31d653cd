import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import {
  FEWEST_SUBJECTS,
  type GroupDistance,
  normalizationDistance,
} from '../../../core/checks/normalization-distance.ts';
import { normal, seededUniform } from '../../../core/fairness/statistics/sampling.ts';
import { loadTfjsLayers } from '../../../core/model/formats/tfjs-layers.ts';
import { type ChannelMoments, observe } from '../../../core/model/observe.ts';
import { memoryInputs } from '../../helpers/made-data.ts';
import { readRows, SHARED } from '../../helpers/shared-data.ts';
import { withBackend } from '../../helpers/tensors.ts';

/** A layer of one channel whose samples have one place each. */
function layerOf(values: readonly number[], deviation = 1): ChannelMoments {
  return {
    layer: 'norm',
    channels: 1,
    deviations: Float32Array.of(deviation),
    means: Float32Array.from(values),
    squares: Float32Array.from(values, (value) => value * value),
  };
}

const oneGroup = (size: number) => ({ groups: new Int32Array(size), groupNames: ['all'] });

function draws(size: number, seed: number, shift = 0): number[] {
  const uniform = seededUniform(seed);
  return Array.from({ length: size }, () => normal(uniform) + shift);
}

describe('normalizationDistance', () => {
  test('is the distance of two normal distributions: means and deviations apart', () => {
    const values = Array.from({ length: 20 }, (_, row) => (row % 2 === 0 ? 4 : 2)); // mean 3, deviation 1
    const layers = [layerOf(values), layerOf(values, 0.5)];
    const { whole } = normalizationDistance({ layers, ...oneGroup(20), seed: 1 })!;
    const [first, second] = whole.layers;
    expect(first!.distance).toBeCloseTo(3, 10);
    expect(second!.distance).toBeCloseTo(Math.sqrt(3 ** 2 + (1 - 0.5) ** 2), 10);
    expect(whole.distance).toBeCloseTo(Math.sqrt((9 + 9.25) / 2), 10);
    expect([whole.support, whole.subjects]).toEqual([20, 20]);
  });

  test('takes the mean over channels', () => {
    const values = [0, 2, 0, 2, 0, 2, 0, 2, 0, 2]; // mean 1, deviation 1
    const layer: ChannelMoments = {
      layer: 'norm',
      channels: 2,
      deviations: Float32Array.of(1, 1),
      means: Float32Array.from(values.flatMap((value) => [value, value + 2])),
      squares: Float32Array.from(values.flatMap((value) => [value ** 2, (value + 2) ** 2])),
    };
    const { whole } = normalizationDistance({ layers: [layer], ...oneGroup(10), seed: 1 })!;
    expect(whole.distance).toBeCloseTo(Math.sqrt((1 ** 2 + 3 ** 2) / 2), 6);
  });

  test('lets a silent channel of a silent layer be as in training', () => {
    const { whole } = normalizationDistance({
      layers: [layerOf(new Array(12).fill(0), 0)],
      ...oneGroup(12),
      seed: 1,
    })!;
    expect(whole).toMatchObject({ distance: 0, byChance: 0, excess: 0 });
  });

  test('of draws from training itself is within chance as often as it says', () => {
    const repeats = 100;
    const within = Array.from({ length: repeats }, (_, seed) => {
      const layers = [layerOf(draws(60, seed + 1))];
      const { distance, byChance } = normalizationDistance({ layers, ...oneGroup(60), seed })!.whole;
      return distance <= byChance ? 1 : 0;
    }).reduce<number>((sum, value) => sum + value, 0);
    expect(within / repeats).toBeGreaterThan(0.87);
  });

  test('has an excess that does not grow as a set gets smaller', () => {
    const excess = (size: number) =>
      normalizationDistance({ layers: [layerOf(draws(size, 5, 1))], ...oneGroup(size), seed: 1 })!.whole
        .excess;
    expect(Math.abs(excess(2000) - 1)).toBeLessThan(0.06);
    expect(Math.abs(excess(50) - 1)).toBeLessThan(0.3);
  });

  test('finds the group that is farther than the set, and no other', () => {
    const groups = Int32Array.from({ length: 300 }, (_, row) => row % 3);
    const values = draws(300, 3).map((value, row) => (groups[row] === 2 ? value + 1 : value));
    const found = normalizationDistance({
      layers: [layerOf(values)],
      groups,
      groupNames: ['a', 'b', 'c'],
      seed: 1,
    })!;
    const [a, b, c] = found.groups as GroupDistance[];
    expect(c!.pValue).toBe(1 / 200);
    expect(c!.distance).toBeGreaterThan(c!.ofRandomParts);
    expect(Math.min(a!.pValue, b!.pValue)).toBeGreaterThan(0.5);
    expect([a!.support, a!.subjects]).toEqual([100, 100]);
  });

  test('draws subjects, not samples: repeats of one make chance no smaller', () => {
    const values = draws(40, 7);
    const once = normalizationDistance({ layers: [layerOf(values)], ...oneGroup(40), seed: 1 })!.whole;
    const repeated = values.flatMap((value) => new Array<number>(5).fill(value));
    const subjects = repeated.map((_, row) => `s${Math.floor(row / 5)}`);
    const five = normalizationDistance({
      layers: [layerOf(repeated)],
      subjects,
      ...oneGroup(200),
      seed: 1,
    })!.whole;
    expect([five.support, five.subjects]).toEqual([200, 40]);
    expect(five.byChance).toBeCloseTo(once.byChance, 6);
  });

  test('says nothing of few subjects or no layers, and the same for the same seed', () => {
    const few = { layers: [layerOf([1, 2, 3])], ...oneGroup(3), seed: 1 };
    expect(normalizationDistance(few)).toBeNull();
    expect(normalizationDistance({ ...few, layers: [] })).toBeNull();
    const groups = Int32Array.from({ length: 30 }, (_, row) => (row < FEWEST_SUBJECTS - 1 ? 1 : 0));
    const input = { layers: [layerOf(draws(30, 1))], groups, groupNames: ['many', 'few', 'none'], seed: 4 };
    const found = normalizationDistance(input)!;
    expect(found.groups.slice(1)).toEqual([
      { group: 'few', support: 9, subjects: 9, distance: null },
      { group: 'none', support: 0, subjects: 0, distance: null },
    ]);
    expect(normalizationDistance(input)).toEqual(found);
  });
});

describe('the model that was trained on HAM10000', () => {
  withBackend('wasm');
  const SIZE = 120;
  const SIDE = 64;
  const MEAN = [0.485, 0.456, 0.406];
  const DEVIATION = [0.229, 0.224, 0.225];

  /** Standardised as the model wants them. */
  async function pixels(files: readonly string[], gains: readonly number[]): Promise<Float32Array> {
    const images = await Promise.all(
      files.map((file) => sharp(file).toColourspace('srgb').removeAlpha().raw().toBuffer()),
    );
    return Float32Array.from(
      images.flatMap((image) => {
        const channels = image.length / SIDE ** 2;
        return Array.from({ length: 3 * SIDE ** 2 }, (_, place) => {
          const channel = place % 3;
          const value = image[channels === 1 ? Math.floor(place / 3) : place]! / 255;
          return (Math.min(1, value * gains[channel]!) - MEAN[channel]!) / DEVIATION[channel]!;
        });
      }),
    );
  }

  test('is nearer to skin than to recoloured skin, and to that nearer than to chest X-rays', async () => {
    const tensors = tf.memory().numTensors; // of other tests that share the process
    const model = await loadTfjsLayers(path.join(SHARED, 'models/ham-artefact-plain'));
    const ham = (await readRows('ham10000-64')).filter(({ split }) => split === 'external');
    const nih = await readRows('nih-cxr-1000-64');
    const sets = [
      { rows: ham, gains: [1, 1, 1] },
      { rows: ham, gains: [0.85, 1, 1.2] },
      { rows: nih, gains: [1, 1, 1] },
    ];
    const distances: number[] = [];
    for (const { rows, gains } of sets) {
      const inputs = memoryInputs(
        await pixels(
          rows.slice(0, SIZE).map(({ file }) => file!),
          gains,
        ),
        [SIDE, SIDE, 3],
      );
      const { normalizations } = await observe({
        model,
        inputs,
        rows: Array.from({ length: SIZE }, (_, row) => row),
      });
      const found = normalizationDistance({ layers: normalizations, ...oneGroup(SIZE), seed: 1 })!;
      distances.push(found.whole.distance);
    }
    const [skin, recoloured, chest] = distances as [number, number, number];
    expect(skin).toBeLessThan(0.55);
    expect(recoloured).toBeGreaterThan(skin + 0.1);
    expect(chest).toBeGreaterThan(recoloured + 0.1);
    model.dispose();
    expect(tf.memory().numTensors).toBe(tensors);
  });
});
