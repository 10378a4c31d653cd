import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { expectNoLeak, valuesOf, withBackend } from '../../helpers/tensors.ts';

const buffers = () => tf.engine().backend.numDataIds();

describe('a clone, or a cast to the type that there is', () => {
  withBackend('wasm');

  it.each([
    ['clone', tf.clone],
    ['cast', (tensor: tf.Tensor) => tf.cast(tensor, tensor.dtype)],
  ])('takes no memory, and outlives what it is a %s of', async (_, copy) => {
    await expectNoLeak(() => {
      for (const values of [
        tf.tensor1d([1, -2.5]),
        tf.tensor1d([3, 4], 'int32'),
        tf.tensor1d([true, false], 'bool'),
      ]) {
        const before = buffers();
        const expected = [...values.dataSync()];
        const copies = [copy(values), copy(values)];
        expect(buffers()).toBe(before);
        values.dispose();
        copies[0]!.dispose();
        expect([...copies[1]!.dataSync()]).toEqual(expected);
        expect(copies[1]).toMatchObject({ dtype: values.dtype, shape: values.shape });
        copies[1]!.dispose();
      }
    });
  });

  it('keeps its values when a variable that it was taken of gets others', async () => {
    await expectNoLeak(() => {
      const variable = tf.tidy(() => tf.variable(tf.tensor1d([1, 2])));
      const clone = tf.clone(variable);
      tf.tidy(() => variable.assign(tf.tensor1d([3, 4])));
      expect([...clone.dataSync()]).toEqual([1, 2]);
      tf.dispose([variable, clone]);
    });
  });

  it('lets gradients through', () => {
    const [gradient] = valuesOf(() => [
      tf.grad((x) => tf.square(tf.cast(tf.clone(x), 'float32')))(tf.scalar(3)),
    ]);
    expect([...gradient!]).toEqual([6]);
  });
});

describe('a cast to another type', () => {
  withBackend('wasm');

  it('is that of tfjs', () => {
    const values = valuesOf(() => [
      tf.cast(tf.tensor1d([1.9, -1.9]), 'int32'),
      tf.cast(tf.tensor1d([true, false], 'bool'), 'float32'),
    ]);
    expect(values.map((entries) => [...entries])).toEqual([
      [1, -1],
      [1, 0],
    ]);
  });
});
