import type { SubmitJobRequest } from '@aws-sdk/client-batch';
import { describe, expect, it } from 'vitest';
import { assertRequest, mayRetry, Refusal } from '../../helpers/batch-rules.ts';

/* The stand-in's rules against what AWS documents of EvaluateOnExit and SubmitJob. */

describe('conditions of a retry', () => {
  const end = { exitCode: 75, statusReason: 'Essential container in task exited' };
  const retries = (evaluateOnExit: object[], changes: object = {}) =>
    mayRetry({ attempts: 2, evaluateOnExit: evaluateOnExit as never }, 1, { ...end, ...changes });

  it('without conditions every failure is tried again, as long as attempts are left', () => {
    expect(mayRetry({ attempts: 2 }, 1, end)).toBe(true);
    expect(mayRetry({ attempts: 2 }, 2, end)).toBe(false);
    expect(mayRetry({}, 1, end)).toBe(false);
  });

  it('the first that fits decides, and what fits none is tried again', () => {
    const [retry, exit] = [
      { action: 'RETRY', onExitCode: '75' },
      { action: 'EXIT', onExitCode: '75' },
    ];
    expect(retries([retry, exit])).toBe(true);
    expect(retries([exit, retry])).toBe(false);
    expect(retries([exit], { exitCode: 1 })).toBe(true);
  });

  it('all parts of a condition have to fit', () => {
    const both = { action: 'EXIT', onExitCode: '75', onStatusReason: 'Host EC2*' };
    expect(retries([both])).toBe(true);
    expect(retries([both], { statusReason: 'Host EC2 (instance i-1) terminated.' })).toBe(false);
  });

  it('an asterisk stands for any end, and without one the whole text counts', () => {
    const exit = (onExitCode: string) => [{ action: 'EXIT', onExitCode }];
    expect(['7*', '75', '75*', '*'].map((pattern) => retries(exit(pattern)))).toEqual(
      new Array(4).fill(false),
    );
    expect(['7', '5*', '751'].map((pattern) => retries(exit(pattern)))).toEqual(new Array(3).fill(true));
  });

  it('"*" fits also what is absent: the exit code of a lost host, the reason of a container', () => {
    expect(retries([{ action: 'EXIT', onReason: '*' }])).toBe(false);
    expect(retries([{ action: 'EXIT', onReason: 'OutOfMemoryError*' }])).toBe(true);
    expect(retries([{ action: 'EXIT', onExitCode: '75' }], { exitCode: undefined })).toBe(true);
  });

  it('upper and lower case do not matter for the action', () => {
    expect(retries([{ action: 'exit', onExitCode: '75' }])).toBe(false);
    expect(retries([{ action: 'Retry', onExitCode: '75' }, { action: 'EXIT' }])).toBe(true);
  });
});

const REQUEST = { jobName: 'job', jobQueue: 'gpu', jobDefinition: 'gpu:1' };

describe('a submission', () => {
  it('within the limits is accepted', () => {
    expect(() =>
      assertRequest({
        ...REQUEST,
        ...retryOn({ action: 'RETRY', onStatusReason: 'Host EC2*' }),
        arrayProperties: { size: 2 },
        timeout: { attemptDurationSeconds: 60 },
      }),
    ).not.toThrow();
  });

  it.each<[string, Partial<SubmitJobRequest>]>([
    ['a name that begins with a dash', { jobName: '-job' }],
    ['an array of one', { arrayProperties: { size: 1 } }],
    ['more than 10 attempts', { retryStrategy: { attempts: 11 } }],
    [
      'conditions without attempts',
      { retryStrategy: { evaluateOnExit: [{ action: 'EXIT', onReason: '*' }] } },
    ],
    ['an exit code in words', retryOn({ action: 'RETRY', onExitCode: 'x' })],
    ['an asterisk in the middle', retryOn({ action: 'RETRY', onStatusReason: 'Host * terminated' })],
    ['brackets in a reason', retryOn({ action: 'RETRY', onStatusReason: 'Host EC2 (instance*' })],
    ['a time limit below a minute', { timeout: { attemptDurationSeconds: 59 } }],
    [
      'a variable with the prefix of Batch',
      { containerOverrides: { environment: [{ name: 'AWS_BATCH_JOB_ID', value: 'x' }] } },
    ],
  ])('with %s is refused', (_, changes) => {
    expect(() => assertRequest({ ...REQUEST, ...changes })).toThrow(Refusal);
  });
});

function retryOn(condition: { action: 'RETRY'; onExitCode?: string; onStatusReason?: string }) {
  return { retryStrategy: { attempts: 2, evaluateOnExit: [condition] } };
}
