import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Parameter } from '../../../core/model/classifier.ts';
import type { ImportanceOptions } from '../../../worker/bmft/importance.ts';
import { importancesOf } from '../../../worker/bmft/importance.ts';
import type { Batch } from '../../../worker/training/batch.ts';
import { taskLoss } from '../../helpers/losses.ts';
import { makeSet, memoryInputs } from '../../helpers/made-data.ts';
import { expectClose, expectNoLeak, noise, withBackend } from '../../helpers/tensors.ts';

type Options = ImportanceOptions<'taskLoss' | 'disparityLoss'>;

const WIDTH = 3;
const LABELS = [1, 0, 1, 1, 0, 0, 1, 0];
const FEATURES = noise(LABELS.length * WIDTH, 4);
const WEIGHTS = [0.5, -1, 2];
const BIAS = 0.25;

const set = makeSet({
  labels: LABELS,
  groups: LABELS.map((_, row) => row % 2),
  inputs: memoryInputs(FEATURES, [WIDTH]),
});

describe('importancesOf', () => {
  withBackend('wasm');

  let kernel: tf.Variable<tf.Rank.R2>;
  let bias: tf.Variable<tf.Rank.R1>;
  let idle: tf.Variable<tf.Rank.R1>;
  const parameter = (name: string, variable: tf.Variable): Parameter => ({
    name,
    layer: 'head',
    shape: variable.shape,
    variable,
  });

  beforeAll(() => {
    kernel = tf.variable(tf.tensor2d(WEIGHTS, [WIDTH, 1]));
    bias = tf.variable(tf.tensor1d([BIAS]));
    idle = tf.variable(tf.tensor1d([7, 7]));
  });
  afterAll(() => tf.dispose([kernel, bias, idle]));

  /** The other loss is twice as large, and so its gradients. */
  const logisticLosses = ({ inputs, ...truth }: Batch) => {
    const logits = tf.reshape(tf.add(tf.matMul(inputs as tf.Tensor2D, kernel), bias), [-1]) as tf.Tensor1D;
    const loss = taskLoss(logits, truth, 'batch');
    return { taskLoss: loss, disparityLoss: tf.mul(loss, 2) as tf.Scalar };
  };

  const runBoth = (batches: Options['batches'], lossesOf: Options['lossesOf'] = logisticLosses) =>
    importancesOf({
      set,
      parameters: [parameter('kernel', kernel), parameter('bias', bias), parameter('idle', idle)],
      batches,
      lossesOf,
    });
  const run = async (...about: Parameters<typeof runBoth>) => (await runBoth(...about)).taskLoss;

  /** Σ_i w_i (p_i - y_i) x_i, squared and averaged over batches; the bias has x = 1. */
  function closedForm(batches: readonly (readonly number[])[]) {
    const gradients = batches.map((rows) => {
      const positives = rows.filter((row) => LABELS[row] === 1).length;
      const residuals = rows.map((row) => {
        const x = FEATURES.subarray(row * WIDTH, (row + 1) * WIDTH);
        const logit = x.reduce((sum, value, place) => sum + value * WEIGHTS[place]!, BIAS);
        const weight = (LABELS[row] ? rows.length - positives : positives) / rows.length ** 2;
        return { x, residual: weight * (1 / (1 + Math.exp(-logit)) - LABELS[row]!) };
      });
      return Array.from({ length: WIDTH + 1 }, (_, place) =>
        residuals.reduce((sum, { x, residual }) => sum + residual * (x[place] ?? 1), 0),
      );
    });
    return Array.from({ length: WIDTH + 1 }, (_, place) =>
      gradients.reduce((sum, gradient) => sum + gradient[place]! ** 2 / batches.length, 0),
    );
  }

  test('of logistic regression has its closed form', async () => {
    const batches = [
      [0, 1, 2],
      [3, 4, 5],
      [6, 7],
    ];
    const { all } = await run(batches);
    const expected = closedForm(batches);
    expectClose(all.get('kernel')!, expected.slice(0, WIDTH), 1e-5);
    expectClose(all.get('bias')!, expected.slice(WIDTH), 1e-5);
  });

  test('squares the gradient of the batch mean, not that of each sample', async () => {
    const together = closedForm([[0, 1, 2, 3]]);
    const apart = closedForm([
      [0, 1],
      [2, 3],
    ]);
    expect(Math.abs(together[0]! - apart[0]!)).toBeGreaterThan(1e-3);
    expectClose((await run([[0, 1, 2, 3]])).all.get('kernel')!, together.slice(0, WIDTH), 1e-5);
  });

  test.each([2, 3])('of the two halves averages to the whole over %i batches', async (count) => {
    const batches = [
      [0, 1, 2],
      [3, 4, 5],
      [6, 7],
    ].slice(0, count);
    const { all, halves } = await run(batches);
    const [even, odd] = halves!;
    const evenShare = Math.ceil(count / 2) / count;
    for (const [name, values] of all) {
      const averaged = values.map(
        (_, place) => evenShare * even.get(name)![place]! + (1 - evenShare) * odd.get(name)![place]!,
      );
      expectClose(averaged, values, 1e-12);
    }
    expectClose(even.get('kernel')!, closedForm(batches.filter((_, k) => k % 2 === 0)).slice(0, WIDTH), 1e-5);
  });

  test('is that of each loss, over all batches as over the halves', async () => {
    const { taskLoss: task, disparityLoss: disparity } = await runBoth([[0, 1, 2], [3, 4, 5], [6]]);
    const fourfold = ([...values]: Float64Array) => values.map((value) => 4 * value);
    for (const name of ['kernel', 'bias', 'idle']) {
      expect([...disparity.all.get(name)!]).toEqual(fourfold(task.all.get(name)!));
      expect([...disparity.halves![1].get(name)!]).toEqual(fourfold(task.halves![1].get(name)!));
    }
  });

  test('has no halves with one batch', async () => {
    expect((await run([[0, 1]])).halves).toBeNull();
  });

  test('is 0 for a weight that the loss does not depend on', async () => {
    expect([...(await run([[0, 1]])).all.get('idle')!]).toEqual([0, 0]);
  });

  test('counts batches as they are done', async () => {
    let done = 0;
    await importancesOf({
      set,
      parameters: [parameter('kernel', kernel)],
      batches: [[0], [1], [2]],
      lossesOf: logisticLosses,
      onBatch: () => {
        done += 1;
      },
    });
    expect(done).toBe(3);
  });

  test('names the weight whose gradient is not finite', async () => {
    idle.assign(tf.tensor1d([0, 7]));
    const broken = (batch: Batch) => {
      const terms = logisticLosses(batch);
      // the square root of 0 is finite, its slope is not
      return { ...terms, taskLoss: tf.add(terms.taskLoss, tf.sum(tf.sqrt(idle))) as tf.Scalar };
    };
    await expect(run([[0, 1]], broken)).rejects.toMatchObject({
      code: 'NON_FINITE',
      details: { weight: 'idle' },
    });
    idle.assign(tf.tensor1d([7, 7]));
  });

  test('names the loss that is not finite', async () => {
    const broken = (batch: Batch) => {
      const terms = logisticLosses(batch);
      return { ...terms, taskLoss: tf.mul(terms.taskLoss, Number.POSITIVE_INFINITY) as tf.Scalar };
    };
    await expect(run([[0, 1]], broken)).rejects.toMatchObject({
      code: 'NON_FINITE',
      details: { where: 'task loss' },
    });
  });

  test('leaves weights and tensors as they were', async () => {
    const before = Array.from(kernel.dataSync());
    await expectNoLeak(() =>
      run([
        [0, 1, 2],
        [3, 4],
      ]),
    );
    expect(Array.from(kernel.dataSync())).toEqual(before);
  });
});
