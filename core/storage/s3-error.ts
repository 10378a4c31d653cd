import { type CounterweightError, isCounterweightError, StorageError } from '../errors.ts';

/** What is worth knowing of an error of the SDK; none of it names an object, a bucket or a credential. */
export interface S3Failure {
  /** Name that S3 or the network gives it, e.g. `SlowDown`, `ECONNRESET`. */
  readonly reason: string;
  /** Absent when no answer came. */
  readonly status?: number;
  /** Requests sent, retries included. */
  readonly attempts: number;
  readonly requestId?: string;
}

interface SdkError {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly $metadata?: {
    readonly httpStatusCode?: number;
    readonly attempts?: number;
    readonly requestId?: string;
  };
}

export function failureOf(error: unknown): S3Failure {
  const { name, code, $metadata = {} } = (error ?? {}) as SdkError;
  const { httpStatusCode: status, attempts = 1, requestId } = $metadata;
  // The network's errors are all named Error, so their code says more.
  const reason = typeof code === 'string' && status === undefined ? code : name;
  return {
    reason: typeof reason === 'string' && /^\w{1,64}$/.test(reason) ? reason : 'Error',
    attempts,
    ...(status !== undefined && { status }),
    ...(requestId !== undefined && { requestId }),
  };
}

/**
 * StorageError for an error of the SDK; errors of ours stay as they are. Its cause is a copy without S3's own message
 * and fields: those name bucket, key and role, and for an expired token hold the token itself.
 */
export function s3Error(operation: string, error: unknown): CounterweightError {
  if (isCounterweightError(error)) return error;
  const failure = failureOf(error);
  const { reason, status, attempts } = failure;
  const answer = status === undefined ? reason : `HTTP ${status} ${reason}`;
  const text =
    status === 403
      ? `access denied when ${operation} (${answer}): the role lacks a permission on the object or its encryption key`
      : `${operation} failed (${answer}, ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'})`;
  const cause = Object.assign(new Error(answer), { name: reason, ...failure });
  return new StorageError(
    `object store: ${text}`,
    { where: 'object store', operation, ...failure },
    { cause },
  );
}
