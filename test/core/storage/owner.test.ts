import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { livenessOf, makeOwnedName } from '../../../core/storage/owner.ts';

/** A name as another process would make it. */
const nameOf = async (pid: number, started: string) =>
  (await makeOwnedName()).replace(/-\d+-\d+-/, `-${pid}-${started}-`);

describe('an owned name', () => {
  it('is another one at every call, fit for a file', async () => {
    const names = await Promise.all(Array.from({ length: 20 }, makeOwnedName));
    expect(new Set(names).size).toBe(20);
    for (const name of names) expect(name).toMatch(/^[0-9a-f-]{60,150}$/);
  });

  it('is alive while its process is', async () => {
    expect(await livenessOf(await makeOwnedName())).toBe('alive');
  });

  it('is dead when its process has ended', async () => {
    const child = spawn(process.execPath, ['--eval', '']);
    const name = await nameOf(child.pid!, '1');
    await once(child, 'exit');
    expect(await livenessOf(name)).toBe('dead');
  });

  it('is dead when another process has its number by now', async () => {
    expect(await livenessOf(await nameOf(process.pid, '1'))).toBe('dead');
  });

  it('is unknown when the time of start is, or the machine is another one', async () => {
    expect(await livenessOf(await nameOf(process.pid, '0'))).toBe('unknown');
    const name = await makeOwnedName();
    expect(await livenessOf(name.replace(/^[0-9a-f]{16}/, 'f'.repeat(16)))).toBe('unknown');
    expect(await livenessOf('no such name')).toBe('unknown');
  });
});
