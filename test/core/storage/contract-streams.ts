import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { collect, type DefineTest, numbered, textOf } from './contract-parts.ts';

/** What every ObjectStore does with bodies of any size. */
export function describeStreams(itHolds: DefineTest): void {
  itHolds('keeps a stream of 12 MB, read back as a stream and whole', async ({ store, prefix }) => {
    const parts = numbered(12).map(() => randomBytes(1_000_000));
    const written = await store.writeStream(`${prefix}large`, Readable.from(parts), {
      contentType: 'text/csv',
    });
    expect(written.bytes).toBe(12_000_000);
    const whole = Buffer.concat(parts);
    expect(whole.equals(await buffer((await store.readStream(`${prefix}large`))!))).toBe(true);
    const found = (await store.read(`${prefix}large`))!;
    expect(found).toMatchObject({ bytes: 12_000_000, etag: written.etag });
    expect(whole.equals(found.body)).toBe(true);
  });

  itHolds('a stream that breaks off leaves what was there, or nothing', async ({ store, prefix }) => {
    const breakOff = async function* () {
      yield Buffer.alloc(9_000_000);
      throw new Error('the source is gone');
    };
    await store.write(`${prefix}old`, 'before');
    for (const key of [`${prefix}new`, `${prefix}old`]) {
      await expect(store.writeStream(key, Readable.from(breakOff()))).rejects.toMatchObject({
        code: 'STORAGE',
      });
    }
    expect(await collect(store.list(prefix))).toEqual([`${prefix}old`]);
    expect(await textOf(store, `${prefix}old`)).toBe('before');
  });

  itHolds('a stream that fails before anybody reads it fails the write, and nothing else', async (place) => {
    const { store, prefix } = place;
    const broken = () => new PassThrough().destroy(new Error('gone at once'));
    const missing = () => createReadStream(`/no/such/file/${prefix}`);
    for (const open of [broken, missing]) {
      await expect(store.writeStream(`${prefix}a`, open())).rejects.toMatchObject({ code: 'STORAGE' });
    }
    await expect(store.writeStream('a//b', missing())).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    await sleep(20); // time for an error that nobody listens to
    expect(await store.info(`${prefix}a`)).toBeNull();
  });

  itHolds('closes a body that it does not read to its end', async ({ store, prefix }) => {
    const unread = Readable.from(['1']);
    await expect(store.writeStream('a//b', unread)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    expect(unread.destroyed).toBe(true);
    const read = Readable.from(['1']);
    await store.writeStream(`${prefix}a`, read);
    expect(read.destroyed).toBe(true);
  });
}
