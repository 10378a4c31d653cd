import { appendFile, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { type Watcher, watchUploads } from '../../../functions/local/watch.ts';
import { useTempFolder } from '../../helpers/files.ts';
import { put, until } from './serving.ts';

const folder = useTempFolder();
let watcher: Watcher | undefined;
afterEach(() => watcher?.close());

async function watchAt(name: string, fail: (key: string, count: number) => boolean = () => false) {
  const root = folder.at(name);
  const told: string[] = [];
  const onUpload = async (key: string) => {
    told.push(key);
    if (fail(key, told.length)) throw new Error('the store is away');
  };
  watcher = await watchUploads({ root, onUpload, settleMs: 80, rescanMs: 200 });
  return { root, told };
}

describe('a watched folder', () => {
  it('tells of files that can start something, those that were there before included, each once', async () => {
    await put(folder.at('which'), 'uploads/old/scores.csv', 'y\n1\n');
    const { root, told } = await watchAt('which');
    for (const name of [
      'counterweight.json',
      'x.job.json',
      'SCORES.CSV',
      'model.json',
      'image.png',
      'notes.txt',
    ]) {
      await put(root, `uploads/new/a b/${name}`, name);
    }
    await until(async () => told.length >= 5);
    await sleep(500);
    expect(told.toSorted()).toEqual([
      'uploads/new/a b/SCORES.CSV',
      'uploads/new/a b/counterweight.json',
      'uploads/new/a b/model.json', // may complete a data set
      'uploads/new/a b/x.job.json',
      'uploads/old/scores.csv',
    ]);
  });

  it('waits until a file has stopped to grow, and tells again when it is another one', async () => {
    const { root, told } = await watchAt('growing');
    const file = path.join(root, 'uploads/scores.csv');
    for (let piece = 0; piece < 8; piece += 1) {
      await appendFile(file, 'row\n');
      await sleep(40);
    }
    expect(told).toEqual([]);
    await until(async () => told.length === 1);
    await writeFile(`${file}.new`, 'other\n');
    await rename(`${file}.new`, file);
    await until(async () => told.length === 2);
    await rm(file);
    await sleep(300);
    expect(told).toEqual(['uploads/scores.csv', 'uploads/scores.csv']);
  });

  it('comes back to what could not be taken, and hides nothing behind it', async () => {
    const { root, told } = await watchAt('failing', (key, count) => key.endsWith('a.csv') && count < 3);
    await put(root, 'uploads/a.csv', 'a');
    await put(root, 'uploads/b.csv', 'b');
    await until(async () => told.filter((key) => key.endsWith('a.csv')).length >= 2);
    await sleep(300);
    expect(told.filter((key) => key.endsWith('b.csv'))).toHaveLength(1);
  });

  it('leaves links and folders that are named like tables alone', async () => {
    const { root, told } = await watchAt('links');
    await mkdir(path.join(root, 'uploads/folder.csv'), { recursive: true });
    await symlink('/etc/hostname', path.join(root, 'uploads/link.csv'));
    await put(root, 'uploads/real.csv', 'x');
    await until(async () => told.length > 0);
    await sleep(200);
    expect(told).toEqual(['uploads/real.csv']);
  });
});
