import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { openDenseHead } from '../../../core/model/class-head.ts';
import type { DenseLayer } from '../../../core/model/unit-head.ts';
import { withBackend } from '../../helpers/tensors.ts';

const KERNEL = [1, 2, 3, 4, 5, 6]; // [2, 3]
const TRANSPOSED = [1, 4, 2, 5, 3, 6]; // [3, 2]
const UNITS = { count: 3, positive: 0, isShared: true, areClasses: true, output: 'score' } as const;

const layerOf = (isTransposed: boolean): DenseLayer => ({
  name: 'head',
  units: UNITS,
  width: 2,
  kernel: {
    name: 'kernel',
    entries: Float32Array.from(isTransposed ? TRANSPOSED : KERNEL),
    isTransposed,
  },
  bias: { name: 'bias', entries: Float32Array.of(0.5, -0.5, 0) },
});

describe('a head of several classes', () => {
  withBackend('cpu');

  it.each([false, true])('makes a logit of each class, sample by sample (transposed: %s)', (isTransposed) => {
    const head = openDenseHead(layerOf(isTransposed));
    expect(head.parameters).toMatchObject({ units: 3, classes: 3, positiveClass: null });
    expect(head.parameters.kernel.shape).toEqual([2, 3]);
    const features = tf.tensor2d([1, 0, 2, -1], [2, 2]);
    const logits = head.logits(features);
    expect(Array.from(logits.dataSync())).toEqual([
      1 + 0.5,
      2 - 0.5,
      3,
      2 * 1 - 4 + 0.5,
      2 * 2 - 5 - 0.5,
      2 * 3 - 6,
    ]);
    tf.dispose([features, logits]);
    head.dispose();
  });

  it.each([false, true])('gives tensors back in the order of the file (transposed: %s)', (isTransposed) => {
    const head = openDenseHead(layerOf(isTransposed));
    const unchanged = head.changes().get('kernel')!;
    expect(unchanged.after).toEqual(unchanged.before);
    tf.tidy(() => head.parameters.kernel.variable.assign(tf.tensor2d([1, 2, 3, 4, 5, 9], [2, 3])));
    const { after } = head.changes().get('kernel')!;
    expect(Array.from(after)).toEqual(isTransposed ? [1, 4, 2, 5, 3, 9] : [1, 2, 3, 4, 5, 9]);
    expect(Array.from(head.changes().get('bias')!.after)).toEqual([0.5, -0.5, 0]);
    head.dispose();
  });

  it('refuses a tensor of the wrong size', () => {
    const bias = { name: 'bias', entries: Float32Array.of(1, 2) };
    expect(() => openDenseHead({ ...layerOf(false), bias })).toThrow(
      'expected 3 entries of "bias", received 2',
    );
  });

  it('is of one class unless all are tuned', () => {
    const head = openDenseHead({
      ...layerOf(false),
      units: { count: 3, positive: 0, isShared: true, output: 'score' },
    });
    expect(head.parameters).toMatchObject({ classes: 1, positiveClass: 0 });
    head.dispose();
  });
});
