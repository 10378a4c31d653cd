import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { makeOperation } from '../../../../../../core/model/formats/keras/layers/operations.ts';
import { specOf } from '../../../../../helpers/keras.ts';
import { withBackend } from '../../../../../helpers/tensors.ts';

const x = { layer: 'x', node: 0 };

describe('makeOperation', () => {
  withBackend('cpu');

  it.each([
    ['Subtract', [x, 2], 3 - 2],
    ['Subtract', [2, x], 2 - 3],
    ['TrueDivide', [12, x], 12 / 3],
    ['Maximum', [x, 5], 5],
    ['Minimum', [x, 5], 3],
    ['Square', [x], 9],
    ['Negative', [x], -3],
    ['Relu', [x], 3],
  ])('%s of %o', (kind, operands, expected) => {
    const layer = makeOperation({ ...specOf(kind), operands });
    expect(tf.tidy(() => (layer.apply(tf.tensor2d([[3]])) as tf.Tensor).dataSync()[0])).toBe(expected);
  });

  it.each([
    ['Mean', { axis: [1, 2] }, [null, 3]],
    ['Max', { axis: -1, keepdims: true }, [null, 4, 5, 1]],
    ['Sum', { axis: 2 }, [null, 4, 3]],
    ['Abs', null, null],
    ['constructor', null, null],
  ] as const)('%s over axes has the shape that it says', (kind, config, shape) => {
    if (config === null) {
      expect(() => makeOperation(specOf(kind))).toThrow(`(${kind}): is an operation that is not supported`);
      return;
    }
    expect(makeOperation(specOf(kind, config)).computeOutputShape([null, 4, 5, 3])).toEqual(shape);
  });

  it('spreads shapes over each other', () => {
    const layer = makeOperation({ ...specOf('Add'), operands: [x, x] });
    expect(
      layer.computeOutputShape([
        [null, 4, 4, 3],
        [null, 1, 1, 3],
      ]),
    ).toEqual([null, 4, 4, 3]);
    expect(layer.computeOutputShape([[3], [null, 4, 1]])).toEqual([null, 4, 3]);
  });
});
