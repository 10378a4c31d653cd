import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { countClasses } from '../../../worker/bmft/losses.ts';
import { taskLoss } from '../../helpers/losses.ts';
import { centralDifferences, valueAndGradient } from '../../helpers/made-data.ts';
import { expectClose, expectNoLeak, withBackend } from '../../helpers/tensors.ts';

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const sigmoid = (logit: number) => 1 / (1 + Math.exp(-logit));

/** c · mean[ b·y·(-log p) + (1-y)·(-log(1-p)) ] with b = n-/n+ and c = n+/n */
function taskIdentity(logits: readonly number[], labels: readonly number[]): number {
  const positives = labels.filter((label) => label === 1).length;
  const b = (labels.length - positives) / positives;
  const c = positives / labels.length;
  const terms = logits.map((logit, row) =>
    labels[row] === 1 ? b * -Math.log(sigmoid(logit)) : -Math.log(sigmoid(-logit)),
  );
  return c * mean(terms);
}

const logitArbitrary = fc.double({ min: -6, max: 6, noNaN: true });

describe('taskLoss', () => {
  withBackend('wasm');

  const twoClasses = fc
    .array(fc.record({ logit: logitArbitrary, label: fc.constantFrom(0, 1) }), {
      minLength: 2,
      maxLength: 24,
    })
    .filter((rows) => new Set(rows.map(({ label }) => label)).size === 2)
    .map((rows) => ({ logits: rows.map(({ logit }) => logit), labels: rows.map(({ label }) => label) }));
  const truthOf = (labels: readonly number[]) => ({
    labels: Int32Array.from(labels),
    groups: new Int32Array(labels.length),
  });

  test('is c · mean[b · y · (-log p) + (1-y) · (-log(1-p))], and so is its gradient', () => {
    fc.assert(
      fc.property(twoClasses, ({ logits, labels }) => {
        const { value, gradient } = valueAndGradient((z) => taskLoss(z, truthOf(labels), 'batch'), logits);
        expectClose([value], [taskIdentity(logits, labels)], 1e-5);
        expectClose(
          gradient,
          centralDifferences((at) => taskIdentity(at, labels), logits),
          1e-4,
        );
      }),
      { seed: 1, numRuns: 50 },
    );
  });

  test('is (n+ n- / n²) times the sum of both class means', () => {
    const logits = [2, -1, 0.5, 1, -3];
    const labels = [1, 0, 1, 0, 0];
    const nllOfPositives = mean([Math.log1p(Math.exp(-2)), Math.log1p(Math.exp(-0.5))]);
    const nllOfNegatives = mean([
      Math.log1p(Math.exp(-1)),
      Math.log1p(Math.exp(1)),
      Math.log1p(Math.exp(-3)),
    ]);
    const { value } = valueAndGradient((z) => taskLoss(z, truthOf(labels), 'batch'), logits);
    expect(value).toBeCloseTo(((2 * 3) / 5 ** 2) * (nllOfPositives + nllOfNegatives), 6);
  });

  test.each([0, 1])('a batch of class %i alone gives 0 and no gradient', (label) => {
    const { value, gradient } = valueAndGradient(
      (z) => taskLoss(z, truthOf([label, label, label]), 'batch'),
      [3, -2, 0],
    );
    expect(value).toBe(0);
    expect(gradient.map(Math.abs)).toEqual([0, 0, 0]);
  });

  test('with the counts of the whole set, batch losses average to the loss of the set', () => {
    fc.assert(
      fc.property(twoClasses, fc.integer({ min: 1, max: 8 }), ({ logits, labels }, batchSize) => {
        const counts = countClasses(labels);
        const starts = Array.from(
          { length: Math.ceil(labels.length / batchSize) },
          (_, at) => at * batchSize,
        );
        const total = starts.reduce((sum, start) => {
          const truth = truthOf(labels.slice(start, start + batchSize));
          const batch = logits.slice(start, start + batchSize);
          return sum + batch.length * valueAndGradient((z) => taskLoss(z, truth, counts), batch).value;
        }, 0);
        expectClose([total / labels.length], [taskIdentity(logits, labels)], 1e-5);
      }),
      { seed: 2, numRuns: 30 },
    );
  });

  test('stays finite where the score rounds to 0 or 1', () => {
    const { value, gradient } = valueAndGradient((z) => taskLoss(z, truthOf([1, 0]), 'batch'), [-500, 500]);
    expect(value).toBe((1 / 4) * (500 + 500));
    expect(gradient).toEqual([-1 / 4, 1 / 4]);
  });

  test('keeps no tensor but its result', async () => {
    const logits = tf.tensor1d([1, 2]);
    await expectNoLeak(() => taskLoss(logits, truthOf([0, 1]), 'batch').dispose());
    logits.dispose();
  });
});

describe('countClasses', () => {
  test('counts positives and negatives', () => {
    expect(countClasses([1, 0, 0, 1, 0])).toEqual({ positives: 2, negatives: 3 });
    expect(countClasses([])).toEqual({ positives: 0, negatives: 0 });
  });
});
