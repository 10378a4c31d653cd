import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { type Child, type ChildInput, killOrphans, startChild } from '../../../core/queue/local-process.ts';
import { useTempFolder } from '../../helpers/files.ts';
import { isAlive } from './processes.ts';

const folder = useTempFolder();
const logFile = (name: string) => folder.at(`${name}.log`);
const readLog = (name: string) => readFile(logFile(name), 'utf8').catch(() => '');
const strays: number[] = [];

afterAll(() => {
  for (const pid of strays) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // as it should be
    }
  }
});

interface StartOptions extends Partial<ChildInput> {
  readonly ready?: Promise<void>;
}

function start(name: string, script: string, options: StartOptions = {}): Child {
  const { ready = Promise.resolve(), ...changes } = options;
  const input: ChildInput = {
    command: ['/bin/bash', '-c', script],
    environment: { PATH: process.env.PATH! },
    queueId: 'id-1',
    logFile: logFile(name),
    timeoutSeconds: 60,
    graceMs: 200,
    ...changes,
  };
  return startChild(input, ready);
}

/** Waits for a line `{word} {pid}` in a log. */
async function pidIn(name: string, word: string): Promise<number> {
  await expect.poll(() => readLog(name), { timeout: 10_000 }).toMatch(new RegExp(`${word} \\d+`));
  const pid = Number(new RegExp(`${word} (\\d+)`).exec(await readLog(name))![1]);
  strays.push(pid);
  return pid;
}

describe('a process', () => {
  it('ends with its exit code, and what it printed is in its log', async () => {
    const { ended } = start('codes', 'echo out; echo err >&2; exit 65');
    expect(await ended).toEqual({ exitCode: 65, signal: null, cause: null });
    expect((await readLog('codes')).split('\n').sort()).toEqual(['', 'err', 'out']);
  });

  it('that is killed from outside ends with the signal', async () => {
    expect(await start('killed', 'kill -KILL $$').ended).toEqual({
      exitCode: null,
      signal: 'SIGKILL',
      cause: null,
    });
  });

  it('sees what it is given, and the id under which its queue knows it', async () => {
    const environment = { GIVEN: 'yes' };
    await start('environment', '', { command: ['/usr/bin/env'], environment }).ended;
    expect((await readLog('environment')).trim().split('\n').sort()).toEqual([
      'COUNTERWEIGHT_QUEUE_ID=id-1',
      'GIVEN=yes',
    ]);
  });

  it('has nobody to read from, and is no child of a terminal', async () => {
    await start('alone', 'cat; [ $$ = "$(cut -d " " -f 5 /proc/$$/stat)" ] && echo leads').ended;
    expect(await readLog('alone')).toBe('leads\n');
  });

  it.each<[string, Partial<ChildInput>, string]>([
    ['is not there', { command: ['/no/such/program'] }, 'ENOENT'],
    ['may not be run', { command: ['/etc/passwd'] }, 'EACCES'],
    ['gets more than the system hands over', { environment: { LONG: 'x'.repeat(1_000_000) } }, 'E2BIG'],
  ])('whose program %s says so by the code of the system', async (_, changes, code) => {
    expect(await start('absent', 'exit 0', changes).ended).toMatchObject({
      exitCode: null,
      startError: code,
    });
  });

  it('takes with it what it has started', async () => {
    const { ended } = start('family', 'sleep 60 & echo "child $!"; exit 0');
    expect(await ended).toMatchObject({ exitCode: 0 });
    const pid = await pidIn('family', 'child');
    await expect.poll(() => isAlive(pid)).toBe(false);
  });

  it('is not waited for because of what has left its group and holds on to its output', async () => {
    const before = Date.now();
    const { ended } = start('daemon', 'setsid sleep 60 & echo "child $!"; sleep 0.2');
    expect(await ended).toMatchObject({ exitCode: 0 });
    expect(Date.now() - before).toBeLessThan(10_000);
    expect(await isAlive(await pidIn('daemon', 'child'))).toBe(true);
  });
});

describe('a process that is stopped', () => {
  it('hears SIGTERM, and its own exit code counts', async () => {
    const { ended, stop } = start('heard', 'trap "exit 75" TERM; echo "ready $$"; sleep 60 & wait');
    await pidIn('heard', 'ready');
    stop({ by: 'terminate', reason: 'enough' });
    expect(await ended).toEqual({
      exitCode: 75,
      signal: null,
      cause: { by: 'terminate', reason: 'enough' },
    });
  });

  it('is killed after the grace period where it does not listen, with all of its group', async () => {
    const script = '(trap "" TERM; echo "child $BASHPID"; sleep 60; sleep 60) & trap "" TERM; wait; wait';
    const { ended, stop } = start('stubborn', script);
    const pid = await pidIn('stubborn', 'child');
    const before = Date.now();
    stop({ by: 'close' });
    expect(await ended).toEqual({ exitCode: null, signal: 'SIGKILL', cause: { by: 'close' } });
    expect(Date.now() - before).toBeGreaterThanOrEqual(200 - 5);
    await expect.poll(() => isAlive(pid)).toBe(false);
  });

  it('is stopped by its time limit', async () => {
    const before = Date.now();
    const { ended } = start('late', 'exec sleep 60', { timeoutSeconds: 0.3 });
    expect(await ended).toEqual({ exitCode: null, signal: 'SIGTERM', cause: { by: 'timeout' } });
    expect(Date.now() - before).toBeGreaterThanOrEqual(300 - 5);
  });

  it('is stopped for the first cause of several', async () => {
    const { ended, stop } = start('several', 'exec sleep 60');
    stop({ by: 'terminate', reason: 'first' });
    stop({ by: 'close' });
    expect(await ended).toMatchObject({ cause: { by: 'terminate', reason: 'first' } });
  });

  it('before it may start is not started', async () => {
    let begin = () => {};
    const ready = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const { ended, stop } = start('early', 'exit 0', { ready });
    stop({ by: 'close' });
    begin();
    expect(await ended).toEqual({ exitCode: null, signal: null, cause: { by: 'close' } });
  });

  it('after its end is not signalled any more, since its number may be another one by then', async () => {
    // For half a second more its output is waited for.
    const { ended, stop } = start('over', 'setsid sleep 60 & echo "child $!"; sleep 0.2; echo "self $$"');
    const pid = await pidIn('over', 'self');
    await pidIn('over', 'child');
    await expect.poll(() => isAlive(pid)).toBe(false);
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    stop({ by: 'terminate', reason: 'enough' });
    expect(timers()).toBe(before);
    expect(await ended).toMatchObject({ exitCode: 0, cause: { by: 'terminate', reason: 'enough' } });
  });
});

describe('orphans', () => {
  /** As a server leaves them that was killed: nobody waits for them, and no file names their number. */
  function leave(queueId: string | null, script: string): void {
    const mark = queueId === null ? {} : { COUNTERWEIGHT_QUEUE_ID: queueId };
    spawn('/bin/bash', ['-c', script], {
      env: { PATH: process.env.PATH, ...mark },
      stdio: 'ignore',
      detached: true,
    }).unref();
  }

  it('of the submissions named are killed, with what they have started, even in groups of its own', async () => {
    const say = (name: string) => `echo "self $$" > ${logFile(name)};`;
    leave('mine-1', `${say('mine-1')} trap "" TERM; while true; do sleep 0.05; done`);
    leave('mine-2', `setsid bash -c 'echo "self $$" > ${logFile('mine-2')}; sleep 60; sleep 60' & exit`);
    leave('other', `${say('other')} sleep 60; sleep 60`);
    leave(null, `${say('none')} sleep 60; sleep 60`);
    const names = ['mine-1', 'mine-2', 'other', 'none'];
    const pids = await Promise.all(names.map((name) => pidIn(name, 'self')));
    await killOrphans(new Set(['mine-1', 'mine-2']));
    expect(await Promise.all(pids.map(isAlive))).toEqual([false, false, true, true]);
  });

  it('that there are none of need no time', async () => {
    await killOrphans(new Set());
    await Promise.race([
      killOrphans(new Set(['unknown'])),
      sleep(5000, undefined, { ref: false }).then(() => expect.fail('expected an end by now')),
    ]);
  });
});
