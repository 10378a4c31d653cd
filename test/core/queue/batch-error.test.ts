import { describe, expect, it } from 'vitest';
import { StorageError } from '../../../core/errors.ts';
import { attempt } from '../../../core/queue/batch-error.ts';

/** What `attempt` throws in place of an error. */
function thrownFor(error: unknown): Promise<unknown> {
  return attempt('submitting', () => Promise.reject(error)).then(
    () => null,
    (thrown: unknown) => thrown,
  );
}

const sdkError = (fields: object) =>
  Object.assign(new Error('arn:aws:batch:us-east-1:123456789012:job-queue/gpu'), fields);

describe('attempt', () => {
  it('returns what the call returns', async () => {
    expect(await attempt('submitting', async () => 'x')).toBe('x');
  });

  it('lets errors of ours pass as they are', async () => {
    const error = new StorageError('job queue: finding failed');
    expect(await thrownFor(error)).toBe(error);
  });

  it.each<[string, object, string]>([
    [
      'an answer by its status and name',
      { name: 'ServerException', $metadata: { httpStatusCode: 500, attempts: 5 } },
      'HTTP 500 ServerException, 5 attempts',
    ],
    ['a failure of the network by its code', { code: 'ECONNRESET' }, 'ECONNRESET, 1 attempt'],
    ['a name that is no name by none', { name: 'see arn:aws:x' }, 'Error, 1 attempt'],
  ])('tells %s', async (_, fields, said) => {
    expect(await thrownFor(sdkError(fields))).toMatchObject({
      code: 'STORAGE',
      message: `job queue: submitting failed (${said})`,
    });
  });

  it.each([null, undefined, 'text', {}])('makes an error of whatever was thrown: %j', async (thrown) => {
    expect(await thrownFor(thrown)).toMatchObject({
      code: 'STORAGE',
      message: 'job queue: submitting failed (Error, 1 attempt)',
    });
  });

  it('keeps nothing of the message of the SDK, in the cause neither', async () => {
    const error = (await thrownFor(sdkError({ name: 'ClientException' }))) as Error;
    expect(`${JSON.stringify(error)} ${error.message} ${error.cause} ${error.stack}`).not.toMatch(
      /arn:|\d{12}/,
    );
  });
});
