import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { floats, release } from '../../../worker/kernels/heap.ts';
import { multiply, pieces } from '../../../worker/kernels/matrix-product.ts';
import { withBackend } from '../../helpers/tensors.ts';

describe('multiply', () => {
  withBackend('wasm');

  test('adds the bias once and holds results within the bounds', () => {
    const backend = tf.backend() as BackendWasm;
    const a = tf.tensor2d([[1], [10]]);
    const b = tf.tensor2d([[1, -1, 2]]);
    const bias = tf.tensor1d([0.5, 0.5, 0.5]);
    const result = multiply(backend, {
      a: { tensor: a, stack: 1, isTransposed: false },
      b: { tensor: b, stack: 1, isTransposed: false },
      rows: 2,
      depth: 1,
      columns: 3,
      bias,
      bounds: { low: -1, high: 8 },
    });
    expect([...floats(backend, result)]).toEqual([1 + 0.5, -1 + 0.5, 2 + 0.5, 8, -1, 8]);
    release(backend, result);
    tf.dispose([a, b, bias]);
  });
});

describe('pieces', () => {
  const size = fc.integer({ min: 1, max: 5000 });

  test('are at least as many as parts, and no more than there are rows and columns', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), size, size, size, (stack, rows, depth, columns) => {
        const { parts, rowPieces, columnPieces } = pieces({ stack, rows, depth, columns });
        expect(parts).toBeGreaterThanOrEqual(1);
        expect(parts).toBeLessThanOrEqual(stack * rowPieces * columnPieces);
        expect(rowPieces).toBeLessThanOrEqual(rows);
        expect(columnPieces).toBeLessThanOrEqual(columns);
      }),
      { seed: 41, numRuns: 200 },
    );
  });

  test('are one for little work and many for much', () => {
    expect(pieces({ stack: 1, rows: 64, depth: 64, columns: 2 }).parts).toBe(1);
    expect(pieces({ stack: 1, rows: 4096, depth: 64, columns: 64 }).parts).toBeGreaterThanOrEqual(16);
    expect(pieces({ stack: 1, rows: 8, depth: 2048, columns: 4096 }).parts).toBeGreaterThanOrEqual(16);
  });
});
