import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Classifier } from '../../../core/model/classifier.ts';
import { INFERENCE } from '../../../core/model/classifier.ts';
import { loadTfjsLayers } from '../../../core/model/formats/tfjs-layers.ts';
import { startBackend } from '../../../worker/backend.ts';
import type { Importance } from '../../../worker/bmft/importance.ts';
import { importancesOf } from '../../../worker/bmft/importance.ts';
import type { Mask } from '../../../worker/bmft/mask.ts';
import { hardMask, importanceRatio, softMask } from '../../../worker/bmft/mask.ts';
import type { Objective } from '../../../worker/bmft/objective.ts';
import { batchLoss, lossTerms } from '../../../worker/bmft/objective.ts';
import { PRESETS } from '../../../worker/bmft/options.ts';
import { refitHead } from '../../../worker/bmft/refit-head.ts';
import { tuneBody } from '../../../worker/bmft/tune-body.ts';
import { makeRandom } from '../../../worker/random.ts';
import { truthOf } from '../../../worker/training/batch.ts';
import { expected, oracleTensors, SMALL_CNN, smallCnnSet } from '../../helpers/small-cnn.ts';

const RELEASED = PRESETS['bmft-released'];

const signed: Objective = {
  groupCount: 2,
  metric: 'equalizedOdds',
  disparity: RELEASED.disparity,
  classWeights: 'batch',
};
const absolute: Objective = {
  ...signed,
  disparity: { ...RELEASED.disparity, form: 'absolute', surrogate: 'score' },
};

const TOLERANCE = 1e-4;

/** A gradient that cancels to 0 in float64 leaves rounding in float32; this share of the largest entry of all. */
const ROUNDING = 1e-6;

/** One assertion for all entries, of which there are tens of thousands. */
function expectEach(
  values: readonly number[],
  isClose: (value: number, place: number) => boolean,
  name = 'entry',
) {
  const far = values.flatMap((value, place) =>
    isClose(value, place) ? [] : [`${name}[${place}]: ${value}`],
  );
  expect(far).toEqual([]);
}

/** Every entry within 1e-4 of the oracle, relative to the largest entry of its tensor. */
function expectTensors(
  actual: ReadonlyMap<string, ArrayLike<number>>,
  oracle: ReadonlyMap<string, Float32Array>,
) {
  const largest = (values: Float32Array) =>
    values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const overall = Math.max(...[...oracle.values()].map(largest));
  for (const [name, values] of oracle) {
    const received = Array.from(actual.get(name) ?? []);
    expect(received, name).toHaveLength(values.length);
    const bound = TOLERANCE * Math.max(largest(values), ROUNDING * overall);
    const isClose = (value: number, place: number) => Math.abs(value - values[place]!) <= bound;
    expectEach(received, isClose, name);
  }
}

/** Every entry within 1e-4, relative to itself or to `floor` where that is larger. */
function expectRelative(actual: readonly number[], oracle: readonly number[], floor = 0) {
  expect(actual).toHaveLength(oracle.length);
  const isClose = (value: number, place: number) =>
    Math.abs(value - oracle[place]!) <= TOLERANCE * Math.max(Math.abs(oracle[place]!), floor);
  expectEach(actual, isClose);
}

describe.each(['wasm', 'cpu'] as const)('small-cnn oracle on %s', (backend) => {
  let model: Classifier;
  const importances: Record<'task' | 'signed-logit' | 'abs-score', Importance> = {} as never;
  beforeAll(async () => {
    await startBackend(backend, { threads: 1 });
    model = await loadTfjsLayers(SMALL_CNN);
    const { taskLoss: task, disparityLoss: disparity } = await importancesBy(signed);
    Object.assign(importances, { task: task.all, 'signed-logit': disparity.all });
    importances['abs-score'] = (await importancesBy(absolute)).disparityLoss.all;
  });
  afterAll(() => model.dispose());

  const weightsOf = (of: Classifier) => {
    const parameters = [...of.body, of.head.kernel, of.head.bias!];
    return new Map(parameters.map(({ name, variable }) => [name, variable.dataSync()]));
  };
  const sizes = () => new Map([...weightsOf(model)].map(([name, { length }]) => [name, length]));

  const importancesBy = (objective: Objective) =>
    importancesOf({
      set: smallCnnSet,
      parameters: [...model.body, model.head.kernel, model.head.bias!],
      batches: expected.batches,
      lossesOf: batchLoss(model, { objective, weights: { taskWeight: 1, disparityWeight: 1 } }),
    });

  const oracleMask: Mask = { values: oracleTensors(expected.mask), notes: new Map() };

  const stage1 = async (of: Classifier, objective: Objective, options: typeof RELEASED.body) =>
    tuneBody({
      model: of,
      set: smallCnnSet,
      mask: oracleMask,
      objective,
      options: { ...options, epochs: 2 },
      settings: { learningRate: 1e-2, disparityWeight: 1 },
      batchesOf: () => expected.batches,
      random: makeRandom(0),
    });
  const frozenOptions = { ...RELEASED.body, weightDecay: 0, normalizationMoves: false };

  test('logits and losses', async () => {
    const images = await smallCnnSet.inputs.batch(smallCnnSet.rows);
    const logits = model.logits(images, INFERENCE);
    expectRelative(Array.from(logits.dataSync()), expected.logits, 1e-2);
    const lossesOf = (objective: Objective, term: 'taskLoss' | 'disparityLoss') =>
      expected.batches.map((rows) => {
        const loss = tf.tidy(() => {
          const batch = tf.gather(logits, tf.tensor1d(rows, 'int32')) as tf.Tensor1D;
          const weights = { taskWeight: 1, disparityWeight: 1 };
          return lossTerms(batch, truthOf(smallCnnSet, rows), { objective, weights })[term];
        });
        const value = loss.dataSync()[0]!;
        loss.dispose();
        return value;
      });
    expectRelative(lossesOf(signed, 'taskLoss'), expected.loss.task);
    expectRelative(lossesOf(signed, 'disparityLoss'), expected.loss['disparity-signed-logit']);
    expectRelative(lossesOf(absolute, 'disparityLoss'), expected.loss['disparity-abs-score']);
    tf.dispose([images, logits]);
  });

  test.each(['task', 'signed-logit', 'abs-score'] as const)('importance: %s', (kind) => {
    expectTensors(importances[kind], oracleTensors(expected.importance[kind]));
  });

  test('ratio, hard mask and soft mask', () => {
    const { task, 'signed-logit': disparity } = importances;
    const ratio = importanceRatio({ disparity, task }, RELEASED.mask);
    const oracleRatio = oracleTensors(expected.ratio);
    expect(ratio.values.has('head/bias')).toBe(false);
    expect(ratio.notes.get('head/bias')).toMatch(/one weight only/);
    for (const [name, values] of oracleRatio) {
      // a ratio below 1 is a small numerator, whose own rounding shows: 2 of 1432 are off by up to 2e-4 of themselves
      expectRelative(Array.from(ratio.values.get(name)!), Array.from(values), 1);
    }
    const body = model.body.map(({ name }) => name);
    const mask = hardMask(ratio, { sizes: sizes(), body, percent: 50 });
    expectTensors(mask.values, oracleTensors(expected.mask));
    const selected = [...mask.values].map(([name, values]) => [name, values.reduce((a, b) => a + b, 0)]);
    expect(Object.fromEntries(selected)).toEqual(expected.mask.selected);
    expectTensors(softMask(ratio, sizes()).values, oracleTensors(expected.softMask));
  });

  test('stage 1 as released: batch norm moves, weight decay after the mask', async () => {
    const tuned = await loadTfjsLayers(SMALL_CNN);
    const losses = await stage1(tuned, signed, RELEASED.body);
    expectRelative(
      losses.map(({ loss }) => loss),
      expected.stage1Released.losses,
      1e-2,
    );
    expectTensors(weightsOf(tuned), oracleTensors(expected.stage1Released));
    tuned.dispose();
  });

  test('stage 1 frozen, then stage 2', async () => {
    const tuned = await loadTfjsLayers(SMALL_CNN);
    const before = weightsOf(tuned);
    const losses = await stage1(tuned, absolute, frozenOptions);
    expectRelative(
      losses.map(({ loss }) => loss),
      expected.stage1Frozen.losses,
      1e-2,
    );
    expectTensors(weightsOf(tuned), oracleTensors(expected.stage1Frozen));
    for (const [name, entries] of oracleMask.values) {
      const frozen = (values: ArrayLike<number>) =>
        Array.from(values).filter((_, place) => entries[place] === 0);
      expect(frozen(weightsOf(tuned).get(name)!), name).toEqual(frozen(before.get(name)!));
    }
    const refit = await refitHead({
      model: tuned,
      set: smallCnnSet,
      mask: oracleMask,
      objective: absolute,
      options: {
        ...(RELEASED.head as Extract<typeof RELEASED.head, { solver: 'epochs' }>),
        learningRates: [1e-2],
        weightDecay: 0,
        epochs: 2,
        augment: false,
        normalizationMoves: false,
      },
      batchesOf: () => expected.batches,
      random: makeRandom(0),
    });
    expectRelative(
      refit.map(({ loss }) => loss),
      expected.stage2.losses,
    );
    expectTensors(weightsOf(tuned), oracleTensors(expected.stage2));
    tuned.dispose();
  });
});
