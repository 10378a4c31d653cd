import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { StorageError } from '../../core/errors.ts';
import { assertKey } from '../../core/jobs/keys.ts';
import type { ObjectInfo, ObjectStore, StoredObject, WriteOptions } from '../../core/storage/object-store.ts';
import { withBody } from '../../core/storage/source-body.ts';
import {
  assertPrefix,
  assertSeconds,
  assertStart,
  assertUploadTerms,
  unmetCondition,
} from '../../core/storage/store-input.ts';

export interface MemoryStore extends ObjectStore {
  /** Keys in order. */
  keys(prefix?: string): string[];
  /** Content of a JSON object. */
  json(key: string): unknown;
  /** Writes JSON, or text as it is. */
  put(key: string, content: unknown): Promise<ObjectInfo>;
  /** Calls so far, by method. */
  readonly calls: Readonly<Record<string, number>>;
  /** Runs before each call; throws what the call shall fail with. */
  before: (method: string, key: string) => void;
}

export interface MemoryStoreOptions {
  readonly now?: () => Date;
}

/**
 * An ObjectStore in memory that behaves as S3 does: every call takes a turn of the event loop, so that callers
 * interleave, and a conditional write compares and writes in one step.
 */
export function makeMemoryStore({ now = () => new Date() }: MemoryStoreOptions = {}): MemoryStore {
  const objects = new Map<string, StoredObject>();
  const calls: Record<string, number> = {};
  const enter = async (method: string, key: string) => {
    if (method.startsWith('list')) assertPrefix(key);
    else assertKey(key);
    calls[method] = (calls[method] ?? 0) + 1;
    store.before(method, key);
    await setImmediate();
  };
  const keys = (prefix = '') =>
    [...objects.keys()].filter((key) => key.startsWith(prefix)).sort(compareBytes);

  const store: MemoryStore = {
    calls,
    before: () => {},
    keys,
    json: (key) => JSON.parse(Buffer.from(objects.get(key)!.body).toString()),
    put: (key, content) => store.write(key, typeof content === 'string' ? content : JSON.stringify(content)),
    async info(key) {
      await enter('info', key);
      return infoOf(objects.get(key));
    },
    async read(key) {
      await enter('read', key);
      return objects.get(key) ?? null;
    },
    async readStream(key) {
      await enter('readStream', key);
      const object = objects.get(key);
      return object === undefined ? null : Readable.from([object.body]);
    },
    async write(key, body, { onlyIf }: WriteOptions = {}) {
      await enter('write', key);
      assertCondition(objects.get(key), onlyIf);
      return infoOf(keep(key, Buffer.from(body)))!;
    },
    async writeStream(key, body) {
      return withBody(body, async () => {
        await enter('writeStream', key);
        const content = await buffer(body).catch((cause: unknown) => {
          throw new StorageError('memory store: the body broke off', {}, { cause });
        });
        return infoOf(keep(key, content))!;
      });
    },
    async delete(key) {
      await enter('delete', key);
      objects.delete(key);
    },
    async *list(prefix, { startAfter = '' } = {}) {
      await enter('list', prefix);
      assertStart(startAfter);
      const listed = keys(prefix).filter((key) => compareBytes(key, startAfter) > 0);
      for (const info of listed.map((key) => infoOf(objects.get(key)))) if (info !== null) yield info;
    },
    async *listKeys(prefix, { isFlat = false } = {}) {
      await enter('listKeys', prefix);
      yield* keys(prefix).filter((key) => !isFlat || !key.slice(prefix.length).includes('/'));
    },
    async downloadUrl(key, { seconds, filename }) {
      await enter('downloadUrl', key);
      assertSeconds(seconds);
      return `memory://download/${digest(key)}?seconds=${seconds}&filename=${filename}`;
    },
    async uploadForm(key, terms) {
      await enter('uploadForm', key);
      assertUploadTerms(key, terms);
      const { seconds, maxBytes, contentType } = terms;
      const fields = { key, 'Content-Type': contentType, policy: `${seconds} ${maxBytes}` };
      return { url: 'memory://upload', fields };
    },
  };
  const keep = (key: string, body: Uint8Array): StoredObject => {
    const object = { key, body, bytes: body.length, etag: `"${digest(body)}"`, modifiedAt: now() };
    objects.set(key, object);
    return object;
  };
  return store;
}

function infoOf(object: StoredObject | undefined): ObjectInfo | null {
  if (object === undefined) return null;
  const { body: _, ...info } = object;
  return info;
}

function assertCondition(object: StoredObject | undefined, onlyIf: WriteOptions['onlyIf']): void {
  if (onlyIf === undefined) return;
  const holds = onlyIf === 'absent' ? object === undefined : object?.etag === onlyIf.etag;
  if (!holds) throw unmetCondition(onlyIf);
}

/** As S3 orders keys. */
const compareBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

function digest(content: string | Uint8Array): string {
  return createHash('md5').update(content).digest('hex');
}
