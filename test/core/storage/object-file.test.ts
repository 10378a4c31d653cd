import fs, { type FileHandle, mkdir, open, readdir, readFile, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  fillTemporary,
  hashFile,
  hashOf,
  isRealFolder,
  openFile,
  placeNewFile,
  replaceFile,
  sweepTemporaries,
  syncFolders,
} from '../../../core/storage/object-file.ts';
import { makeOwnedName } from '../../../core/storage/owner.ts';
import { useTempFolder } from '../../helpers/files.ts';

const folder = useTempFolder();
const failure = (code: string) => Object.assign(new Error(code), { code });

/** What every file handle does, to be made to fail. */
async function handleMethods(): Promise<FileHandle> {
  const handle = await open(await folder.write('any', ''));
  await handle.close();
  return Object.getPrototypeOf(handle) as FileHandle;
}

/** Lets a function of the file system fail until the end of the test. */
function failWith(code: string, name: 'link' | 'open' | 'realpath'): void {
  const failing = vi.spyOn(fs, name).mockRejectedValue(failure(code));
  syncBuiltinESMExports();
  onTestFinished(() => {
    failing.mockRestore();
    syncBuiltinESMExports();
  });
}

describe('fillTemporary', () => {
  it('writes every part to a file of its own, with its size and hash', async () => {
    const parts = ['one', Buffer.from('two')];
    const written = await fillTemporary(folder.at('parts'), parts);
    expect(written).toMatchObject({ bytes: 6, etag: hashOf(Buffer.from('onetwo')) });
    expect(await readFile(written.file, 'utf8')).toBe('onetwo');
  });

  it('is on the disk before it returns', async () => {
    const sync = vi.spyOn(await handleMethods(), 'sync');
    onTestFinished(() => sync.mockRestore());
    await fillTemporary(folder.at('synced'), ['1']);
    expect(sync).toHaveBeenCalledTimes(1);
  });

  it.each(['ENOSPC', 'EIO'])('leaves nothing when the disk says %s at the end', async (code) => {
    const sync = vi.spyOn(await handleMethods(), 'sync').mockRejectedValue(failure(code));
    onTestFinished(() => sync.mockRestore());
    await expect(fillTemporary(folder.at(code), ['1'])).rejects.toMatchObject({ code });
    expect(await readdir(folder.at(code))).toEqual([]);
  });

  it('leaves nothing when the body breaks off', async () => {
    const body = (function* () {
      yield 'one';
      throw new Error('gone');
    })();
    await expect(fillTemporary(folder.at('broken'), body)).rejects.toThrow('gone');
    expect(await readdir(folder.at('broken'))).toEqual([]);
  });
});

describe('openFile', () => {
  it('opens a file, and nothing that is none', async () => {
    const handle = await openFile(await folder.write('file', 'abc'));
    expect(await hashFile(handle!)).toBe(hashOf(Buffer.from('abc')));
    await handle!.close();
    await mkdir(folder.at('a-folder'));
    expect(await openFile(folder.at('a-folder'))).toBeNull();
    expect(await openFile(folder.at('none'))).toBeNull();
    expect(await openFile(folder.at('file/below'))).toBeNull();
  });

  it('passes on what else the file system says', async () => {
    failWith('EMFILE', 'open');
    await expect(openFile(folder.at('file'))).rejects.toMatchObject({ code: 'EMFILE' });
  });
});

describe('placeNewFile', () => {
  /** Two files of the same content as their names. */
  const files = async (name: string) => ({
    temporary: await folder.write(`${name}/temporary`, 'temporary'),
    taken: await folder.write(`${name}/taken`, 'taken'),
    free: folder.at(`${name}/free`),
  });

  it('gives a free name, and refuses one that is taken', async () => {
    const { temporary, taken, free } = await files('links');
    await placeNewFile(temporary, free);
    expect(await readFile(free, 'utf8')).toBe('temporary');
    await expect(placeNewFile(temporary, taken)).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(await readFile(taken, 'utf8')).toBe('taken');
  });

  it.each(['EPERM', 'ENOTSUP'])('does the same where there are no hard links (%s)', async (code) => {
    const { temporary, taken, free } = await files(code);
    failWith(code, 'link');
    await expect(placeNewFile(temporary, taken)).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(await readFile(taken, 'utf8')).toBe('taken');
    await placeNewFile(temporary, free);
    expect(await readFile(free, 'utf8')).toBe('temporary');
  });

  it('passes on what else the file system says', async () => {
    const { temporary, free } = await files('full');
    failWith('ENOSPC', 'link');
    await expect(placeNewFile(temporary, free)).rejects.toMatchObject({ code: 'ENOSPC' });
  });
});

describe('replaceFile', () => {
  it('gives a name that is taken', async () => {
    const temporary = await folder.write('replace/temporary', 'new');
    await replaceFile(temporary, await folder.write('replace/taken', 'old'));
    expect(await readdir(folder.at('replace'))).toEqual(['taken']);
    expect(await readFile(folder.at('replace/taken'), 'utf8')).toBe('new');
  });
});

describe('isRealFolder', () => {
  it('is true of a folder, and false of nothing', async () => {
    expect(await isRealFolder(folder.path)).toBe(true);
    expect(await isRealFolder(folder.at('none/below'))).toBe(false);
  });

  it('passes on what else the file system says', async () => {
    failWith('EACCES', 'realpath');
    await expect(isRealFolder(folder.path)).rejects.toMatchObject({ code: 'EACCES' });
  });
});

describe('sweepTemporaries', () => {
  it('removes what the dead left, and keeps what others are at', async () => {
    const own = await makeOwnedName();
    // No process has this number: it is beyond the largest that Linux gives.
    const dead = own.replace(/-\d+-/, '-4194305-');
    const elsewhere = own.replace(/^[0-9a-f]{16}/, '0'.repeat(16));
    await mkdir(folder.at('sweep'));
    for (const name of [own, dead, elsewhere]) await writeFile(folder.at(`sweep/${name}`), '');
    await sweepTemporaries(folder.at('sweep'));
    expect((await readdir(folder.at('sweep'))).sort()).toEqual([own, elsewhere].sort());
  });

  it('has nothing to do where there is no folder', async () => {
    await expect(sweepTemporaries(folder.at('none'))).resolves.toBeUndefined();
  });
});

describe('syncFolders', () => {
  it('syncs a folder and those above it, up to the last', async () => {
    await mkdir(folder.at('s/a/b'), { recursive: true });
    const sync = vi.spyOn(await handleMethods(), 'sync');
    onTestFinished(() => sync.mockRestore());
    await syncFolders(folder.at('s/a/b'), folder.at('s'));
    expect(sync).toHaveBeenCalledTimes(3);
  });
});
