import { createHash } from 'node:crypto';
import { access, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { NonFiniteError } from '../../core/errors.ts';
import { assertAbsent, hashFile, hashFolder, hashTogether, writeFolder } from '../../worker/run-folder.ts';
import { useTempFolder } from '../helpers/files.ts';

const folder = useTempFolder();
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

describe('assertAbsent', () => {
  it('passes a path where nothing is', async () => {
    await expect(assertAbsent(folder.at('nothing'))).resolves.toBeUndefined();
  });

  it('refuses a place below a file before any work is done for it', async () => {
    await writeFile(folder.at('plain'), '');
    for (const place of ['plain/run', 'plain/deep/run']) {
      await expect(assertAbsent(folder.at(place))).rejects.toMatchObject({
        code: 'STORAGE',
        message: `output "${folder.at(place)}": cannot be written (ENOTDIR)`,
      });
    }
  });

  it.each(['folder', 'file'])('refuses a %s that exists', async (kind) => {
    const place = folder.at(`existing-${kind}`);
    await (kind === 'folder' ? mkdir(place) : writeFile(place, ''));
    await expect(assertAbsent(place)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: `output "${place}": expected a folder that does not exist yet, received one that does`,
    });
  });
});

describe('writeFolder', () => {
  it('makes the folder appear only when it is complete', async () => {
    const target = folder.at('new/deep/run');
    await writeFolder(target, async (partial) => {
      await writeFile(path.join(partial, 'a.txt'), 'a');
      await expect(access(target)).rejects.toMatchObject({ code: 'ENOENT' });
      expect(path.dirname(partial)).toBe(path.dirname(target));
    });
    expect(await readdir(path.dirname(target), { recursive: true })).toEqual(['run', 'run/a.txt']);
  });

  it('takes a path with a slash at its end', async () => {
    await writeFolder(`${folder.at('slash/run')}/`, (partial) => writeFile(path.join(partial, 'a'), 'a'));
    expect(await readdir(folder.at('slash'), { recursive: true })).toEqual(['run', 'run/a']);
  });

  it('leaves nothing when filling fails, and wraps a foreign error with its cause', async () => {
    const cause = new Error('disk full');
    const written = writeFolder(folder.at('full/run'), async (partial) => {
      await writeFile(path.join(partial, 'a.txt'), 'a');
      throw cause;
    });
    await expect(written).rejects.toMatchObject({ code: 'STORAGE', cause });
    expect(await readdir(folder.at('full'))).toEqual([]);
  });

  it('passes on an error of ours as it is', async () => {
    const error = new NonFiniteError('a weight is NaN');
    const written = writeFolder(folder.at('ours/run'), () => Promise.reject(error));
    await expect(written).rejects.toBe(error);
    expect(await readdir(folder.at('ours'))).toEqual([]);
  });

  it('refuses a folder that exists before it fills anything', async () => {
    await mkdir(folder.at('taken/run'), { recursive: true });
    const written = writeFolder(folder.at('taken/run'), () => expect.unreachable());
    await expect(written).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    expect(await readdir(folder.at('taken'))).toEqual(['run']);
  });

  it('never overwrites a folder that another run made meanwhile', async () => {
    const target = folder.at('race/run');
    const written = writeFolder(target, async (partial) => {
      await writeFile(path.join(partial, 'a.txt'), 'mine');
      await mkdir(target);
      await writeFile(path.join(target, 'a.txt'), 'theirs');
    });
    await expect(written).rejects.toMatchObject({ code: 'STORAGE' });
    expect(await readdir(folder.at('race'), { recursive: true })).toEqual(['run', 'run/a.txt']);
    expect((await hashFile(path.join(target, 'a.txt'))).sha256).toBe(sha256('theirs'));
  });

  it('leaves a link that leads nowhere alone', async () => {
    await mkdir(folder.at('link'));
    await symlink('nowhere', folder.at('link/run'));
    await expect(writeFolder(folder.at('link/run'), async () => {})).rejects.toMatchObject({
      code: 'STORAGE',
    });
    expect(await readdir(folder.at('link'))).toEqual(['run']);
  });
});

describe('hashFile', () => {
  it('gives base name, size and the SHA-256 of the standard for "abc"', async () => {
    const file = await folder.write('hash/abc.txt', 'abc');
    expect(await hashFile(file)).toEqual({
      name: 'abc.txt',
      bytes: 3,
      sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    });
  });
});

describe('hashFolder', () => {
  it('lists every file by its path inside, in order of name, and no folder', async () => {
    for (const name of ['b.txt', 'a/z.txt', 'a/deep/y.txt', 'B.txt']) {
      await folder.write(`tree/${name}`, name);
    }
    await mkdir(folder.at('tree/empty'));
    const names = ['B.txt', 'a/deep/y.txt', 'a/z.txt', 'b.txt'];
    expect(await hashFolder(folder.at('tree'))).toEqual(
      names.map((name) => ({ name, bytes: name.length, sha256: sha256(name) })),
    );
  });
});

describe('hashTogether', () => {
  it('is the hash over the hashes, so it moves with content and order but not with names', async () => {
    const [a, b, copy] = [
      await folder.write('images/a.png', 'one'),
      await folder.write('images/b.png', 'two!'),
      await folder.write('images/patient-7.png', 'one'),
    ];
    const together = await hashTogether('2 images', [a, b]);
    expect(together).toEqual({
      name: '2 images',
      bytes: 3 + 4,
      sha256: sha256(`${sha256('one')}\n${sha256('two!')}\n`),
    });
    expect(await hashTogether('2 images', [copy, b])).toEqual(together);
    expect((await hashTogether('2 images', [b, a])).sha256).not.toBe(together.sha256);
  });
});
