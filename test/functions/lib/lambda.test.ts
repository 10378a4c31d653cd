import { describe, expect, it } from 'vitest';
import { InvalidInputError, StorageError } from '../../../core/errors.ts';
import { makeEventHandler, onFirstCall } from '../../../functions/lib/lambda.ts';
import { makeFunctionDeps } from '../fixtures.ts';

describe('onFirstCall', () => {
  it('makes nothing until the first call, and once for all calls at once', async () => {
    let made = 0;
    const handler = onFirstCall(
      async () => {
        made += 1;
        return made;
      },
      (deps) => async (event: number) => deps * 10 + event,
    );
    expect(made).toBe(0);
    expect(await Promise.all([handler(1), handler(2)])).toEqual([11, 12]);
    expect(made).toBe(1);
  });

  it('tries again at the next call, and throws no stack', async () => {
    let calls = 0;
    const handler = onFirstCall(
      () => {
        calls += 1;
        if (calls === 1) throw new InvalidInputError('environment: "BUCKET" is missing');
        if (calls === 2) throw new TypeError('s3://bucket');
        return calls;
      },
      (deps) => async () => deps,
    );
    const message = 'environment: "BUCKET" is missing';
    await expect(handler(null)).rejects.toMatchObject({ message, stack: message });
    await expect(handler(null)).rejects.toThrow('INTERNAL TypeError');
    expect(await handler(null)).toBe(3);
  });
});

describe('makeEventHandler', () => {
  it('logs an error by its code and throws it on without its text, cause and stack', async () => {
    const deps = makeFunctionDeps();
    const handler = makeEventHandler(deps, () => Promise.reject(new StorageError('s3://bucket/row')));
    const error = await handler({}).catch((caught: Error) => caught);
    expect(error).toMatchObject({
      message: 'event not handled: STORAGE',
      stack: 'event not handled: STORAGE',
    });
    expect(error).not.toHaveProperty('cause');
    expect(deps.logs()).toEqual([expect.objectContaining({ level: 'error', code: 'STORAGE' })]);
  });
});
