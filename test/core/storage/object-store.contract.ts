import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import type { ObjectStore, UploadForm } from '../../../core/storage/object-store.ts';
import {
  collect,
  type DefineTest,
  describeConditions,
  describeLists,
  describeOrder,
  numbered,
  type Place,
  textOf,
} from './contract-parts.ts';
import { describeStreams } from './contract-streams.ts';

/** What a server may be unable to do. */
type Ability = 'conditional writes' | 'order of keys';

export interface StoreUnderTest {
  /** Called in tests only. */
  readonly makeStore: () => ObjectStore;
  /** Follows a download URL as a browser does; null when it is refused. */
  readonly download: (url: string) => Promise<Downloaded | null>;
  /** Posts a form as a browser does; false when it is refused. */
  readonly post: (form: UploadForm, file: Uint8Array) => Promise<boolean>;
  /** What the server cannot do, and why; those tests are left to another one that can. */
  readonly lacks?: Partial<Record<Ability, string>>;
}

export interface Downloaded {
  readonly body: string;
  readonly filename: string | null;
}

const CSV = 'text/csv';
/** The tests that every ObjectStore passes. */
export function describeObjectStore(name: string, under: StoreUnderTest): void {
  const { lacks = {} } = under;
  const itHolds = (title: string, test: (place: Place) => Promise<void>) => it(title, () => test(place()));
  const place = (): Place => ({ store: under.makeStore(), prefix: `t-${randomUUID()}/` });

  describe(`${name}: objects`, () => describeObjects(itHolds));
  describe(`${name}: streams`, () => describeStreams(itHolds));
  if (lacks['conditional writes'] === undefined) {
    describe(`${name}: conditional writes`, () => describeConditions(itHolds));
  }
  describe(`${name}: lists`, () => {
    describeLists(itHolds);
    if (lacks['order of keys'] === undefined) describeOrder(itHolds);
  });
  describe(`${name}: signed access`, () => describeAccess(itHolds, under));
}

function describeObjects(itHolds: DefineTest): void {
  itHolds('reads what was written, with its size, etag and time', async ({ store, prefix }) => {
    const before = Date.now();
    const written = await store.write(`${prefix}a`, 'content', { contentType: CSV });
    const info = await store.info(`${prefix}a`);
    expect(info).toMatchObject({ key: `${prefix}a`, bytes: 7, etag: written.etag });
    expect(written).toMatchObject({ key: `${prefix}a`, bytes: 7 });
    // S3 counts whole seconds.
    expect(info!.modifiedAt.getTime()).toBeGreaterThanOrEqual(Math.floor(before / 1000) * 1000 - 1000);
    expect(info!.modifiedAt.getTime()).toBeLessThanOrEqual(Date.now() + 1000);
    const { body, ...rest } = (await store.read(`${prefix}a`))!;
    expect(rest).toEqual(info);
    expect(Buffer.from(body).toString()).toBe('content');
  });

  itHolds('a key that was never written has no info, no content and no stream', async ({ store, prefix }) => {
    expect(await store.info(`${prefix}none`)).toBeNull();
    expect(await store.read(`${prefix}none`)).toBeNull();
    expect(await store.readStream(`${prefix}none`)).toBeNull();
  });

  itHolds('a prefix of keys is no key', async ({ store, prefix }) => {
    await store.write(`${prefix}folder/a`, '1');
    expect(await store.read(`${prefix}folder`)).toBeNull();
    expect(await store.info(`${prefix}folder`)).toBeNull();
  });

  itHolds('overwriting changes content and etag', async ({ store, prefix }) => {
    const first = await store.write(`${prefix}a`, 'one');
    const second = await store.write(`${prefix}a`, 'two');
    expect(second.etag).not.toBe(first.etag);
    expect(await store.read(`${prefix}a`)).toMatchObject({ etag: second.etag });
    expect(await textOf(store, `${prefix}a`)).toBe('two');
  });

  itHolds('deletes an object, and nothing when there is none', async ({ store, prefix }) => {
    await store.write(`${prefix}a/b`, '1');
    await store.delete(`${prefix}a/b`);
    await store.delete(`${prefix}a/b`);
    await store.delete(`${prefix}a`);
    expect(await store.read(`${prefix}a/b`)).toBeNull();
    expect(await collect(store.list(prefix))).toEqual([]);
  });

  itHolds('keeps every byte value', async ({ store, prefix }) => {
    const body = Uint8Array.from(numbered(256));
    await store.write(`${prefix}bytes`, body);
    expect([...(await store.read(`${prefix}bytes`))!.body]).toEqual([...body]);
  });

  itHolds('keeps text as UTF-8', async ({ store, prefix }) => {
    await store.write(`${prefix}text`, '皮膚 ü');
    expect(await textOf(store, `${prefix}text`)).toBe('皮膚 ü');
  });

  itHolds('keeps objects of 0 bytes, written whole or as a stream', async ({ store, prefix }) => {
    await store.write(`${prefix}a`, new Uint8Array());
    await store.writeStream(`${prefix}b`, Readable.from([]));
    for (const key of [`${prefix}a`, `${prefix}b`]) {
      expect(await store.read(key)).toMatchObject({ bytes: 0 });
      expect(await buffer((await store.readStream(key))!)).toHaveLength(0);
    }
  });

  itHolds('keys may hold spaces, signs and any script', async ({ store, prefix }) => {
    const names = ['a b+c', "it's (1)!~*", '50%25 & #1?=@:,;$', '皮膚/病変', 'é', 'e\u0301', '\u{1F600}'];
    for (const name of names) await store.write(prefix + name, name);
    for (const name of names) expect(await textOf(store, prefix + name)).toBe(name);
    expect((await collect(store.list(prefix))).sort()).toEqual(names.map((name) => prefix + name).sort());
  });

  itHolds('refuses keys that are no plain path', async ({ store }) => {
    const bad = ['', '/a', 'a//b', 'a/', '.', '..', 'a/../b', './a', 'a\\b', 'a\nb', 'a\u0000b'];
    const halves = ['\ud800', 'a/\udc00b', '\u{1F600}'.slice(0, 1)];
    for (const key of [...bad, ...halves, 'k'.repeat(256), `${'k/'.repeat(512)}k`]) {
      const refused = { code: 'INVALID_INPUT' };
      const terms = { seconds: 60, maxBytes: 10, contentType: CSV };
      await expect(store.info(key)).rejects.toMatchObject(refused);
      await expect(store.read(key)).rejects.toMatchObject(refused);
      await expect(store.readStream(key)).rejects.toMatchObject(refused);
      await expect(store.write(key, '1')).rejects.toMatchObject(refused);
      await expect(store.writeStream(key, Readable.from(['1']))).rejects.toMatchObject(refused);
      await expect(store.delete(key)).rejects.toMatchObject(refused);
      await expect(store.downloadUrl(key, terms)).rejects.toMatchObject(refused);
      await expect(store.uploadForm(key, terms)).rejects.toMatchObject(refused);
    }
  });
}

function describeAccess(itHolds: DefineTest, { download, post }: StoreUnderTest): void {
  itHolds('a download URL gives the content without credentials, under a name', async ({ store, prefix }) => {
    await store.write(`${prefix}報告 1.html`, 'content');
    const terms = { seconds: 60, filename: '報告 "1".html' };
    const url = await store.downloadUrl(`${prefix}報告 1.html`, terms);
    expect(await download(url)).toEqual({ body: 'content', filename: '報告 _1_.html' });
  });

  itHolds('a download URL without a name gives none', async ({ store, prefix }) => {
    await store.write(`${prefix}a`, 'content');
    const url = await store.downloadUrl(`${prefix}a`, { seconds: 60 });
    expect(await download(url)).toEqual({ body: 'content', filename: null });
  });

  const terms = { seconds: 60, maxBytes: 100, contentType: CSV };

  itHolds('a form takes a file of the size and type that it is bound to', async ({ store, prefix }) => {
    const form = await store.uploadForm(`${prefix}a.csv`, terms);
    expect(await post(form, Buffer.alloc(100, 'a'))).toBe(true);
    expect(await textOf(store, `${prefix}a.csv`)).toBe('a'.repeat(100));
  });

  itHolds('a form refuses a file that is too large', async ({ store, prefix }) => {
    const form = await store.uploadForm(`${prefix}a.csv`, terms);
    expect(await post(form, Buffer.alloc(101))).toBe(false);
    expect(await store.info(`${prefix}a.csv`)).toBeNull();
  });

  itHolds('a form refuses another type, and another key', async ({ store, prefix }) => {
    const { url, fields } = await store.uploadForm(`${prefix}a.csv`, terms);
    expect(fields).toMatchObject({ key: `${prefix}a.csv`, 'Content-Type': CSV });
    for (const changed of [{ 'Content-Type': 'text/html' }, { key: `${prefix}b.csv` }]) {
      expect(await post({ url, fields: { ...fields, ...changed } }, Buffer.alloc(1))).toBe(false);
    }
    expect(await collect(store.list(prefix))).toEqual([]);
  });

  itHolds('refuses to sign for no time, more than a week, no size and no type', async ({ store, prefix }) => {
    const refused = { code: 'INVALID_INPUT' };
    for (const seconds of [0, -1, 1.5, Number.NaN, 7 * 24 * 3600 + 1]) {
      await expect(store.downloadUrl(`${prefix}a`, { seconds })).rejects.toMatchObject(refused);
      await expect(store.uploadForm(`${prefix}a`, { ...terms, seconds })).rejects.toMatchObject(refused);
    }
    for (const changed of [{ maxBytes: 0 }, { maxBytes: 6 * 1024 ** 3 }, { contentType: 'csv\r\nX: y' }]) {
      await expect(store.uploadForm(`${prefix}a`, { ...terms, ...changed })).rejects.toMatchObject(refused);
    }
  });

  itHolds(
    'refuses a form whose key S3 would fill in from the name of the file',
    async ({ store, prefix }) => {
      await expect(store.uploadForm(`${prefix}\${filename}`, terms)).rejects.toMatchObject({
        code: 'INVALID_INPUT',
      });
    },
  );
}
