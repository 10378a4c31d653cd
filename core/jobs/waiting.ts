import { z } from 'zod';
import type { ObjectInfo, ObjectStore } from '../storage/object-store.ts';
import { WAITING, waitingKey } from './keys.ts';
import { hashOf } from './request-hash.ts';
import { createState, readState } from './state.ts';
import { versionOf } from './upload-config.ts';

/** Data sets that one look goes through. */
const MAX_LOOKED_AT = 50;

/** `waiting/{hash}.json`: a configuration whose data set is not complete. */
const noteSchema = z.strictObject({ schemaVersion: z.literal(1), config: z.string() });

/** A data set that was not complete when it was last looked at. */
interface Waiting {
  /** Key of the note itself. */
  readonly key: string;
  /** Key of the configuration. */
  readonly config: string;
}

/** Notes that a data set is to be looked at again, since what it lacks may come without an event of its own. */
export async function noteWaiting(store: ObjectStore, config: ObjectInfo): Promise<void> {
  // A note for each version, so that who forgets an old one leaves a new one alone.
  const key = waitingKey(hashOf(config.key, versionOf(config)));
  await createState(store, key, { schemaVersion: 1, config: config.key });
}

export async function* waitingDataSets(store: ObjectStore): AsyncGenerator<Waiting> {
  let looked = 0;
  for await (const { key } of store.list(WAITING)) {
    const note = await readState(store, { key, schema: noteSchema });
    if (note !== null) yield { key, config: note.value.config };
    looked += 1;
    if (looked === MAX_LOOKED_AT) return;
  }
}
