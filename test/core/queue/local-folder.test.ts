import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { type LocalEntry, makeEntry } from '../../../core/queue/local-entry.ts';
import { type LocalFolder, openLocalFolder } from '../../../core/queue/local-folder.ts';
import { useTempFolder } from '../../helpers/files.ts';

const folder = useTempFolder();

const entryOf = (queueId: string, order: number, attempts = 1): LocalEntry =>
  makeEntry({ jobId: `job-${order}`, task: 'job', attempts, timeoutSeconds: 60 }, { queueId, order });
async function open(name: string): Promise<LocalFolder> {
  const opened = openLocalFolder(folder.at(name));
  await opened.load();
  return opened;
}
/** The file of an entry, before anything else is in the folder. */
const writeEntry = (name: string, file: string, text: string) =>
  folder.write(`${name}/entries/${file}`, text);

describe('the folder of a local queue', () => {
  it('that is new holds nothing', async () => {
    expect(await openLocalFolder(folder.at('new')).load()).toEqual([]);
  });

  it('gives the entries back in order of submission, whatever they are called', async () => {
    const { save } = await open('order');
    const entries = [entryOf('c', 1), entryOf('a', 2), entryOf('b', 10)];
    for (const entry of entries.toReversed()) await save(entry);
    expect(await openLocalFolder(folder.at('order')).load()).toEqual(entries);
  });

  it('writes one after another, so that the last word counts', async () => {
    const { save } = await open('turns');
    await Promise.all(Array.from({ length: 20 }, (_, index) => save(entryOf('a', 1, index + 1))));
    expect((await openLocalFolder(folder.at('turns')).load()).map(({ work }) => work.attempts)).toEqual([20]);
    expect(await readdir(folder.at('turns/tmp'))).toEqual([]);
  });

  it('forgets an entry with its logs, and one that it never had', async () => {
    const { save, forget, load, logFile } = await open('forgets');
    for (const queueId of ['a', 'b']) {
      await save(entryOf(queueId, 1));
      await mkdir(path.dirname(logFile(queueId, 0, 1)), { recursive: true });
      await writeFile(logFile(queueId, 0, 1), 'said');
    }
    await forget('a');
    await forget('a');
    expect((await load()).map(({ queueId }) => queueId)).toEqual(['b']);
    expect(await readdir(folder.at('forgets/logs'))).toEqual(['b']);
    expect(await readFile(folder.at('forgets/logs/b/0-1.log'), 'utf8')).toBe('said');
  });

  it('leaves alone what is no entry', async () => {
    await writeEntry('others', 'notes.txt', 'mine');
    expect(await openLocalFolder(folder.at('others')).load()).toEqual([]);
    expect(await readdir(folder.at('others/entries'))).toEqual(['notes.txt']);
  });
});

describe('a damaged entry', () => {
  const sound = JSON.stringify(entryOf('a', 1));

  it.each<[string, string]>([
    ['is empty', ''],
    ['was cut off', sound.slice(0, -1)],
    ['is filled with zeros', '\0'.repeat(sound.length)],
    ['is JSON of something else', '[]'],
    ['is of a later version', sound.replace('"schemaVersion":1', '"schemaVersion":2')],
    ['is a copy of another one', JSON.stringify(entryOf('b', 1))],
  ])('that %s is named, with none of its contents, and left where it is', async (what, text) => {
    const name = what.replaceAll(' ', '-');
    await writeEntry(name, 'a.json', text);
    const error = await openLocalFolder(folder.at(name))
      .load()
      .catch((thrown: unknown) => thrown as Error);
    expect(error).toMatchObject({
      code: 'STORAGE',
      message:
        'job queue: entries/a.json: expected a submission, received something else; without the file the queue starts',
    });
    expect(JSON.stringify(error)).not.toContain('job-1');
    expect(await readFile(folder.at(`${name}/entries/a.json`), 'utf8')).toBe(text);
  });

  it('does not stop the queue once it has been taken away', async () => {
    await writeEntry('cleared', 'a.json', '');
    await writeEntry('cleared', 'b.json', JSON.stringify(entryOf('b', 2)));
    const { load } = openLocalFolder(folder.at('cleared'));
    await expect(load()).rejects.toMatchObject({ code: 'STORAGE' });
    await rm(folder.at('cleared/entries/a.json'));
    expect(await load()).toEqual([entryOf('b', 2)]);
  });
});

describe('a folder that cannot be used', () => {
  it('is a failure of the storage in every call, by the code of the system', async () => {
    await writeFile(folder.at('occupied'), '');
    const { load, save, forget } = openLocalFolder(folder.at('occupied'));
    const failures = [
      ['reading', load],
      ['writing', () => save(entryOf('a', 1))],
      ['deleting', () => forget('a')],
    ] as const;
    for (const [operation, call] of failures) {
      await expect(call()).rejects.toMatchObject({
        code: 'STORAGE',
        message: `job queue: ${operation} failed (ENOTDIR)`,
      });
    }
  });

  it('fails the write in hand and not those after it', async () => {
    const { save, load } = await open('back');
    await folder.write('back/entries/a.json/x', '');
    const writes = [save(entryOf('a', 1)), save(entryOf('b', 2))];
    await expect(writes[0]).rejects.toMatchObject({ code: 'STORAGE' });
    await writes[1];
    await rm(folder.at('back/entries/a.json'), { recursive: true });
    expect(await load()).toEqual([entryOf('b', 2)]);
  });
});
