import { describe, expect, it } from 'vitest';
import { partsOf, queueOf } from '../../../core/jobs/work.ts';
import { AUDIT, MITIGATION, MODEL_AUDIT, makeTestDeps, SWEEP } from './fixtures.ts';

const parts = (request: Parameters<typeof partsOf>[0]['request']) => partsOf({ jobId: 'a-1', request });

describe('partsOf', () => {
  it.each([AUDIT, MODEL_AUDIT, MITIGATION])('makes one part of kind $kind', (request) => {
    expect(parts(request)).toEqual([expect.objectContaining({ jobId: 'a-1', task: 'job' })]);
    expect(parts(request)[0]).not.toHaveProperty('shards');
  });

  it('makes shards and their reduction of a sweep', () => {
    expect(parts(SWEEP).map(({ task, shards }) => [task, shards])).toEqual([
      ['shard', 4],
      ['reduce', undefined],
    ]);
  });

  it('lets no part run or try without an end', () => {
    for (const { attempts, timeoutSeconds } of [...parts(AUDIT), ...parts(SWEEP)]) {
      expect(attempts).toBeLessThanOrEqual(10);
      expect(timeoutSeconds).toBeLessThanOrEqual(24 * 3600);
    }
  });
});

describe('queueOf', () => {
  it('sends mitigations to the GPU and audits to the CPU', () => {
    const { queues } = makeTestDeps();
    expect(queueOf({ queues }, MITIGATION)).toBe(queues.gpu);
    expect(queueOf({ queues }, AUDIT)).toBe(queues.cpu);
    expect(queueOf({ queues }, MODEL_AUDIT)).toBe(queues.cpu);
  });
});
