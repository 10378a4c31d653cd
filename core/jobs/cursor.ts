import { z } from 'zod';
import type { ObjectStore } from '../storage/object-store.ts';
import type { JobDeps } from './deps.ts';
import { toJson } from './json.ts';
import { lockKey } from './keys.ts';
import { readRepairable } from './state.ts';

/**
 * How long one call of the schedule looks at jobs, and how long at data sets: what they leave undone the next call
 * goes on with, and of the ten minutes that a function has, enough is left for the definitions.
 */
const LOOK_MS = 120_000;

/** Begins a round; says from then on whether it is to stop. */
export function beginRound({ now, isClosing }: Pick<JobDeps, 'now' | 'isClosing'>): () => boolean {
  const until = now().getTime() + LOOK_MS;
  return () => now().getTime() >= until || isClosing?.() === true;
}

/** `locks/{name}.json`: behind what the next call goes on; absent: at the beginning. */
const cursorSchema = z.strictObject({ schemaVersion: z.literal(1), after: z.string().optional() });

/** @returns undefined for the beginning; a damaged cursor costs a round and no more */
export async function readCursor(store: ObjectStore, name: string): Promise<string | undefined> {
  const state = await readRepairable(store, { key: lockKey(name), schema: cursorSchema });
  return state?.value?.after;
}

export async function writeCursor(
  store: ObjectStore,
  name: string,
  after: string | undefined,
): Promise<void> {
  const cursor = { schemaVersion: 1, ...(after !== undefined && { after }) };
  await store.write(lockKey(name), toJson(cursor), { contentType: 'application/json' });
}
