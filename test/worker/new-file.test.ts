import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { writeNewFile } from '../../worker/new-file.ts';
import { useTempFolder } from '../helpers/files.ts';

const folder = useTempFolder();

describe('writeNewFile', () => {
  it('makes the file with its folder, and nothing beside it', async () => {
    await writeNewFile(folder.at('csv/deep/a.csv'), 'a');
    expect(await readdir(folder.at('csv'), { recursive: true })).toEqual(['deep', 'deep/a.csv']);
    expect(await readFile(folder.at('csv/deep/a.csv'), 'utf8')).toBe('a');
  });

  it('writes over no other file, and leaves nothing where it cannot write', async () => {
    await expect(writeNewFile(folder.at('csv/deep/a.csv'), 'b')).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringMatching(/expected a file that does not exist yet/),
    });
    expect(await readFile(folder.at('csv/deep/a.csv'), 'utf8')).toBe('a');
    await expect(writeNewFile(folder.at('csv/deep/a.csv/b.csv'), 'b')).rejects.toMatchObject({
      code: 'STORAGE',
      message: expect.stringMatching(/cannot be written/),
    });
    expect(await readdir(folder.at('csv'), { recursive: true })).toEqual(['deep', 'deep/a.csv']);
  });
});
