import { appendFile, mkdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { type Watcher, watchUploads } from '../../../functions/local/watch.ts';
import { useTempFolder } from '../../helpers/files.ts';
import { put, until } from './serving.ts';

const folder = useTempFolder();
let watcher: Watcher | undefined;
afterEach(() => watcher?.close());

const SETTLE_MS = 80;
/** Between the clock of the file system and the system's own. */
const CLOCK_MS = 10;

async function watchAt(name: string, take: (key: string, count: number) => unknown = () => null) {
  const root = folder.at(name);
  const told: string[] = [];
  const onUpload = async (key: string) => {
    told.push(key);
    await take(key, told.length);
  };
  watcher = await watchUploads({ root, onUpload, settleMs: SETTLE_MS, rescanMs: 200 });
  return { root, told };
}

/** Once it has told of one more file it has looked at all others again; that file is not among those returned. */
async function toldAfterNextLook({ root, told }: Awaited<ReturnType<typeof watchAt>>): Promise<string[]> {
  await put(root, 'uploads/later.csv', 'x');
  await until(async () => told.includes('uploads/later.csv'));
  return told.filter((key) => key !== 'uploads/later.csv');
}

/** A promise and what settles it. */
function makeGate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

describe('a watched folder', () => {
  it('that is closed tells of nothing more, and waits for no more than what it was telling', async () => {
    const root = folder.at('closing');
    for (const name of ['a', 'b', 'c', 'd']) await put(root, `uploads/${name}.csv`, name);
    const told: string[] = [];
    const { opened, open } = makeGate();
    const onUpload = async (key: string) => {
      told.push(key);
      await opened;
    };
    const closing = await watchUploads({ root, onUpload, settleMs: 0, rescanMs: 200 });
    await until(async () => told.length === 1);
    const closed = closing.close();
    open();
    await closed;
    expect(told).toHaveLength(1);
  });

  it('tells of files that can start something, those that were there before included, each once', async () => {
    await put(folder.at('which'), 'uploads/old/scores.csv', 'y\n1\n');
    const watched = await watchAt('which');
    const { root, told } = watched;
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
    expect((await toldAfterNextLook(watched)).sort()).toEqual([
      'uploads/new/a b/SCORES.CSV',
      'uploads/new/a b/counterweight.json',
      'uploads/new/a b/model.json', // may complete a data set
      'uploads/new/a b/x.job.json',
      'uploads/old/scores.csv',
    ]);
  });

  it('waits until a file has stopped to grow, and tells again when it is another one', async () => {
    const seen: { readonly quietMs: number; readonly bytes: number }[] = [];
    const watched = await watchAt('growing', async (key) => {
      if (!key.endsWith('scores.csv')) return;
      const { mtimeMs, size } = await stat(folder.at(`growing/${key}`));
      seen.push({ quietMs: Date.now() - mtimeMs, bytes: size });
    });
    const file = path.join(watched.root, 'uploads/scores.csv');
    for (let piece = 0; piece < 8; piece += 1) {
      await appendFile(file, 'row\n');
      await sleep(40);
    }
    await until(async () => seen.at(-1)?.bytes === 32);
    await writeFile(`${file}.new`, 'other\n');
    await rename(`${file}.new`, file);
    await until(async () => seen.at(-1)?.bytes === 6);
    // On a machine that stands still for a while the file may seem to have ended earlier; it was quiet all the same.
    for (const { quietMs } of seen) expect(quietMs).toBeGreaterThanOrEqual(SETTLE_MS - CLOCK_MS);
    await rm(file);
    const count = seen.length;
    await toldAfterNextLook(watched);
    expect(seen).toHaveLength(count);
  });

  it('comes back to what could not be taken, and hides nothing behind it', async () => {
    const watched = await watchAt('failing', (key, count) => {
      if (key.endsWith('a.csv') && count < 3) throw new Error('the store is away');
    });
    const { root, told } = watched;
    await put(root, 'uploads/a.csv', 'a');
    await put(root, 'uploads/b.csv', 'b');
    await until(async () => told.filter((key) => key.endsWith('a.csv')).length >= 2);
    const all = await toldAfterNextLook(watched);
    expect(all.filter((key) => key.endsWith('b.csv'))).toHaveLength(1);
  });

  it('leaves links and folders that are named like tables alone', async () => {
    const watched = await watchAt('links');
    const { root } = watched;
    await mkdir(path.join(root, 'uploads/folder.csv'), { recursive: true });
    await symlink('/etc/hostname', path.join(root, 'uploads/link.csv'));
    await put(root, 'uploads/real.csv', 'x');
    expect(await toldAfterNextLook(watched)).toEqual(['uploads/real.csv']);
  });
});
