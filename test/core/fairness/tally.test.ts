import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { ShapeMismatchError } from '../../../core/errors.ts';
import { confusionOf, tally } from '../../../core/fairness/tally.ts';
import { startBackend } from '../../../worker/backend.ts';

describe.each(['wasm', 'cpu'] as const)('tally on %s', (backend) => {
  beforeAll(async () => {
    await startBackend(backend);
  });

  test('counts each cell, an absent group included, and leaks no tensor', () => {
    const before = tf.memory().numTensors;
    const cells = tally({
      groups: Int32Array.of(0, 0, 0, 0, 2, 2, 2),
      labels: Int32Array.of(0, 0, 1, 1, 1, 1, 0),
      predictions: Int32Array.of(0, 1, 0, 1, 1, 1, 1),
      groupCount: 3,
    });
    expect([0, 1, 2].map((group) => confusionOf(cells, group))).toEqual([
      { trueNegatives: 1, falsePositives: 1, falseNegatives: 1, truePositives: 1 },
      { trueNegatives: 0, falsePositives: 0, falseNegatives: 0, truePositives: 0 },
      { trueNegatives: 0, falsePositives: 1, falseNegatives: 0, truePositives: 2 },
    ]);
    expect(tf.memory().numTensors).toBe(before);
  });

  test('refuses arrays of different length', () => {
    const one = Int32Array.of(1);
    expect(() =>
      tally({ groups: one, labels: one, predictions: Int32Array.of(1, 0), groupCount: 2 }),
    ).toThrow(ShapeMismatchError);
  });
});

test('counts stay exact over more rows than one chunk', async () => {
  await startBackend('wasm');
  const size = 2 ** 22 + 3;
  const ones = new Int32Array(size).fill(1);
  const cells = tally({ groups: new Int32Array(size), labels: ones, predictions: ones, groupCount: 1 });
  expect(Array.from(cells)).toEqual([0, 0, 0, size]);
});
