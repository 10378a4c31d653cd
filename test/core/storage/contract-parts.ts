import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { isCounterweightError } from '../../../core/errors.ts';
import type { ObjectInfo, ObjectStore } from '../../../core/storage/object-store.ts';

export interface Place {
  readonly store: ObjectStore;
  /** Of keys that no other test uses. */
  readonly prefix: string;
}

export type DefineTest = (title: string, test: (place: Place) => Promise<void>) => void;

/** Some more than two pages of a server that gives 5 keys at a time. */
const MANY_KEYS = 12;

export const numbered = (count: number) => Array.from({ length: count }, (_, index) => index);

export async function collect(keys: AsyncIterable<ObjectInfo>): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of keys) found.push(key);
  return found;
}

export async function keysOf(keys: AsyncIterable<string>): Promise<string[]> {
  const found: string[] = [];
  for await (const key of keys) found.push(key);
  return found;
}

export const textOf = async (store: ObjectStore, key: string) =>
  Buffer.from((await store.read(key))!.body).toString();

/** Adds one to a number, again and again until nobody came between. */
export async function increment(store: ObjectStore, key: string): Promise<void> {
  for (;;) {
    const found = (await store.read(key))!;
    const next = String(Number(Buffer.from(found.body).toString()) + 1);
    try {
      await store.write(key, next, { onlyIf: { etag: found.etag } });
      return;
    } catch (error) {
      if (!isCounterweightError(error) || error.code !== 'CONFLICT') throw error;
    }
    await sleep(Math.random() * 40);
  }
}

export function describeConditions(itHolds: DefineTest): void {
  itHolds('writes a new object, and refuses to write it once more', async ({ store, prefix }) => {
    await store.write(`${prefix}a`, 'first', { onlyIf: 'absent' });
    await expect(store.write(`${prefix}a`, 'second', { onlyIf: 'absent' })).rejects.toMatchObject({
      code: 'CONFLICT',
    });
    expect(await textOf(store, `${prefix}a`)).toBe('first');
  });

  itHolds('a deleted object is absent', async ({ store, prefix }) => {
    await store.write(`${prefix}a`, 'first');
    await store.delete(`${prefix}a`);
    await store.write(`${prefix}a`, 'second', { onlyIf: 'absent' });
    expect(await textOf(store, `${prefix}a`)).toBe('second');
  });

  itHolds('overwrites content whose etag is known, from a write, a read or a list', async (place) => {
    const { store, prefix } = place;
    const key = `${prefix}a`;
    const written = await store.write(key, '1');
    await store.write(key, '2', { onlyIf: { etag: written.etag } });
    await store.write(key, '3', { onlyIf: { etag: (await store.read(key))!.etag } });
    await store.write(key, '4', { onlyIf: { etag: (await store.info(key))!.etag } });
    for await (const { etag } of store.list(prefix)) await store.write(key, '5', { onlyIf: { etag } });
    expect(await textOf(store, key)).toBe('5');
  });

  itHolds('refuses to overwrite content that has changed, or is gone', async ({ store, prefix }) => {
    const key = `${prefix}a`;
    const { etag } = await store.write(key, 'old');
    await store.write(key, 'new');
    await expect(store.write(key, 'mine', { onlyIf: { etag } })).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(await textOf(store, key)).toBe('new');
    await store.delete(key);
    await expect(store.write(key, 'mine', { onlyIf: { etag } })).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(await store.read(key)).toBeNull();
  });

  itHolds('of 20 who write a new object at once, exactly one does', async ({ store, prefix }) => {
    const tries = await Promise.allSettled(
      numbered(20).map((index) => store.write(`${prefix}a`, `${index}`, { onlyIf: 'absent' })),
    );
    const winners = tries.flatMap(({ status }, index) => (status === 'fulfilled' ? [`${index}`] : []));
    expect(winners).toEqual([await textOf(store, `${prefix}a`)]);
    for (const refused of tries.filter((result) => result.status === 'rejected')) {
      expect(refused.reason).toMatchObject({ code: 'CONFLICT' });
    }
  });

  itHolds('20 who each add one at once, trying again on a conflict, add 20', async ({ store, prefix }) => {
    await store.write(`${prefix}n`, '0');
    await Promise.all(numbered(20).map(() => increment(store, `${prefix}n`)));
    expect(await textOf(store, `${prefix}n`)).toBe('20');
  });
}

export function describeLists(itHolds: DefineTest): void {
  itHolds('lists what lies below a prefix, and nothing else', async ({ store, prefix }) => {
    for (const name of ['a', 'ab/c', 'b/d', 'b/e/f', 'bc']) await store.write(prefix + name, name);
    const below = async (end: string) =>
      (await collect(store.list(prefix + end))).sort().map((key) => key.slice(prefix.length));
    expect(await below('')).toEqual(['a', 'ab/c', 'b/d', 'b/e/f', 'bc']);
    expect(await below('b/')).toEqual(['b/d', 'b/e/f']);
    expect(await below('b')).toEqual(['b/d', 'b/e/f', 'bc']);
    expect(await below('none/')).toEqual([]);
    expect(await below('a/')).toEqual([]);
  });

  itHolds('tells of each object what info tells', async ({ store, prefix }) => {
    await store.write(`${prefix}a`, 'content');
    for await (const listed of store.list(prefix)) expect(listed).toEqual(await store.info(listed.key));
  });

  itHolds('gives the keys alone, of the same objects', async ({ store, prefix }) => {
    for (const name of ['a', 'ab/c', 'b/d', 'b/e/f', 'bc']) await store.write(prefix + name, name);
    const below = async (end: string) =>
      (await keysOf(store.listKeys(prefix + end))).sort().map((key) => key.slice(prefix.length));
    expect(await below('')).toEqual(['a', 'ab/c', 'b/d', 'b/e/f', 'bc']);
    expect(await below('b/')).toEqual(['b/d', 'b/e/f']);
    expect(await below('none/')).toEqual([]);
  });

  itHolds('gives the keys of a folder without those of folders below it', async ({ store, prefix }) => {
    for (const name of ['a', 'b/d', 'b/e/f', 'b/e/g', 'b/z', 'bc']) await store.write(prefix + name, name);
    const flat = async (end: string) =>
      (await keysOf(store.listKeys(prefix + end, { isFlat: true })))
        .sort()
        .map((key) => key.slice(prefix.length));
    expect(await flat('')).toEqual(['a', 'bc']);
    expect(await flat('b/')).toEqual(['b/d', 'b/z']);
    expect(await flat('b/e/')).toEqual(['b/e/f', 'b/e/g']);
    expect(await flat('none/')).toEqual([]);
  });

  itHolds('refuses a prefix that no key can have', async ({ store }) => {
    for (const prefix of ['/', '../', 'a//', 'a/../b', 'a\\', 'a\ud800']) {
      await expect(collect(store.list(prefix))).rejects.toMatchObject({ code: 'INVALID_INPUT' });
      await expect(keysOf(store.listKeys(prefix))).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    }
  });

  itHolds('refuses to start behind what can be no key', async ({ store, prefix }) => {
    for (const startAfter of ['/', 'a//b', '\ud800']) {
      await expect(collect(store.list(prefix, { startAfter }))).rejects.toMatchObject({
        code: 'INVALID_INPUT',
      });
    }
  });
}

export function describeOrder(itHolds: DefineTest): void {
  /** In order of their UTF-8 bytes; JavaScript's own order has the last two the other way round. */
  const ordered = ['B', 'a!b', 'a-b', 'a/b', 'a/c/d', 'a0', 'b', 'é', '\uff21', '\u{1F600}'];

  itHolds('lists keys in order of their bytes', async ({ store, prefix }) => {
    for (const name of [...ordered].reverse()) await store.write(prefix + name, name);
    expect(await collect(store.list(prefix))).toEqual(ordered.map((name) => prefix + name));
    expect(await keysOf(store.listKeys(prefix))).toEqual(ordered.map((name) => prefix + name));
  });

  itHolds('starts behind a key, whether or not it exists', async ({ store, prefix }) => {
    for (const name of ordered) await store.write(prefix + name, name);
    for (const [startAfter, next] of [
      ['a-b', 3],
      ['a/b', 4],
      ['a/bb', 4],
      ['a/~', 5],
      ['a/c/d', 5],
      ['\u{1F600}', 10],
    ] as const) {
      const listed = await collect(store.list(prefix, { startAfter: prefix + startAfter }));
      expect(listed, startAfter).toEqual(ordered.slice(next).map((name) => prefix + name));
    }
  });

  itHolds('lists each of many keys once', async ({ store, prefix }) => {
    const keys = numbered(MANY_KEYS).map((index) => `${prefix}${String(index).padStart(4, '0')}`);
    await Promise.all(keys.map((key) => store.write(key, '')));
    expect(await collect(store.list(prefix))).toEqual(keys);
    expect(await keysOf(store.listKeys(prefix))).toEqual(keys);
  });
}
