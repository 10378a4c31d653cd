import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { startBackend } from '../../../worker/backend.ts';
import { floats } from '../../../worker/kernels/heap.ts';
import { addressOf, nativeOf, runNative, startNative } from '../../../worker/kernels/native.ts';

beforeAll(async () => {
  await startBackend('wasm', { threads: 3 });
});

const wasm = () => tf.backend() as BackendWasm;

const heapBytes = () => (wasm().wasm as unknown as { HEAPU8: Uint8Array }).HEAPU8.length;

/** a ← a · x + x, from a = x, as often as `rounds`, in twelve chains that are added up. */
function chains(x: number, rounds: number): number {
  let value = x;
  for (let round = 0; round < rounds; round += 1) value = value * x + x;
  return 12 * value;
}

describe('runNative', () => {
  it.each([1, 7])('computes all of %d parts in the memory of tfjs', (parts) => {
    const result = wasm().makeOutput([1], 'float32');
    runNative(wasm(), 'ceiling', { args: [5, addressOf(wasm(), result)], floats: [0.5], parts });
    expect(floats(wasm(), result)[0]).toBeCloseTo(chains(0.5, 5), 5);
    wasm().disposeData(result.dataId);
  });

  it('names a kernel that there is not', () => {
    expect(() => runNative(wasm(), 'ceilings', { args: [] })).toThrow('no kernel is called ceilings');
  });

  it('refuses a backend that startBackend has not started', () => {
    expect(() => runNative({} as BackendWasm, 'ceiling', { args: [] })).toThrow(
      expect.objectContaining({ code: 'BACKEND_UNAVAILABLE' }),
    );
  });

  it('refuses memory that is not shared, as tfjs alone has it', async () => {
    const alone = { wasm: { asm: { memory: { buffer: new ArrayBuffer(64) } } } };
    await expect(startNative(alone as unknown as BackendWasm, 1)).rejects.toMatchObject({
      code: 'BACKEND_UNAVAILABLE',
      message: expect.stringContaining('expected memory that threads share'),
    });
  });

  it('goes on when memory has grown', () => {
    const before = heapBytes();
    const large = tf.zeros([before / 4]);
    expect(heapBytes()).toBeGreaterThan(before);
    const result = wasm().makeOutput([1], 'float32');
    runNative(wasm(), 'ceiling', { args: [3, addressOf(wasm(), result)], floats: [0.25], parts: 4 });
    expect(floats(wasm(), result)[0]).toBeCloseTo(chains(0.25, 3), 5);
    wasm().disposeData(result.dataId);
    large.dispose();
  });

  it('has as many threads as were asked for', () => {
    expect(nativeOf(wasm()).threads).toBe(3);
  });
});
