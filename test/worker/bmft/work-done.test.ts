import { layers, sequential } from '@tensorflow/tfjs-layers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Classifier } from '../../../core/model/classifier.ts';
import { loadTfjsLayers } from '../../../core/model/formats/tfjs-layers.ts';
import type { Mask } from '../../../worker/bmft/mask.ts';
import { makeObjective } from '../../../worker/bmft/objective.ts';
import type { EpochsHeadOptions } from '../../../worker/bmft/options.ts';
import { PRESETS } from '../../../worker/bmft/options.ts';
import { refitHead } from '../../../worker/bmft/refit-head.ts';
import { tuneBody } from '../../../worker/bmft/tune-body.ts';
import { makeRandom } from '../../../worker/random.ts';
import { useTempFolder } from '../../helpers/files.ts';
import { kernelCalls } from '../../helpers/kernels.ts';
import { allParameters, makeSet, writeFilled } from '../../helpers/made-data.ts';
import { withBackend } from '../../helpers/tensors.ts';

const rows = Array.from({ length: 16 }, (_, row) => row);
const set = makeSet({
  labels: rows.map((row) => row % 2),
  groups: rows.map((row) => (row >> 1) % 2),
  sampleShape: [6, 6, 2],
});
const BATCHES = [rows.slice(0, 8), rows.slice(8)];

const RELEASED = PRESETS['bmft-released'].head as EpochsHeadOptions;

/** Kernels that are called once for each convolution, forward and backward. */
const CONVOLUTION = {
  forward: 'FusedConv2D',
  byInput: 'Conv2DBackpropInput',
  byFilter: 'Conv2DBackpropFilter',
};

describe('the kernels that run', () => {
  withBackend('wasm');
  const folder = useTempFolder();
  let model: Classifier;

  beforeAll(async () => {
    const convolution = (name: string) => layers.conv2d({ name, filters: 3, kernelSize: 3, padding: 'same' });
    const network = sequential({
      layers: [
        layers.inputLayer({ inputShape: [6, 6, 2] }),
        convolution('first'),
        layers.batchNormalization({ name: 'norm' }),
        layers.reLU(),
        convolution('second'),
        layers.reLU(),
        convolution('third'),
        layers.globalAveragePooling2d({}),
        layers.dense({ name: 'head', units: 1 }),
      ],
    });
    model = await loadTfjsLayers(await writeFilled(folder.at('model'), network));
  });
  afterAll(() => model.dispose());

  const maskOf = (...layersInMask: readonly string[]): Mask => ({
    values: new Map(
      allParameters(model).map(({ name, layer, variable }) => [
        name,
        new Float32Array(variable.size).fill(layersInMask.includes(layer) ? 1 : 0),
      ]),
    ),
    notes: new Map(),
  });

  /** Calls for each batch. */
  async function convolutionsOf(run: () => Promise<unknown>) {
    const calls = await kernelCalls(run);
    const entries = Object.entries(CONVOLUTION);
    return Object.fromEntries(entries.map(([name, kernel]) => [name, (calls[kernel] ?? 0) / BATCHES.length]));
  }

  describe('in an epoch of stage 1', () => {
    const stage1 = (mask: Mask) => () =>
      tuneBody({
        model,
        set,
        mask,
        objective: makeObjective(PRESETS.robust, set),
        options: { ...PRESETS.robust.body, epochs: 1 },
        settings: { learningRate: 0.01, disparityWeight: 1 },
        batchesOf: () => BATCHES,
        random: makeRandom(1),
      });

    test.each([
      [['first', 'norm', 'second', 'third'], { forward: 3, byInput: 2, byFilter: 3 }],
      [['norm', 'third'], { forward: 3, byInput: 2, byFilter: 1 }],
      [['second'], { forward: 3, byInput: 1, byFilter: 1 }],
      [['third'], { forward: 3, byInput: 0, byFilter: 1 }],
    ])('with a mask on %j go back no further than to the lowest of them', async (layersInMask, expected) => {
      expect(await convolutionsOf(stage1(maskOf(...layersInMask)))).toEqual(expected);
    });
  });

  describe('in two epochs of stage 2', () => {
    const stage2 = (changes: Partial<EpochsHeadOptions>) => () =>
      refitHead({
        model,
        set,
        mask: maskOf(),
        objective: makeObjective(PRESETS['bmft-released'], set),
        options: { ...RELEASED, ...changes, epochs: 2 },
        batchesOf: () => BATCHES,
        random: makeRandom(1),
      });

    test.each([
      ['at each step', {}, 2 * 3],
      ['at each step', { normalizationMoves: false }, 2 * 3],
      ['at each step', { augment: false }, 2 * 3],
      ['once for each sample', { augment: false, normalizationMoves: false }, 3],
    ])('go forward through the body %s and never back: %j', async (_, changes, forward) => {
      expect(await convolutionsOf(stage2(changes))).toEqual({ forward, byInput: 0, byFilter: 0 });
    });
  });
});
