import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { floats } from '../../../worker/kernels/heap.ts';
import { sumOfParts } from '../../../worker/kernels/partial-sums.ts';
import { expectClose, expectNoLeak, noise, withBackend } from '../../helpers/tensors.ts';

function sum(length: number, parts: number): Float32Array {
  const backend = tf.backend() as BackendWasm;
  const values = noise(length * parts, 1);
  const total = sumOfParts(backend, {
    shape: [length],
    parts,
    run: (target) => {
      const heap = (backend.wasm as unknown as { HEAPU8: Uint8Array }).HEAPU8;
      new Float32Array(heap.buffer, target, values.length).set(values);
    },
  });
  const copy = floats(backend, total).slice();
  backend.disposeData(total.dataId);
  return copy;
}

describe('sumOfParts', () => {
  withBackend('wasm');

  test.each([
    [1, 1],
    [7, 1],
    [3, 5],
    [18, 2],
    [1001, 33],
  ])('adds the shares of %d numbers over %d parts', (length, parts) => {
    const values = noise(length * parts, 1);
    const expected = Float64Array.from({ length }, (_, at) => {
      let total = 0;
      for (let part = 0; part < parts; part += 1) total += values[part * length + at]!;
      return total;
    });
    expectClose(sum(length, parts), expected, 1e-6);
  });

  test('leaves no memory behind', async () => {
    await expectNoLeak(() => expect(sum(5, 3)).toHaveLength(5));
  });
});
