import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { takeRootLock } from '../../../functions/local/root-lock.ts';
import { useTempFolder } from '../../helpers/files.ts';

const folder = useTempFolder();

describe('the lock of a root', () => {
  it('is taken by one, and by the next when it is given free', async () => {
    const place = folder.at('one');
    const first = await takeRootLock(place);
    await expect(takeRootLock(place)).rejects.toMatchObject({ code: 'CONFLICT' });
    await first.release();
    const second = await takeRootLock(place);
    expect(await readdir(place)).toHaveLength(1);
    await second.release();
    expect(await readdir(place)).toEqual([]);
  });

  it('goes to one at most of many who come at once', async () => {
    const place = folder.at('many');
    const results = await Promise.allSettled(Array.from({ length: 6 }, () => takeRootLock(place)));
    const locks = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    expect(locks.length).toBeLessThanOrEqual(1);
    for (const lock of locks) await lock.release();
    await (await takeRootLock(place)).release();
  });

  it('of a process that was killed is taken over at once', async () => {
    const place = folder.at('killed');
    const script = `
      import { takeRootLock } from '${path.join(import.meta.dirname, '../../../functions/local/root-lock.ts')}';
      await takeRootLock(${JSON.stringify(place)});
      process.stdout.write('held');
      setInterval(() => {}, 1000);`;
    const args = ['--import', 'tsx', '--input-type=module', '--eval', script];
    const holder = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(holder.stdout, 'data');
    await expect(takeRootLock(place)).rejects.toMatchObject({ code: 'CONFLICT' });
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    await (await takeRootLock(place, { unseenMs: 60_000 })).release();
  });

  it('of another machine holds as long as its file moves on', async () => {
    const place = folder.at('elsewhere');
    const own = await takeRootLock(place);
    await own.release();
    const file = path.join(place, `server.${'0'.repeat(16)}-1-1-x`);
    await writeFile(file, '');
    let beat = 0;
    const beats = setInterval(() => {
      beat += 1;
      void utimes(file, 0, beat);
    }, 20);
    await expect(takeRootLock(place, { unseenMs: 200 })).rejects.toMatchObject({ code: 'CONFLICT' });
    clearInterval(beats);
    await (await takeRootLock(place, { unseenMs: 200 })).release();
    expect(await readdir(place)).toEqual([]);
  });
});
