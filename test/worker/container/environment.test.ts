import { describe, expect, it } from 'vitest';
import { parseEnvironment } from '../../../worker/container/environment.ts';

const LEAST = { JOB_ID: 'job-1', STORE_ROOT: '/srv/store' };

describe('parseEnvironment', () => {
  it('fills in what a job of one attempt needs not say', () => {
    expect(parseEnvironment({ ...LEAST, HOME: '/root' })).toEqual({
      JOB_ID: 'job-1',
      TASK: 'job',
      AWS_BATCH_JOB_ATTEMPT: 1,
      ATTEMPTS: 1,
      BACKEND: 'auto',
      REQUIRE_GPU: false,
      STORE_ROOT: '/srv/store',
    });
  });

  it('reads what Batch and the job definition set', () => {
    const environment = parseEnvironment({
      JOB_ID: 'job-1',
      TASK: 'shard',
      AWS_BATCH_JOB_ARRAY_INDEX: '12',
      AWS_BATCH_JOB_ATTEMPT: '3',
      ATTEMPTS: '5',
      BACKEND: 'tensorflow',
      REQUIRE_GPU: '1',
      BUCKET: 'data',
      KMS_KEY_ID: 'key',
      AWS_REGION: 'eu-central-1',
      AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:9000',
    });
    expect(environment).toMatchObject({
      TASK: 'shard',
      AWS_BATCH_JOB_ARRAY_INDEX: 12,
      AWS_BATCH_JOB_ATTEMPT: 3,
      ATTEMPTS: 5,
      REQUIRE_GPU: true,
      AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:9000',
    });
  });

  it.each([
    ['0', false],
    ['1', true],
  ])('takes REQUIRE_GPU=%s for %s', (REQUIRE_GPU, expected) => {
    expect(parseEnvironment({ ...LEAST, REQUIRE_GPU }).REQUIRE_GPU).toBe(expected);
  });

  it('reads THREADS', () => {
    expect(parseEnvironment({ ...LEAST, THREADS: '3' }).THREADS).toBe(3);
  });

  it('takes an empty variable for an absent one', () => {
    expect(parseEnvironment({ ...LEAST, BUCKET: '', KMS_KEY_ID: '', ATTEMPTS: '' })).toMatchObject({
      STORE_ROOT: '/srv/store',
      ATTEMPTS: 1,
    });
  });

  it.each<[Record<string, string>, string]>([
    [{ STORE_ROOT: '/srv' }, 'JOB_ID must be the id of a job'],
    [{ ...LEAST, JOB_ID: '../SECRET' }, 'JOB_ID must be the id of a job'],
    [{ ...LEAST, TASK: 'SECRET' }, 'TASK must be one of job, shard, reduce'],
    [{ ...LEAST, THREADS: '0' }, 'THREADS must be a whole number of at least 1'],
    [{ ...LEAST, BACKEND: 'SECRET' }, 'BACKEND must be one of auto, wasm, cpu, tensorflow'],
    [{ ...LEAST, REQUIRE_GPU: 'SECRET' }, 'REQUIRE_GPU must be 0 or 1'],
    [{ ...LEAST, ATTEMPTS: '0' }, 'ATTEMPTS must be a whole number of at least 1'],
    [{ ...LEAST, ATTEMPTS: '0x10' }, 'ATTEMPTS must be a whole number of at least 1'],
    [
      { ...LEAST, AWS_BATCH_JOB_ATTEMPT: '1.5' },
      'AWS_BATCH_JOB_ATTEMPT must be a whole number of at least 1',
    ],
    [
      { ...LEAST, AWS_BATCH_JOB_ARRAY_INDEX: '-1' },
      'AWS_BATCH_JOB_ARRAY_INDEX must be a whole number of at least 0',
    ],
    [{ ...LEAST, AWS_ENDPOINT_URL_S3: 'SECRET' }, 'AWS_ENDPOINT_URL_S3 must be a URL'],
    [{ JOB_ID: 'job-1' }, 'BUCKET must be set, or STORE_ROOT, and not both'],
    [{ ...LEAST, BUCKET: 'SECRET' }, 'BUCKET must be set, or STORE_ROOT, and not both'],
    [{ ...LEAST, TASK: 'shard' }, 'AWS_BATCH_JOB_ARRAY_INDEX must be set for a shard'],
    [
      { STORE_ROOT: '/srv', BACKEND: 'SECRET' },
      'JOB_ID must be the id of a job; BACKEND must be one of auto, wasm, cpu, tensorflow',
    ],
  ])('%j is refused by the name of the variable', (variables, says) => {
    expect(() => parseEnvironment(variables)).toThrow(
      expect.objectContaining({ code: 'INVALID_INPUT', message: `environment: ${says}` }),
    );
  });
});
