import { execFile } from 'node:child_process';
import { mkdir, readdir, realpath, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { makeWorkFolder } from '../../../worker/container/work-folder.ts';
import { useTempFolder } from '../../helpers/files.ts';

const temporary = useTempFolder();
const SOURCE = path.join(import.meta.dirname, '../../../worker/container/work-folder.ts');
const TSX = createRequire(import.meta.url).resolve('tsx');

/** A folder of a process that has ended without taking it away, as one that was killed. */
async function abandon(parent: string): Promise<string> {
  const script = `import { makeWorkFolder } from ${JSON.stringify(SOURCE)};
    process.stdout.write(await makeWorkFolder(${JSON.stringify(parent)}));`;
  const args = ['--import', TSX, '--input-type=module', '--eval', script];
  return (await promisify(execFile)(process.execPath, args)).stdout;
}

describe('makeWorkFolder', () => {
  it('makes an empty folder that only its owner can read, another one each time', async () => {
    const parent = temporary.at('plain');
    await mkdir(parent);
    const [first, second] = [await makeWorkFolder(parent), await makeWorkFolder(parent)];
    expect(first).not.toBe(second);
    expect(await readdir(first)).toEqual([]);
    expect((await stat(first)).mode & 0o777).toBe(0o700);
    expect(await readdir(parent)).toHaveLength(2); // that of a process at work stays
  });

  it('gives its path without links', async () => {
    await mkdir(temporary.at('real'));
    await symlink('real', temporary.at('link'));
    const folder = await makeWorkFolder(temporary.at('link'));
    expect(folder).toBe(await realpath(folder));
    expect(path.dirname(folder)).toBe(await realpath(temporary.at('real')));
  });

  it('takes away what a process that was killed has left, and nothing of others', async () => {
    const parent = temporary.at('swept');
    await mkdir(path.join(parent, 'counterweight-work-of-somebody'), { recursive: true });
    await mkdir(path.join(parent, 'other'));
    const left = path.basename(await abandon(parent));
    expect(await readdir(parent)).toContain(left);
    const folder = await makeWorkFolder(parent);
    expect((await readdir(parent)).sort()).toEqual(
      ['counterweight-work-of-somebody', 'other', path.basename(folder)].sort(),
    );
  });

  it('fails with the reason when the place is absent', async () => {
    await expect(makeWorkFolder(temporary.at('nowhere'))).rejects.toMatchObject({
      code: 'STORAGE',
      message: 'temporary folder: cannot be made (ENOENT)',
    });
  });
});
