import { mkdir, rename, rm, symlink, utimes } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { listenToFolders, readTree } from '../../../functions/local/folder-tree.ts';
import { useTempFolder } from '../../helpers/files.ts';
import { put, until } from './serving.ts';

const folder = useTempFolder();
const isWanted = (name: string) => name.endsWith('.csv');
const filesOf = (tree: Awaited<ReturnType<typeof readTree>>) =>
  [...tree.values()].flatMap(({ files }) => files).map((file) => path.relative(folder.path, file));

/** As if nothing had happened there for an hour. */
const quieten = (place: string) => utimes(place, new Date(), new Date(Date.now() - 3_600_000));

describe('a tree of folders', () => {
  it('has the wanted files of all folders, and nothing behind a link', async () => {
    const root = folder.at('tree');
    await put(root, 'a/b/c/x.csv', '');
    await put(root, 'y.csv', '');
    await put(root, 'a/z.png', '');
    await symlink(folder.at('tree/a'), folder.at('tree/link'));
    await symlink(folder.at('tree/y.csv'), folder.at('tree/link.csv'));
    const tree = await readTree(root, { known: new Map(), isWanted });
    expect(filesOf(tree)).toEqual(['tree/y.csv', 'tree/a/b/c/x.csv']);
    expect(tree.size).toBe(4);
    expect((await readTree(folder.at('absent'), { known: new Map(), isWanted })).size).toBe(0);
  });

  it('is read again only where something changed, and there in full', async () => {
    const root = folder.at('again');
    await put(root, 'still/x.csv', '');
    await put(root, 'busy/y.csv', '');
    for (const name of ['still', 'busy', '.']) await quieten(path.join(root, name));
    const first = await readTree(root, { known: new Map(), isWanted });
    await put(root, 'busy/new.csv', '');
    const second = await readTree(root, { known: first, isWanted });
    expect(filesOf(second).toSorted()).toEqual([
      'again/busy/new.csv',
      'again/busy/y.csv',
      'again/still/x.csv',
    ]);
    expect(second.get(path.join(root, 'still'))).toBe(first.get(path.join(root, 'still')));
    await rm(path.join(root, 'still'), { recursive: true });
    expect(filesOf(await readTree(root, { known: second, isWanted }))).not.toContain('again/still/x.csv');
  });

  it('trusts no time that may be that of a later change as well', async () => {
    const root = folder.at('young');
    await put(root, 'x.csv', '');
    const first = await readTree(root, { known: new Map(), isWanted });
    const second = await readTree(root, { known: first, isWanted });
    expect(second.get(root)).not.toBe(first.get(root));
  });
});

describe('an ear for folders', () => {
  let news = 0;
  const ears = listenToFolders(() => {
    news += 1;
  });
  afterEach(() => ears.close());

  it('hears of files in the folders that it follows, and of no others', async () => {
    const [one, other] = [folder.at('one'), folder.at('other')];
    await mkdir(one);
    await mkdir(other);
    ears.follow([one, folder.at('absent')]);
    await put(one, 'x.csv', '');
    await until(async () => news > 0);
    ears.follow([other]);
    await new Promise((resolve) => setTimeout(resolve, 50));
    news = 0;
    await put(one, 'y.csv', '');
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(news).toBe(0);
    await rename(path.join(one, 'y.csv'), path.join(other, 'y.csv'));
    await until(async () => news > 0);
  });
});
