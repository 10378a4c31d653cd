import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { floats, release } from '../../../worker/kernels/heap.ts';
import { packPanels, panelsOf } from '../../../worker/kernels/panels.ts';
import { noise, withBackend } from '../../helpers/tensors.ts';

/** Two taps of a filter of 3 × 3, of 3 channels and 10 outputs: rows 0 and 2, column 1. */
const TAPS = {
  rows: { count: 2, first: 0, step: 2 },
  columns: { count: 1, first: 1, step: 1 },
  width: 3,
};
const PLACES = [1, 7];

describe('packPanels', () => {
  withBackend('wasm');

  test.each([false, true])('lays taps under each other, columns by eights, transposed %s', (isTransposed) => {
    const backend = tf.backend() as BackendWasm;
    const [depth, columns] = [5, 10];
    const values = noise(9 * depth * columns, 1);
    const filter = tf.tensor(values, isTransposed ? [3, 3, columns, depth] : [3, 3, depth, columns]);
    const start = tf.range(1, 11);
    const packed = packPanels(backend, {
      matrices: filter,
      stack: 1,
      depth,
      columns,
      isTransposed,
      start,
      taps: TAPS,
    });
    const expected = [0, 8].flatMap((first) => {
      const lanes = Array.from({ length: 8 }, (_, lane) => first + lane);
      const row = (value: (column: number) => number) => lanes.map((at) => (at < columns ? value(at) : 0));
      const steps = PLACES.flatMap((tap) =>
        Array.from({ length: depth }, (_, step) =>
          row(
            (at) => values[tap * depth * columns + (isTransposed ? at * depth + step : step * columns + at)]!,
          ),
        ),
      );
      return [row((at) => at + 1), ...steps].flat();
    });
    expect([...floats(backend, packed)]).toEqual(expected);
    release(backend, packed);
    tf.dispose([filter, start]);
  });

  test('counts the last, incomplete panel', () => {
    expect([1, 8, 9, 16].map(panelsOf)).toEqual([1, 1, 2, 2]);
  });
});
