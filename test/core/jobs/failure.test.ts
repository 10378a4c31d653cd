import { describe, expect, it } from 'vitest';
import { CANCEL_REASON, failureOf } from '../../../core/jobs/failure.ts';

describe('failureOf', () => {
  it.each([
    [64, 'INVALID_INPUT'],
    [65, 'UNFIT'],
    [70, 'FAILED'],
    [75, 'TRY_LATER'],
    [130, 'INTERRUPTED'],
    [137, 'OUT_OF_MEMORY'],
    [139, 'CRASHED'],
    [143, 'INTERRUPTED'],
  ])('has a sentence for exit code %i', (exitCode, code) => {
    const reason = 'Essential container in task exited';
    const failure = failureOf({ exitCode, reason });
    expect(failure.code).toBe(code);
    expect(failure.message).toMatch(/^(?:the|something) .{10,}[a-z]$/);
  });

  it.each([
    ['Host EC2 (instance i-0b7f1a2b3c4d5e6f7) terminated.', 'HOST_LOST'],
    ['Job attempt duration exceeded timeout', 'TIMEOUT'],
    ['Dependent Job failed', 'DEPENDENCY_FAILED'],
    ['OutOfMemoryError: Container killed due to memory usage', 'OUT_OF_MEMORY'],
    [
      'CannotPullContainerError: pull image manifest has been retried 5 time(s): i/o timeout',
      'IMAGE_UNAVAILABLE',
    ],
    ['CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY', 'NO_CAPACITY'],
    ['MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT', 'MISCONFIGURED'],
    ['ResourceInitializationError: unable to pull secrets', 'MISCONFIGURED'],
    [
      'ResourceInitializationError: unable to pull secrets or registry auth: RequestError: send request failed caused by: Post "https://api.ecr.eu-west-1.amazonaws.com/": dial tcp 52.94.1.2:443: i/o timeout',
      'MISCONFIGURED',
    ],
    ['Timeout waiting for network interface provisioning to complete.', 'MISCONFIGURED'],
    ['failed to fetch logs driver: dial tcp 10.0.0.2:443: connection timed out', 'MISCONFIGURED'],
    [CANCEL_REASON, 'CANCELLED'],
  ])('knows the reason %j', (reason, code) => {
    expect(failureOf({ reason, exitCode: 137 }).code).toBe(code);
  });

  it('does not take every timeout for the time limit of the job', () => {
    const reason = 'DockerTimeoutError: Could not transition to started; timed out after waiting 3m0s';
    expect(failureOf({ reason })).toEqual({ code: 'FAILED', message: `the queue ended the job: ${reason}` });
  });

  it('names an exit code that it does not know', () => {
    expect(failureOf({ exitCode: 3 })).toEqual({
      code: 'FAILED',
      message: 'the process ended with exit code 3',
    });
  });

  it('says that it knows nothing', () => {
    expect(failureOf({}).message).toBe('the queue ended the job without saying why');
  });

  it('repeats an unknown reason without accounts, addresses and machines', () => {
    const reason =
      'Task i-0b7f1a2b3c4d5e6f7 of arn:aws:batch:eu-west-1:123456789012:job/x at 123456789012.dkr.ecr.eu-west-1.amazonaws.com/a and https://x.y/z s3://bucket/key stopped';
    expect(failureOf({ reason }).message).toBe('the queue ended the job: Task … of … at … and … … stopped');
    expect(failureOf({ reason: 'x'.repeat(1000) }).message.length).toBeLessThan(300);
  });
});
