import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { realDeps, realTelemetry } from '../../../functions/lib/deps.ts';

const batch = 'arn:aws:batch:eu-west-1:123456789012:';

beforeEach(() => {
  vi.stubEnv('BUCKET', 'secret-bucket');
  vi.stubEnv('JOB_QUEUE_ARN', `${batch}job-queue/gpu`);
  vi.stubEnv('JOB_DEFINITION_GPU_ARN', `${batch}job-definition/gpu:1`);
  vi.stubEnv('CPU_JOB_QUEUE_ARN', `${batch}job-queue/cpu`);
  vi.stubEnv('JOB_DEFINITION_CPU_ARN', `${batch}job-definition/cpu:1`);
  vi.stubEnv('AWS_REGION', 'eu-west-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAIOSFODNN7EXAMPLE');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'wJalrXUtnFEMI');
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

describe('realDeps', () => {
  it('opens the bucket, by its endpoint where one is set', async () => {
    const form = { seconds: 60, maxBytes: 1, contentType: 'text/csv' };
    expect((await (await realDeps()).store.uploadForm('uploads/u/a.csv', form)).url).toContain(
      'amazonaws.com',
    );
    vi.stubEnv('AWS_ENDPOINT_URL_S3', 'http://127.0.0.1:4568');
    vi.stubEnv('AWS_ENDPOINT_URL_BATCH', 'http://127.0.0.1:4569');
    vi.stubEnv('KMS_KEY_ID', `${batch}key/1`);
    const { url } = await (await realDeps()).store.uploadForm('uploads/u/a.csv', form);
    expect(url).toBe('http://127.0.0.1:4568/secret-bucket');
  });

  it('has two queues, a clock, and ids of 128 bits', async () => {
    const { queues, now, randomId } = await realDeps();
    expect(queues.cpu).not.toBe(queues.gpu);
    expect(Math.abs(now().getTime() - Date.now())).toBeLessThan(1000);
    expect(randomId()).toMatch(/^[0-9a-f]{32}$/);
    expect(randomId()).not.toBe(randomId());
  });

  it('names the variable that is missing', async () => {
    vi.stubEnv('CPU_JOB_QUEUE_ARN', undefined);
    await expect(realDeps()).rejects.toThrow('environment: "CPU_JOB_QUEUE_ARN" is missing');
  });
});

describe('telemetry', () => {
  it('goes to stdout, by the stage of the deployment', async () => {
    const written: string[] = [];
    vi.spyOn(process.stdout, 'write').mockImplementation((line) => written.push(String(line)) > 0);
    vi.stubEnv('STAGE', 'test');
    (await realDeps()).telemetry.metric('PolicyFailure', 1);
    realTelemetry().telemetry.log('info', 'x');
    vi.restoreAllMocks();
    expect(written.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ Stage: 'test' }),
      expect.objectContaining({ message: 'x' }),
    ]);
  });
});
