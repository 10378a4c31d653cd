import { describe, expect, test } from 'vitest';
import { loadBatch, truthOf } from '../../../worker/training/batch.ts';
import { makeSet, memoryInputs } from '../../helpers/made-data.ts';
import { expectNoLeak, withBackend } from '../../helpers/tensors.ts';

const set = makeSet({
  labels: [0, 1, 1, 0],
  groups: [0, 1, 2, 1],
  inputs: memoryInputs(Float32Array.of(0, 1, 10, 11, 20, 21, 30, 31), [2]),
});

describe('truthOf', () => {
  test('follows the order of the rows, repeats included', () => {
    expect(truthOf(set, [3, 1, 1])).toEqual({
      labels: Int32Array.of(0, 1, 1),
      groups: Int32Array.of(1, 1, 1),
    });
  });
});

describe('loadBatch', () => {
  withBackend('wasm');

  test('holds inputs and truth of the rows in the order given', async () => {
    const { inputs, labels, groups } = await loadBatch(set, [2, 0]);
    expect(inputs.shape).toEqual([2, 2]);
    expect(Array.from(inputs.dataSync())).toEqual([20, 21, 0, 1]);
    expect(labels).toEqual(Int32Array.of(1, 0));
    expect(groups).toEqual(Int32Array.of(2, 0));
    inputs.dispose();
  });

  test('lets other work of the process go first, so that a stop is heard', async () => {
    let isHeard = false;
    setImmediate(() => {
      isHeard = true;
    });
    const { inputs } = await loadBatch(set, [0]);
    expect(isHeard).toBe(true);
    inputs.dispose();
  });

  test('makes one tensor, which is the caller’s', async () => {
    await expectNoLeak(async () => (await loadBatch(set, [0, 1])).inputs.dispose());
  });
});
