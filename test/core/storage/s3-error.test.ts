import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { InvalidInputError } from '../../../core/errors.ts';
import { failureOf, s3Error } from '../../../core/storage/s3-error.ts';

/** As the SDK makes them: S3's name and fields on the error itself. */
const sdkError = (name: string, fields: object = {}) =>
  Object.assign(new Error('bucket-name/patient-7.png is not yours'), { name, ...fields });

describe('failureOf', () => {
  it('takes the name that S3 gives, with its status and how often it was tried', () => {
    const error = sdkError('SlowDown', { $metadata: { httpStatusCode: 503, attempts: 5, requestId: 'r1' } });
    expect(failureOf(error)).toEqual({ reason: 'SlowDown', status: 503, attempts: 5, requestId: 'r1' });
  });

  it('takes the code of a network error', () => {
    const error = sdkError('Error', { code: 'ECONNRESET', $metadata: { attempts: 3 } });
    expect(failureOf(error)).toEqual({ reason: 'ECONNRESET', attempts: 3 });
  });

  it.each([null, undefined, 'text', sdkError('a name with spaces and bucket-name'), { name: 7 }])(
    'makes do with %s',
    (error) => {
      expect(failureOf(error)).toEqual({ reason: 'Error', attempts: 1 });
    },
  );
});

describe('s3Error', () => {
  it('says what failed, why, and after how many attempts', () => {
    const error = sdkError('SlowDown', { $metadata: { httpStatusCode: 503, attempts: 5 } });
    expect(s3Error('reading', error)).toMatchObject({
      code: 'STORAGE',
      message: 'object store: reading failed (HTTP 503 SlowDown, 5 attempts)',
      details: { operation: 'reading', status: 503, reason: 'SlowDown', attempts: 5 },
      cause: { name: 'SlowDown', message: 'HTTP 503 SlowDown' },
    });
    expect(s3Error('listing', sdkError('TimeoutError')).message).toBe(
      'object store: listing failed (TimeoutError, 1 attempt)',
    );
  });

  it('says access denied for 403', () => {
    const error = sdkError('AccessDenied', { $metadata: { httpStatusCode: 403 } });
    expect(s3Error('writing', error).message).toBe(
      'object store: access denied when writing (HTTP 403 AccessDenied): ' +
        'the role lacks a permission on the object or its encryption key',
    );
  });

  it('keeps nothing of what S3 tells beside that', () => {
    const error = sdkError('ExpiredToken', {
      'Token-0': 'session-token',
      AWSAccessKeyId: 'AKIA',
      StringToSign: 'AWS4-HMAC-SHA256',
      $metadata: { httpStatusCode: 400 },
      $response: { headers: { 'x-amz-id': 'AKIA' } },
    });
    const text = inspect(s3Error('reading', error), { depth: 10, showHidden: true });
    expect(text).not.toMatch(/session-token|AKIA|AWS4|bucket-name|patient-7/);
  });

  it('leaves errors of ours as they are', () => {
    const error = new InvalidInputError('too large');
    expect(s3Error('writing', error)).toBe(error);
  });
});
