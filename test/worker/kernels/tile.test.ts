import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectNoLeak, noise, valuesOf, valuesOn, withBackend } from '../../helpers/tensors.ts';

const tilings = fc.array(
  fc.record({ size: fc.integer({ min: 1, max: 5 }), reps: fc.integer({ min: 1, max: 4 }) }),
  {
    minLength: 1,
    maxLength: 4,
  },
);

describe('tile', () => {
  withBackend('wasm');

  test.each(['float32', 'int32', 'bool'] as const)('equals backend cpu for %s', async (dtype) => {
    await fc.assert(
      fc.asyncProperty(tilings, async (axes) => {
        const shape = axes.map(({ size }) => size);
        const scale = dtype === 'bool' ? 1 : 9;
        const values = noise(
          shape.reduce((product, size) => product * size, 1),
          1,
        ).map((value) => Math.abs(Math.round(scale * value)));
        const tiled = () => [
          tf.tile(
            tf.tensor(values, shape, dtype),
            axes.map(({ reps }) => reps),
          ),
        ];
        expect(valuesOf(tiled)).toEqual(await valuesOn('cpu', tiled));
      }),
      { seed: 13, numRuns: 40 },
    );
  });

  test('of zero repetitions is empty', () => {
    expect(valuesOf(() => [tf.tile(tf.ones([2, 3]), [0, 2])])[0]).toHaveLength(0);
  });

  test('leaves neither a tensor nor memory behind', async () => {
    await expectNoLeak(() => valuesOf(() => [tf.tile(tf.ones([1, 3]), [4, 2])]));
  });
});
