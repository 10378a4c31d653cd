import { afterEach, describe, expect, it, vi } from 'vitest';
import { realAuditDeps } from '../../../functions/lib/audit-deps.ts';

afterEach(() => vi.unstubAllEnvs());

describe('realAuditDeps', () => {
  it('adds an audit to the deps of every function', async () => {
    for (const name of [
      'BUCKET',
      'JOB_QUEUE_ARN',
      'JOB_DEFINITION_GPU_ARN',
      'CPU_JOB_QUEUE_ARN',
      'JOB_DEFINITION_CPU_ARN',
    ]) {
      vi.stubEnv(name, 'x');
    }
    expect(Object.keys(await realAuditDeps()).sort()).toEqual([
      'auditTable',
      'now',
      'queues',
      'randomId',
      'store',
      'telemetry',
    ]);
  });
});
