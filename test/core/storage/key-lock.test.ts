import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { makeKeyLock } from '../../../core/storage/key-lock.ts';
import { useTempFolder } from '../../helpers/files.ts';

const folder = useTempFolder();

/** Puts up the file of a lock as a process of another machine would have left it. */
async function leaveForeignLock(locks: string, key: string): Promise<void> {
  let name = '';
  await makeKeyLock(locks).hold(key, async () => {
    [name = ''] = await readdir(locks);
  });
  await writeFile(path.join(locks, name.replace(/\.[0-9a-f]{16}-/, `.${'f'.repeat(16)}-`)), '');
}

describe('a key lock', () => {
  it('lets one work at a time, also from several stores of one process', async () => {
    const locks = [makeKeyLock(folder.at('one')), makeKeyLock(folder.at('one'))];
    let inside = 0;
    let most = 0;
    const work = async () => {
      inside += 1;
      most = Math.max(most, inside);
      await sleep(2);
      inside -= 1;
    };
    await Promise.all(Array.from({ length: 20 }, (_, index) => locks[index % 2]!.hold('a', work)));
    expect(most).toBe(1);
    expect(await readdir(folder.at('one'))).toEqual([]);
  });

  it('keeps other keys free', async () => {
    const lock = makeKeyLock(folder.at('two'));
    const inner = lock.hold('a', () => lock.hold('b', async () => 'both'));
    await expect(inner).resolves.toBe('both');
  });

  it('gives back what the work gives, and is free when it fails', async () => {
    const lock = makeKeyLock(folder.at('three'));
    await expect(lock.hold('a', () => Promise.reject(new Error('work')))).rejects.toThrow('work');
    await expect(lock.hold('a', async () => 1)).resolves.toBe(1);
  });

  it('gives up after a while when the holder is at work', async () => {
    const waiting = makeKeyLock(folder.at('four'), { waitMs: 50 });
    await makeKeyLock(folder.at('four')).hold('a', async () => {
      await expect(waiting.hold('a', async () => 1)).rejects.toMatchObject({
        code: 'STORAGE',
        message: 'directory store: an object stayed locked for 50 ms',
      });
    });
    expect(await readdir(folder.at('four'))).toEqual([]);
  });

  it('waits for a holder that cannot be seen from here, and then takes it for dead', async () => {
    const locks = folder.at('five');
    await mkdir(locks);
    await leaveForeignLock(locks, 'a');
    const before = performance.now();
    await makeKeyLock(locks, { unseenMs: 100 }).hold('a', async () => undefined);
    expect(performance.now() - before).toBeGreaterThanOrEqual(100);
    expect(await readdir(locks)).toEqual([]);
  });

  it('tells a holder whose lock was taken for abandoned', async () => {
    const locks = folder.at('six');
    const held = makeKeyLock(locks).hold('a', async (assertHeld) => {
      await assertHeld();
      for (const name of await readdir(locks)) await rm(path.join(locks, name));
      await assertHeld();
    });
    await expect(held).rejects.toMatchObject({ code: 'STORAGE', details: { where: 'lock' } });
  });
});
