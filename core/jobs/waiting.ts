import { z } from 'zod';
import type { ObjectInfo, ObjectStore } from '../storage/object-store.ts';
import { beginRound, readCursor, writeCursor } from './cursor.ts';
import type { JobDeps } from './deps.ts';
import { WAITING, waitingKey } from './keys.ts';
import { hashOf } from './request-hash.ts';
import { createState, readState } from './state.ts';
import { versionOf } from './upload-config.ts';

/** Data sets that one call goes through. */
const MAX_LOOKED_AT = 50;

/** Says behind which note the next call goes on. */
const CURSOR = 'waiting';

/** `waiting/{hash}.json`: a configuration whose data set is not complete. */
const noteSchema = z.strictObject({ schemaVersion: z.literal(1), config: z.string() });

/** Key of a note, and that of the configuration in it or why it cannot be read. */
export type Waiting = { readonly key: string } & ({ readonly config: string } | { readonly error: unknown });

/** Notes that a data set is to be looked at again, since what it lacks may come without an event of its own. */
export async function noteWaiting(store: ObjectStore, config: ObjectInfo): Promise<void> {
  // A note for each version, so that who forgets an old one leaves a new one alone.
  const key = waitingKey(hashOf(config.key, versionOf(config)));
  await createState(store, key, { schemaVersion: 1, config: config.key });
}

/**
 * Data sets that were not complete when they were last looked at. Bounded in number and time: a call goes on where
 * the last one stopped, so that each has its turn however many wait.
 */
export async function* waitingDataSets(
  deps: Pick<JobDeps, 'store' | 'now' | 'isClosing'>,
): AsyncGenerator<Waiting> {
  const { store } = deps;
  const isOver = beginRound(deps);
  const start = await readCursor(store, CURSOR);
  let after = start;
  let looked = 0;
  try {
    for await (const { key } of store.list(WAITING, start === undefined ? {} : { startAfter: start })) {
      if (looked === MAX_LOOKED_AT || isOver()) return;
      looked += 1;
      after = key;
      const waiting = await readNote(store, key);
      if (waiting !== null) yield waiting;
    }
    after = undefined;
  } finally {
    if (after !== start) await writeCursor(store, CURSOR, after);
  }
}

/** @returns null when another call has deleted the note meanwhile */
async function readNote(store: ObjectStore, key: string): Promise<Waiting | null> {
  try {
    const note = await readState(store, { key, schema: noteSchema });
    return note && { key, config: note.value.config };
  } catch (error) {
    return { key, error };
  }
}
