import { readFile } from 'node:fs/promises';
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Classifier } from '../../../core/model/classifier.ts';
import { loadTfjsLayers } from '../../../core/model/formats/tfjs-layers.ts';
import type { Mask } from '../../../worker/bmft/mask.ts';
import { makeObjective } from '../../../worker/bmft/objective.ts';
import type { EpochsHeadOptions } from '../../../worker/bmft/options.ts';
import { PRESETS } from '../../../worker/bmft/options.ts';
import { refitHead } from '../../../worker/bmft/refit-head.ts';
import { makeRandom } from '../../../worker/random.ts';
import { useTempFolder } from '../../helpers/files.ts';
import { bitsOf, makeSet, writeFilled } from '../../helpers/made-data.ts';
import { expectNoLeak, withBackend } from '../../helpers/tensors.ts';

const RELEASED = PRESETS['bmft-released'].head as EpochsHeadOptions;
const SWIFT = PRESETS['swift-released'].head as EpochsHeadOptions;

const rows = Array.from({ length: 16 }, (_, row) => row);
const set = makeSet({
  labels: rows.map((row) => row % 2),
  groups: rows.map((row) => (row >> 1) % 2),
});

describe('refitHead', () => {
  withBackend('wasm');
  const folder = useTempFolder();
  let model: Classifier;

  beforeAll(async () => {
    await writeFilled(
      folder.at('model'),
      sequential({
        layers: [
          layers.dense({ name: 'hidden', units: 4, inputShape: [3] }),
          layers.batchNormalization({ name: 'norm', momentum: 0.9 }),
          layers.dropout({ name: 'drop', rate: 0.25 }),
          layers.dense({ name: 'head', units: 1 }),
        ],
      }),
    );
  });
  beforeEach(async () => {
    model = await loadTfjsLayers(folder.at('model'));
  });
  afterEach(() => model.dispose());

  const maskOf = (kernel: readonly number[], bias: number): Mask => ({
    values: new Map([
      ['head/kernel', Float32Array.from(kernel)],
      ['head/bias', Float32Array.of(bias)],
    ]),
    notes: new Map(),
  });
  const EMPTY = maskOf([0, 0, 0, 0], 0);
  const refit = (options: EpochsHeadOptions, { mask = EMPTY, seed = 1, batches = [rows] } = {}) =>
    refitHead({
      model,
      set,
      mask,
      objective: makeObjective(PRESETS['bmft-released'], set),
      options,
      batchesOf: () => batches,
      random: makeRandom(seed),
    });
  const kernel = () => Array.from(model.head.kernel.variable.dataSync());

  /** The head as it stands when the first loss is taken: no step has an effect at this rate. */
  const onlyReset = { epochs: 1, learningRates: [1e-30], weightDecay: 0, normalizationMoves: false };

  test('as released, starts from a head of zeros: the first loss is that of a score of one half', async () => {
    const [first] = await refit({ ...RELEASED, ...onlyReset });
    const balanced = (1 / 4) * (Math.LN2 + Math.LN2);
    expect(first!.taskLoss).toBeCloseTo(balanced, 6);
    expect(first!.disparityLoss).toBe(0);
    expect(Math.max(...kernel().map(Math.abs))).toBeLessThan(1e-20);
  });

  test('as SWiFT has it, resets only the weights whose mask exceeds the mean', async () => {
    const before = kernel();
    await refit({ ...SWIFT, ...onlyReset }, { mask: maskOf([1, 0, 0.1, 0.9], 0.5) });
    const after = kernel();
    expect(after[1]).toBe(before[1]);
    expect(after[2]).toBe(before[2]);
    expect(Math.abs(after[0]!)).toBeLessThan(1e-20);
    expect(Math.abs(after[3]!)).toBeLessThan(1e-20);
  });

  test('lowers its loss and leaves the body’s weights bit-identical', async () => {
    const before = bitsOf(model);
    const options = { ...RELEASED, learningRates: [0.1], normalizationMoves: false, epochs: 10 };
    const losses = await refit(options);
    expect(losses).toHaveLength(10);
    expect(losses.at(-1)!.loss).toBeLessThan(losses[0]!.loss);
    const after = bitsOf(model);
    for (const { name } of [...model.body, ...model.statistics])
      expect(after[name], name).toEqual(before[name]);
  });

  test('moves batch norm’s statistics as released, and still no weight of the body', async () => {
    const before = bitsOf(model);
    await refit(RELEASED);
    const after = bitsOf(model);
    for (const { name } of model.statistics) expect(after[name], name).not.toEqual(before[name]);
    for (const { name } of model.body) expect(after[name], name).toEqual(before[name]);
  });

  test('takes one step of momentum SGD with decay a batch, as PyTorch has it', async () => {
    const [rate, decay, momentum] = [0.05, 0.2, 0.9];
    const options = {
      ...SWIFT,
      epochs: 1,
      learningRates: [rate],
      weightDecay: decay,
      momentum,
      taskWeight: 0,
      disparityWeight: 0,
      normalizationMoves: false,
    };
    const before = kernel(); // a mask without contrast resets nothing, a loss of 0 leaves decay alone
    await refit(options, { batches: [rows, rows] });
    kernel().forEach((weight, place) => {
      const first = before[place]! * (1 - rate * decay);
      const velocity = momentum * decay * before[place]! + decay * first;
      expect(weight).toBeCloseTo(first - rate * velocity, 6);
    });
  });

  test('repeats from the same seed, dropout included', async () => {
    await refit(RELEASED);
    const first = bitsOf(model);
    const again = async (seed: number) => {
      model.dispose();
      model = await loadTfjsLayers(folder.at('model'));
      await refit(RELEASED, { seed });
      return bitsOf(model);
    };
    expect(await again(1)).toEqual(first);
    expect(await again(2)).not.toEqual(first);
  });

  test('of one class among several starts from what the others make of the features', async () => {
    const layersModel = sequential({
      layers: [layers.dense({ name: 'head', units: 3, activation: 'softmax', inputShape: [3] })],
    });
    model.dispose();
    const options = { positiveClass: 1 };
    model = await loadTfjsLayers(await writeFilled(folder.at('classes'), layersModel), options);
    const weights = new Float32Array(new Uint8Array(await readFile(folder.at('classes/weights.bin'))).buffer);
    const unit = (index: number, features: ArrayLike<number>) =>
      [0, 1, 2].reduce(
        (sum, place) => sum + features[place]! * weights[3 * place + index]!,
        weights[9 + index]!,
      );
    const inputs = await set.inputs.batch(rows);
    const values = inputs.dataSync();
    inputs.dispose();
    // two others: −log(e^d + e^−d), with d half of their difference
    const taskLoss = rows.reduce((sum, row) => {
      const features = values.subarray(3 * row, 3 * row + 3);
      const half = (unit(0, features) - unit(2, features)) / 2;
      const logit = -Math.log(Math.exp(half) + Math.exp(-half));
      return sum + Math.log1p(Math.exp(set.labels[row] ? -logit : logit)) / 2;
    }, 0);
    const mask = {
      values: new Map([
        ['head/kernel', new Float32Array(3)],
        ['head/bias', new Float32Array(1)],
      ]),
      notes: new Map(),
    };
    const [first] = await refit({ ...RELEASED, ...onlyReset }, { mask });
    expect(first!.taskLoss).toBeCloseTo(taskLoss / rows.length, 6);
    const losses = await refit({ ...RELEASED, learningRates: [0.1] }, { mask });
    expect(losses.at(-1)!.loss).toBeLessThan(losses[0]!.loss);
  });

  test('works for a head without bias', async () => {
    const layersModel = sequential({
      layers: [layers.dense({ name: 'head', units: 1, useBias: false, inputShape: [3] })],
    });
    model.dispose();
    model = await loadTfjsLayers(await writeFilled(folder.at('plain'), layersModel));
    const mask = { values: new Map([['head/kernel', new Float32Array(3)]]), notes: new Map() };
    expect(await refit(RELEASED, { mask })).toHaveLength(RELEASED.epochs);
  });

  test('leaves no tensor', async () => {
    await refit(RELEASED);
    await expectNoLeak(() => refit(RELEASED));
    expect(tf.memory().unreliable).not.toBe(true);
  });
});
