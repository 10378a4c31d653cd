import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readEnv, VARIABLES } from '../../../functions/lib/env.ts';

const ENV = {
  BUCKET: 'secret-bucket',
  JOB_QUEUE_ARN: 'arn:aws:batch:eu-west-1:123456789012:job-queue/gpu',
  JOB_DEFINITION_GPU_ARN: 'arn:aws:batch:eu-west-1:123456789012:job-definition/gpu:1',
  CPU_JOB_QUEUE_ARN: 'arn:aws:batch:eu-west-1:123456789012:job-queue/cpu',
  JOB_DEFINITION_CPU_ARN: 'arn:aws:batch:eu-west-1:123456789012:job-definition/cpu:1',
};

describe('readEnv', () => {
  it('needs bucket, queues and job definitions, and ignores what else is set', () => {
    expect(readEnv({ ...ENV, PATH: '/bin' })).toEqual({ ...ENV, AWS_REGION: 'us-east-1', LOG_LEVEL: 'info' });
  });

  it('takes a log level in capitals, as serverless.yml has it', () => {
    expect(readEnv({ ...ENV, LOG_LEVEL: 'DEBUG' }).LOG_LEVEL).toBe('debug');
  });

  it('names what is missing or wrong, and no value', () => {
    const { BUCKET: _, ...rest } = ENV;
    const read = () => readEnv({ ...rest, LOG_LEVEL: 'CANARY', AWS_ENDPOINT_URL_S3: 'CANARY' });
    expect(read).toThrow(/"BUCKET" is missing.*"AWS_ENDPOINT_URL_S3"/);
    expect(read).not.toThrow(/arn:/);
  });

  it('reads the environment of the process by default', () => {
    expect(() => readEnv()).toThrow('environment: "BUCKET" is missing');
  });

  it('reads no variable that nothing is made from', () => {
    const deps = readFileSync(path.join(import.meta.dirname, '../../../functions/lib/deps.ts'), 'utf8');
    expect(VARIABLES.filter((name) => !new RegExp(`\\b${name}\\b`).test(deps))).toEqual([]);
  });
});
