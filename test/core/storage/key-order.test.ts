import type { Dirent } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type KeyRange, keysInOrder } from '../../../core/storage/key-order.ts';
import { useTempFolder } from '../../helpers/files.ts';

const folder = useTempFolder();
const KEYS = ['a!', 'a', 'a-b/x', 'a-b/y/z', 'a.b', 'b/c', 'b/c0/d', 'c', '\uff21', '\u{1F600}/e'];
const byBytes = (keys: readonly string[]) =>
  [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));

let readFolders: string[] = [];
function entriesOf(key: string): Promise<Dirent[]> {
  readFolders.push(key);
  return readdir(path.join(folder.path, key), { withFileTypes: true }).catch(() => []);
}

async function keysIn(range: Partial<KeyRange>): Promise<string[]> {
  readFolders = [];
  const keys: string[] = [];
  for await (const key of keysInOrder(entriesOf, { prefix: '', startAfter: '', ...range })) keys.push(key);
  return keys;
}

beforeAll(async () => {
  for (const key of KEYS) {
    await mkdir(path.dirname(folder.at(key)), { recursive: true });
    await writeFile(folder.at(key), key);
  }
});

describe('keysInOrder', () => {
  it('gives every key once, in order of bytes', async () => {
    expect(await keysIn({})).toEqual(byBytes(KEYS));
  });

  it('reads no folder that has nothing to give', async () => {
    await keysIn({ prefix: 'b/c' });
    expect(readFolders).toEqual(['b/', 'b/c0/']);
    await keysIn({ startAfter: 'b/zz' });
    expect(readFolders).toEqual(['', 'b/', '\u{1F600}/']);
    expect(await keysIn({ isFlat: true })).toEqual(byBytes(KEYS.filter((key) => !key.includes('/'))));
    expect(readFolders).toEqual(['']);
  });

  it('gives the same as filtering all keys, for any prefix and any key to start behind', async () => {
    const part = fc.constantFrom(
      '',
      'a',
      'a-',
      'a-b/',
      'a-b/y',
      'b/',
      'b/c0/',
      'b/c0/d',
      'c',
      '\u{1F600}',
      'zz',
    );
    await fc.assert(
      fc.asyncProperty(part, part, async (prefix, startAfter) => {
        const behind = KEYS.filter((key) => Buffer.compare(Buffer.from(key), Buffer.from(startAfter)) > 0);
        const expected = byBytes(behind.filter((key) => key.startsWith(prefix)));
        expect(await keysIn({ prefix, startAfter })).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });
});
