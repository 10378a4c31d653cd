import type { ZodType } from 'zod';
import { ConflictError, type CounterweightError, isCounterweightError, StorageError } from '../errors.ts';
import type { ObjectStore, StoredObject } from '../storage/object-store.ts';
import { toJson } from './json.ts';

/** Rounds of read and conditional write before giving up: each lost round means that another writer got through. */
const MAX_ROUNDS = 30;

/** A JSON object with the etag that its next write is bound to. */
export interface State<T> {
  readonly value: T;
  readonly etag: string;
}

/** Where a state object lies and what it holds. */
export interface StatePlace<T> {
  readonly key: string;
  readonly schema: ZodType<T>;
}

/**
 * @returns null when there is no such object
 * @throws StorageError when the object is not what this program writes there
 */
export async function readState<T>(store: ObjectStore, place: StatePlace<T>): Promise<State<T> | null> {
  const object = await store.read(place.key);
  return object === null ? null : { value: decode(place, object), etag: object.etag };
}

function decode<T>({ key, schema }: StatePlace<T>, { body, etag }: StoredObject): T {
  const damaged = (cause: unknown) =>
    new StorageError(
      'a state object is damaged: expected the form that its schema has',
      { key, etag, isDamaged: true },
      { cause },
    );
  let content: unknown;
  try {
    content = JSON.parse(Buffer.from(body).toString('utf8'));
  } catch (cause) {
    throw damaged(cause);
  }
  const result = schema.safeParse(content);
  if (result.success) return result.data;
  throw damaged(result.error);
}

/** As `readState`, but a damaged object is a state without a value, which the next write repairs. */
export async function readRepairable<T>(
  store: ObjectStore,
  place: StatePlace<T>,
): Promise<State<T | null> | null> {
  try {
    return await readState(store, place);
  } catch (error) {
    if (isDamage(error)) return { value: null, etag: String(error.details.etag) };
    throw error;
  }
}

/** Is it this one object that is at fault, not the store? Another attempt would find it so again. */
export function isDamage(error: unknown): error is CounterweightError {
  return isCounterweightError(error) && error.details.isDamaged === true;
}

/** @returns the etag, or null when the object exists already */
export function createState(store: ObjectStore, key: string, value: unknown): Promise<string | null> {
  return tryWrite(store, { key, value, onlyIf: 'absent' });
}

/** @returns the new etag, or null when the object is no longer the one of `etag` */
export function replaceState(
  store: ObjectStore,
  { key, etag, value }: { readonly key: string; readonly etag: string; readonly value: unknown },
): Promise<string | null> {
  return tryWrite(store, { key, value, onlyIf: { etag } });
}

interface ConditionalWrite {
  readonly key: string;
  readonly value: unknown;
  readonly onlyIf: 'absent' | { readonly etag: string };
}

async function tryWrite(
  store: ObjectStore,
  { key, value, onlyIf }: ConditionalWrite,
): Promise<string | null> {
  try {
    const { etag } = await store.write(key, toJson(value), { contentType: 'application/json', onlyIf });
    return etag;
  } catch (error) {
    if (isCounterweightError(error) && error.code === 'CONFLICT') return null;
    throw error;
  }
}

/**
 * Reads, changes and conditionally writes until no other writer came between.
 *
 * @param change  the new value, or null to leave the object alone; called again after each lost round
 * @returns the value that the object then has; null when there is no object
 * @throws ConflictError when other writers came first in every round
 */
export async function updateState<T>(
  store: ObjectStore,
  place: StatePlace<T>,
  change: (value: T) => T | null,
): Promise<{ readonly value: T; readonly isChanged: boolean } | null> {
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const state = await readState(store, place);
    if (state === null) return null;
    const value = change(state.value);
    if (value === null) return { value: state.value, isChanged: false };
    if ((await replaceState(store, { key: place.key, etag: state.etag, value })) !== null) {
      return { value, isChanged: true };
    }
  }
  throw new ConflictError(
    'state: expected to be the only writer for a moment, received a conflict each time',
    {
      key: place.key,
      rounds: MAX_ROUNDS,
    },
  );
}
