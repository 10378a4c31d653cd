import { isCounterweightError, StorageError } from '../errors.ts';

interface SdkError {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly attempts?: number };
}

/**
 * @param operation  for people: `job queue: {operation} failed (…)`
 * @throws StorageError in place of what the SDK throws
 */
export async function attempt<T>(operation: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw isCounterweightError(error) ? error : batchError(operation, error);
  }
}

/** Its cause is a copy: the SDK's own message names account, queue and role. */
function batchError(operation: string, error: unknown): StorageError {
  const { name, code, $metadata = {} } = (error ?? {}) as SdkError;
  const { httpStatusCode: status, attempts = 1 } = $metadata;
  // The network's errors are all named Error, so their code says more.
  const said = typeof code === 'string' && status === undefined ? code : name;
  const reason = typeof said === 'string' && /^\w{1,64}$/.test(said) ? said : 'Error';
  const answer = status === undefined ? reason : `HTTP ${status} ${reason}`;
  const cause = Object.assign(new Error(answer), { name: reason, ...(status !== undefined && { status }) });
  return new StorageError(
    `job queue: ${operation} failed (${answer}, ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'})`,
    { where: 'job queue', operation, reason, attempts, ...(status !== undefined && { status }) },
    { cause },
  );
}
