import type { Tensor } from '@tensorflow/tfjs-core';
import { expect } from 'vitest';
import { startBackend } from '../../../worker/backend.ts';
import { valuesOf } from '../../helpers/tensors.ts';

/** Fails unless backend wasm gives the same bits on one thread and on three. */
export async function expectSameOnAnyThreads(compute: () => Tensor[]): Promise<void> {
  await startBackend('wasm', { threads: 1 });
  const onOne = valuesOf(compute);
  await startBackend('wasm', { threads: 3 });
  const onThree = valuesOf(compute);
  const bytes = ({ buffer }: Float32Array) => Buffer.from(buffer);
  expect(onThree.map((values, index) => bytes(values).equals(bytes(onOne[index]!)))).toEqual(
    onOne.map(() => true),
  );
}
