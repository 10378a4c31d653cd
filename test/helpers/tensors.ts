import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect } from 'vitest';
import { startBackend } from '../../worker/backend.ts';

type BackendName = 'wasm' | 'cpu';

/** Test files run side by side, one on each core. */
const ALONE = { threads: 1 };

/** Starts a backend before the tests of the enclosing `describe`, or of the file. */
export function withBackend(name: BackendName): void {
  beforeAll(async () => {
    await startBackend(name, ALONE);
  });
}

/**
 * Runs `compute` on another backend and comes back to the present one.
 *
 * @param compute  makes its own inputs; what it returns is read and disposed
 * @returns the values of each tensor
 */
export async function valuesOn(name: BackendName, compute: () => tf.Tensor[]): Promise<Float32Array[]> {
  const before = tf.getBackend();
  await startBackend(name, ALONE);
  const values = valuesOf(compute);
  await tf.setBackend(before);
  return values;
}

/**
 * The values of each tensor that `compute` returns; everything it made is disposed. Memory that the backend
 * may hand out again is full of NaN, so a kernel that reads what it did not write gives itself away.
 */
export function valuesOf(compute: () => tf.Tensor[]): Float32Array[] {
  spoilFreeMemory();
  const tensors = tf.tidy(compute);
  const values = tensors.map((tensor) => tensor.dataSync() as Float32Array);
  tf.dispose(tensors);
  return values;
}

function spoilFreeMemory(): void {
  const sizes = Array.from({ length: 17 }, (_, power) => 2 ** power);
  tf.dispose(sizes.map((size) => tf.fill([size], Number.NaN)));
}

/** Fails when `run` leaves a tensor, or memory of the backend that no tensor holds. */
export async function expectNoLeak(run: () => unknown): Promise<void> {
  const before = held();
  await run();
  expect(held()).toEqual(before);
}

function held() {
  return { tensors: tf.memory().numTensors, buffers: tf.engine().backend.numDataIds() };
}

/**
 * Fails unless |actual − expected| ≤ relativeTolerance · max |expected| everywhere. The scale is that of the
 * whole array, because sums that cancel are only as exact as their terms; all zeros are held to 1.
 */
export function expectClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  relativeTolerance: number,
): void {
  expect(actual.length).toBe(expected.length);
  const scale = Array.from(expected).reduce((largest, value) => Math.max(largest, Math.abs(value)), 0) || 1;
  const worst = { index: -1, actual: 0, expected: 0, error: 0 };
  for (let index = 0; index < expected.length; index += 1) {
    const error = Math.abs(actual[index]! - expected[index]!) / scale;
    if (error <= worst.error) continue;
    Object.assign(worst, { index, actual: actual[index], expected: expected[index], error });
    if (Number.isNaN(error)) break;
  }
  expect(
    worst.error,
    `element ${worst.index}: ${worst.actual}, expected ${worst.expected}`,
  ).toBeLessThanOrEqual(relativeTolerance);
}

/** Repeatable values in [−1, 1). */
export function noise(size: number, seed: number): Float32Array {
  let state = Math.imul(seed + 1, 0x9e3779b1);
  const values = new Float32Array(size);
  for (let index = 0; index < size; index += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    values[index] = state / 2 ** 31;
  }
  return values;
}
