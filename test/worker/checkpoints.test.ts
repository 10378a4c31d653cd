import { describe, expect, it } from 'vitest';
import type { Checkpoint } from '../../worker/checkpoints.ts';
import { NO_CHECKPOINTS, resumable } from '../../worker/checkpoints.ts';
import { memoryBlobs } from '../helpers/memory-blobs.ts';

const result: Checkpoint<{ auc: number; note: string | null }> = {
  facts: { auc: 0.1 + 0.2, note: null },
  tensors: new Map([['w', { shape: [2], values: Float32Array.of(1 / 3, -0) }]]),
};

describe('resumable', () => {
  it('runs a step once and gives the same bits from then on', async () => {
    const blobs = memoryBlobs();
    let runs = 0;
    const step = async () => {
      runs += 1;
      return result;
    };
    const first = await resumable(blobs, 'step', step);
    const second = await resumable(blobs, 'step', step);
    expect(runs).toBe(1);
    expect(second.facts).toEqual(first.facts);
    expect(second.tensors.get('w')!.values).toEqual(result.tensors.get('w')!.values);
    expect(Object.is(second.tensors.get('w')!.values[1], -0)).toBe(true);
  });

  it('keeps nothing of a step that fails', async () => {
    const blobs = memoryBlobs();
    const fails = () => Promise.reject(new RangeError('of the step'));
    await expect(resumable(blobs, 'step', fails)).rejects.toThrow('of the step');
    expect(blobs.saved).toEqual([]);
  });

  it('runs every step again without a place to keep them', async () => {
    let runs = 0;
    const step = async () => {
      runs += 1;
      return result;
    };
    await resumable(NO_CHECKPOINTS, 'step', step);
    await resumable(NO_CHECKPOINTS, 'step', step);
    expect(runs).toBe(2);
  });
});
