import { mkdir, readdir, readFile, rm, stat, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { InvalidInputError } from '../../../core/errors.ts';
import { makeDirectoryStore } from '../../../core/storage/directory-store.ts';
import type { UploadForm } from '../../../core/storage/object-store.ts';
import { verifySignature } from '../../../core/storage/signed-access.ts';
import { useTempFolder } from '../../helpers/files.ts';
import { collect, keysOf, numbered, textOf } from './contract-parts.ts';
import { describeObjectStore } from './object-store.contract.ts';

const folder = useTempFolder();
const SIGNING = { baseUrl: 'http://127.0.0.1:8080/', signingKey: 'a secret of this test' } as const;
const refused = { code: 'INVALID_INPUT' };

const contractStore = () => makeDirectoryStore(folder.at('contract'), SIGNING);
const allowed = (parameters: Record<string, string>) =>
  verifySignature(parameters, { signingKey: SIGNING.signingKey, now: new Date() });

/** What the local server does with a URL of ours. */
async function download(url: string) {
  const access = allowed(Object.fromEntries(new URL(url).searchParams));
  if (access?.action !== 'download') return null;
  const filename = access.filename?.replaceAll('"', '_') ?? null;
  return { body: await textOf(contractStore(), access.key), filename };
}

/** What the local server does with a form of ours. */
async function post({ fields }: UploadForm, file: Uint8Array) {
  const access = allowed({ ...fields });
  if (access?.action !== 'upload' || file.length > access.maxBytes) return false;
  await contractStore().write(access.key, file, { contentType: access.contentType });
  return true;
}

describeObjectStore('directory store', { makeStore: contractStore, download, post });

/** Everything below a folder, the folder of locks and temporary files too. */
const everything = (root: string) => readdir(root, { recursive: true }).then((names) => names.sort());
const RESERVED = ['.counterweight', '.counterweight/locks', '.counterweight/tmp'];

describe('the folder of a directory store', () => {
  it('holds the objects as files, and nothing else that stays', async () => {
    const root = folder.at('plain');
    const store = makeDirectoryStore(root);
    await store.write('a/b.json', '{}');
    await store.writeStream('c', Readable.from(['text']));
    await store.write('a/b.json', '{"n":1}', { onlyIf: { etag: (await store.info('a/b.json'))!.etag } });
    await expect(store.write('c', 'x', { onlyIf: 'absent' })).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(await everything(root)).toEqual([...RESERVED, 'a', 'a/b.json', 'c']);
    expect(await readFile(path.join(root, 'a/b.json'), 'utf8')).toBe('{"n":1}');
  });

  it('loses folders that are empty, but for those of the first level', async () => {
    const root = folder.at('prune');
    const store = makeDirectoryStore(root);
    await store.write('a/b/c/d', '1');
    await store.write('a/e', '2');
    await store.delete('a/b/c/d');
    expect((await readdir(path.join(root, 'a'))).sort()).toEqual(['e']);
    await store.delete('a/e');
    expect(await readdir(path.join(root, 'a'))).toEqual([]);
  });

  it('outlives deletes beside writes', async () => {
    const store = makeDirectoryStore(folder.at('beside'));
    await Promise.all(
      numbered(40).map(async (index) => {
        await store.write(`a/b/${index % 4}/${index}`, `${index}`);
        if (index % 2 === 1) await store.delete(`a/b/${index % 4}/${index}`);
      }),
    );
    expect(await collect(store.list('a/'))).toHaveLength(20);
  });

  it('may come later: a root that cannot be made fails, and is tried again', async () => {
    await folder.write('in-the-way', '');
    const store = makeDirectoryStore(folder.at('in-the-way/root'));
    await expect(store.read('a')).rejects.toMatchObject({
      code: 'STORAGE',
      message: 'directory store: reading failed (ENOTDIR)',
      cause: { code: 'ENOTDIR', message: 'ENOTDIR' },
    });
    await rm(folder.at('in-the-way'));
    expect(await store.read('a')).toBeNull();
  });

  it('may be reached through a link itself', async () => {
    await mkdir(folder.at('real'));
    await symlink(folder.at('real'), folder.at('alias'));
    await makeDirectoryStore(folder.at('alias')).write('a', '1');
    expect(await textOf(makeDirectoryStore(folder.at('real')), 'a')).toBe('1');
  });
});

describe('the etag of a file', () => {
  it('follows its content, also when somebody else writes it', async () => {
    const store = makeDirectoryStore(folder.at('etags'));
    const first = await store.write('a', 'one');
    expect((await store.info('a'))!.etag).toBe(first.etag);
    expect((await store.info('a'))!.etag).toBe(first.etag);
    await writeFile(folder.at('etags/a'), 'two');
    // The same size, and a clock that may not have moved on.
    await utimes(folder.at('etags/a'), 1, 1);
    const second = (await store.info('a'))!.etag;
    expect(second).not.toBe(first.etag);
    await store.write('a', 'one');
    expect((await store.info('a'))!.etag).toBe(first.etag);
  });
});

describe('the keys alone', () => {
  it('are given without a look into the files, however large they are', async () => {
    // A hole of 1 TiB, which takes no room on the disk and an hour to read.
    await truncate(await folder.write('sizes/a/large', ''), 2 ** 40);
    await folder.write('sizes/b', '');
    expect(await keysOf(makeDirectoryStore(folder.at('sizes')).listKeys(''))).toEqual(['a/large', 'b']);
  });

  it('leave out what no key leads to', async () => {
    await folder.write('strange/a\nb', '1');
    await folder.write('strange/.counterweight/c', '2');
    await folder.write('strange/d', '3');
    await symlink(folder.at('strange/d'), folder.at('strange/link'));
    expect(await keysOf(makeDirectoryStore(folder.at('strange')).listKeys(''))).toEqual(['d']);
  });
});

describe('links below the root', () => {
  const root = () => folder.at('links');
  const store = () => makeDirectoryStore(root());

  it('are followed by nothing: neither out of the root nor inside it', async () => {
    await folder.write('outside/secret', 'outside');
    await store().write('inside/a', 'inside');
    await symlink(folder.at('outside'), folder.at('links/out'));
    await symlink(folder.at('outside/secret'), folder.at('links/file'));
    await symlink(folder.at('links/inside'), folder.at('links/in'));
    await symlink(folder.at('nowhere'), folder.at('links/dangling'));
    await symlink(folder.at('links/round'), folder.at('links/round'));
    for (const key of ['out/secret', 'in/a', 'round/a', 'file']) {
      await expect(store().read(key), key).rejects.toMatchObject(refused);
      await expect(store().info(key), key).rejects.toMatchObject(refused);
      await expect(store().readStream(key), key).rejects.toMatchObject(refused);
    }
    for (const key of ['out/new', 'out/deep/new', 'in/new', 'dangling/new', 'round/new']) {
      await expect(store().write(key, 'x'), key).rejects.toMatchObject(refused);
      await expect(store().writeStream(key, Readable.from(['x'])), key).rejects.toMatchObject(refused);
    }
    await expect(store().delete('out/secret')).rejects.toMatchObject(refused);
    await expect(collect(store().list('out/'))).rejects.toMatchObject(refused);
    expect(await collect(store().list(''))).toEqual(['inside/a']);
    expect(await readdir(folder.at('outside'))).toEqual(['secret']);
    await expect(stat(folder.at('nowhere'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('give way to an object of their name, and what they led to stays', async () => {
    await folder.write('outside/kept', 'outside');
    await mkdir(root(), { recursive: true });
    await symlink(folder.at('outside/kept'), folder.at('links/replaced'));
    await store().write('replaced', 'mine');
    expect(await textOf(store(), 'replaced')).toBe('mine');
    expect(await readFile(folder.at('outside/kept'), 'utf8')).toBe('outside');
  });
});

describe('keys that a file system cannot have', () => {
  const store = () => makeDirectoryStore(folder.at('names'));

  it.each(['.counterweight', '.counterweight/locks/a', '.CounterWeight/a'])(
    'the store keeps %s for itself',
    async (key) => {
      await expect(store().write(key, '1')).rejects.toMatchObject(refused);
      await expect(store().read(key)).rejects.toMatchObject(refused);
      await expect(store().delete(key)).rejects.toMatchObject(refused);
      await expect(store().uploadForm(key, { seconds: 1, maxBytes: 1, contentType: 'a/b' })).rejects.toThrow(
        InvalidInputError,
      );
    },
  );

  it('an object is no folder, and a folder no object', async () => {
    await store().write('a', '1');
    await store().write('b/c', '2');
    await expect(store().write('a/d', 'x')).rejects.toMatchObject(refused);
    await expect(store().write('a/d/e', 'x')).rejects.toMatchObject(refused);
    await expect(store().write('b', 'x')).rejects.toMatchObject(refused);
    expect(await store().read('a/d')).toBeNull();
    await store().delete('a/d');
    expect(await collect(store().list(''))).toEqual(['a', 'b/c']);
  });

  it('files that others left under no key of ours are not listed', async () => {
    await folder.write('foreign/a\nb', '1');
    await folder.write('foreign/c\\d/e', '2');
    await folder.write('foreign/f', '3');
    expect(await collect(makeDirectoryStore(folder.at('foreign')).list(''))).toEqual(['f']);
  });
});

describe('signing', () => {
  it('needs the address of a server and a secret', async () => {
    const store = makeDirectoryStore(folder.at('unsigned'), { baseUrl: SIGNING.baseUrl });
    await expect(store.downloadUrl('a', { seconds: 1 })).rejects.toMatchObject(refused);
    await expect(
      store.uploadForm('a', { seconds: 1, maxBytes: 1, contentType: 'a/b' }),
    ).rejects.toMatchObject(refused);
  });

  it('refuses a secret that is too short, at once', () => {
    expect(() => makeDirectoryStore(folder.at('short'), { signingKey: 'k'.repeat(15) })).toThrow(
      InvalidInputError,
    );
  });

  it('names the server once, whether or not its address ends with a slash', async () => {
    const url = await makeDirectoryStore(folder.at('urls'), SIGNING).downloadUrl('a/b', { seconds: 5 });
    expect(url).toMatch(
      /^http:\/\/127\.0\.0\.1:8080\/download\?action=download&key=a%2Fb&expires=\d+&signature=/,
    );
  });
});
