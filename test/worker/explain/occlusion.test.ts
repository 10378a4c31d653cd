import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import type { Classifier } from '../../../core/model/classifier.ts';
import { headParameters } from '../../../core/model/classifier.ts';
import { loadTfjsLayers } from '../../../core/model/formats/tfjs-layers.ts';
import { occlude, patchesOf } from '../../../worker/explain/occlusion.ts';
import { EXPLAIN } from '../../../worker/explain/options.ts';
import { useTempFolder } from '../../helpers/files.ts';
import { memoryInputs, writeFilled } from '../../helpers/made-data.ts';
import { expectClose, expectNoLeak, noise, withBackend } from '../../helpers/tensors.ts';

const SHARED = path.join(import.meta.dirname, '../../../../shared');

describe('patchesOf', () => {
  const nhwc = { mirrorAxes: [2, 1] };

  test('lie at even distances from edge to edge', () => {
    const patches = patchesOf(nhwc, [10, 20, 3], { occlusionPlaces: 3, occlusionPatch: 0.2 });
    expect(patches).toMatchObject({
      height: 10,
      width: 20,
      patch: { height: 2, width: 4 },
      tops: [0, 4, 8],
      lefts: [0, 8, 16],
    });
  });

  test('are no more than there are pixels, and know channels that come first', () => {
    const patches = patchesOf({ mirrorAxes: [3, 2] }, [3, 4, 5], {
      occlusionPlaces: 60,
      occlusionPatch: 0.05,
    });
    expect(patches).toMatchObject({
      height: 4,
      width: 5,
      patch: { height: 1, width: 1 },
      axes: { height: 2, width: 3 },
    });
    expect(patches!.lefts).toEqual([0, 1, 2, 3, 4]);
  });

  test('do not exist for a model of numbers', () => {
    expect(patchesOf({ mirrorAxes: [] }, [7], EXPLAIN)).toBeNull();
  });
});

describe('occlude', () => {
  withBackend('wasm');
  const folder = useTempFolder();

  /** logit = Σ w x + b over images of 4 × 4 × 1. */
  async function linearModel(): Promise<{ model: Classifier; weights: Float32Array }> {
    const model = sequential({
      layers: [layers.flatten({ inputShape: [4, 4, 1] }), layers.dense({ name: 'head', units: 1 })],
    });
    const loaded = await loadTfjsLayers(await writeFilled(folder.at('linear'), model));
    const [kernel] = headParameters(loaded);
    return { model: loaded, weights: kernel!.variable.dataSync().slice() as Float32Array };
  }

  test('gives Σ w (x - mean) under the patch of a linear model, averaged over each group', async () => {
    const { model, weights } = await linearModel();
    const pixels = noise(3 * 16, 5);
    const mean = pixels.reduce((sum, value) => sum + value, 0) / pixels.length;
    const patches = patchesOf(model, [4, 4, 1], { occlusionPlaces: 2, occlusionPatch: 0.5 })!;
    const inputs = memoryInputs(pixels, [4, 4, 1]);
    let done = 0;
    const { grids, deviation } = await occlude({
      model,
      inputs,
      patches,
      rowsOf: [[0, 2], [1], []],
      onImage: () => {
        done += 1;
      },
    });
    const fall = (image: number, top: number, left: number) =>
      [0, 1]
        .flatMap((y) => [0, 1].map((x) => (top + y) * 4 + left + x))
        .reduce((sum, place) => sum + weights[place]! * (pixels[image * 16 + place]! - mean), 0);
    const places = [0, 2].flatMap((top) => [0, 2].map((left) => [top, left] as const));
    expectClose(
      grids[0]!.flat(),
      places.map(([top, left]) => (fall(0, top, left) + fall(2, top, left)) / 2),
      1e-5,
    );
    expectClose(
      grids[1]!.flat(),
      places.map(([top, left]) => fall(1, top, left)),
      1e-5,
    );
    expect(grids[2]).toBeNull();
    expect(done).toBe(3);
    const logits = [0, 1, 2].map((image) =>
      weights.reduce((sum, weight, place) => sum + weight * pixels[image * 16 + place]!, 0),
    );
    const average = logits.reduce((sum, logit) => sum + logit, 0) / 3;
    const spread = logits.reduce((sum, logit) => sum + (logit - average) ** 2, 0) / 3;
    expect(deviation).toBeCloseTo(Math.sqrt(spread), 5);
    model.dispose();
  });

  test('keeps no tensor and stops when told to', async () => {
    const { model } = await linearModel();
    const inputs = memoryInputs(noise(32, 5), [4, 4, 1]);
    const patches = patchesOf(model, [4, 4, 1], { occlusionPlaces: 2, occlusionPatch: 0.5 })!;
    await expectNoLeak(() => occlude({ model, inputs, patches, rowsOf: [[0], [1]] }));
    await expectNoLeak(() =>
      expect(
        occlude({ model, inputs, patches, rowsOf: [[0], [1]], signal: AbortSignal.abort() }),
      ).rejects.toMatchObject({ code: 'INTERRUPTED' }),
    );
    model.dispose();
  });

  test('finds the violet dot that a lesion classifier was trained to read, and nothing there without it', async () => {
    const model = await loadTfjsLayers(path.join(SHARED, 'models/ham-artefact-plain'));
    const inputs = memoryInputs(await lesions(6), [64, 64, 3]);
    const patches = patchesOf(model, [64, 64, 3], { occlusionPlaces: 6, occlusionPatch: 0.2 })!;
    const rows = [0, 1, 2, 3, 4, 5];
    const { grids } = await occlude({ model, inputs, patches, rowsOf: [rows, rows.map((row) => row + 6)] });
    const [withDot, without] = grids.map((grid) => grid!);
    const largest = Math.max(...withDot!.flat());
    expect(withDot![0]![0]).toBe(largest);
    expect(largest).toBeGreaterThan(1); // on the logit
    expect(Math.abs(without![0]![0]!)).toBeLessThan(largest / 3);
    model.dispose();
  });

  /** Lesions with a violet dot around (8, 8), then the same without, as that classifier reads them. */
  async function lesions(count: number): Promise<Float32Array> {
    const data = path.join(SHARED, 'data/ham10000-64');
    const lines = (await readFile(path.join(data, 'labels.csv'), 'utf8'))
      .split('\n')
      .filter((line) => line.includes('HAM_') && line.endsWith('external'));
    const spec = JSON.parse(await readFile(path.join(SHARED, 'models/preprocess.json'), 'utf8')) as {
      mean: number[];
      std: number[];
    };
    const size = 64 * 64 * 3;
    const values = new Float32Array(2 * count * size);
    for (let image = 0; image < count; image += 1) {
      const file = path.join(data, lines[image]!.split(',')[0]!);
      const pixels = await sharp(file).removeAlpha().raw().toBuffer();
      pixels.forEach((pixel, place) => {
        const [channel, x, y] = [place % 3, Math.floor(place / 3) % 64, Math.floor(place / 192)];
        const isDot = (y - 8) ** 2 + (x - 8) ** 2 <= 36;
        const scaled = (value: number) => (value - spec.mean[channel]!) / spec.std[channel]!;
        values[image * size + place] = scaled(isDot ? [0.45, 0.2, 0.6][channel]! : pixel / 255);
        values[(count + image) * size + place] = scaled(pixel / 255);
      });
    }
    return values;
  }
});
