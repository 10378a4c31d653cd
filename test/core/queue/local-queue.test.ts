import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CANCEL_REASON, failureOf } from '../../../core/jobs/failure.ts';
import type { LocalQueueOptions } from '../../../core/queue/local-machine.ts';
import { type LocalQueue, makeLocalQueue } from '../../../core/queue/local-queue.ts';
import { useTempFolder } from '../../helpers/files.ts';
import { describeJobQueue, linesOf, until, untilEnd, untilNoted, work } from './job-queue.contract.ts';
import { PLAY_COMMAND } from './play-command.ts';
import { isAlive } from './processes.ts';

const folder = useTempFolder();
const traceOf = (name: string) => folder.at(`${name}.trace`);
const opened: LocalQueue[] = [];

function open(name: string, changes: Partial<LocalQueueOptions> = {}): LocalQueue {
  const queue = makeLocalQueue({
    command: PLAY_COMMAND,
    environment: { TRACE: traceOf(name) },
    concurrency: 2,
    folder: folder.at(name),
    graceMs: 300,
    retryDelayMs: 10,
    ...changes,
  });
  opened.push(queue);
  return queue;
}

/** A server in a process of its own, to be killed; started when it has submitted its first job. */
async function startServer(name: string, jobIds: readonly string[]) {
  const args = [folder.at('server.mjs'), PLAY_COMMAND[1], folder.at(name), traceOf(name), ...jobIds];
  const server = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const queueIds: string[] = [];
  const lines = createInterface({ input: server.stdout! }).on('line', (line) => queueIds.push(line));
  await once(lines, 'line');
  return {
    queueIds,
    kill: async () => {
      server.kill('SIGKILL');
      await once(server, 'exit');
    },
  };
}

describe('the contract', () => {
  let queue: LocalQueue | null = null;
  const shared = () => {
    queue ??= makeLocalQueue({
      command: PLAY_COMMAND,
      environment: { TRACE: traceOf('contract') },
      concurrency: 2,
      folder: folder.at('contract'),
      graceMs: 300,
      retryDelayMs: 10,
    });
    return queue;
  };
  describeJobQueue('local queue', { queue: shared, trace: () => traceOf('contract'), shortTimeout: 0.4 });
});

describe('a local queue', () => {
  afterEach(async () => {
    for (const queue of opened.splice(0)) await queue.close();
  });

  it('runs 20 submissions in order and never more at a time than it may', async () => {
    const queue = open('many', { concurrency: 3 });
    const jobIds = Array.from({ length: 20 }, (_, index) => `takes-${index}`);
    const queueIds = await Promise.all(jobIds.map((jobId) => queue.submit(work(jobId))));
    for (const queueId of queueIds) expect((await untilEnd(queue, queueId)).status).toBe('succeeded');
    const lines = (await readFile(traceOf('many'), 'utf8')).trim().split('\n');
    let [now, most] = [0, 0];
    for (const line of lines) {
      now += line.startsWith('start') ? 1 : -1;
      most = Math.max(most, now);
    }
    expect(lines).toHaveLength(20 * 2);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(3);
  });

  it('tries again when the process is killed from outside', async () => {
    const queue = open('killed');
    const state = await untilEnd(queue, await queue.submit(work('killed-1')));
    expect(state).toMatchObject({ status: 'succeeded', attempts: 2 });
    const lost = await untilEnd(queue, await queue.submit(work('killed-2', { attempts: 1 })));
    expect(lost).toMatchObject({ status: 'failed', attempts: 1 });
    expect(failureOf(lost).code).toBe('HOST_LOST');
  });

  it('says so when its program cannot be started', async () => {
    const queue = open('absent', { command: [folder.at('no-such-program')] });
    const state = await untilEnd(queue, await queue.submit(work('succeeds-1')));
    expect(state).toMatchObject({ status: 'failed', reason: expect.stringContaining('ENOENT') });
  });

  it('passes on nothing of its own environment', async () => {
    const program = await folder.write('env.mjs', 'process.stdout.write(JSON.stringify(process.env))');
    const queue = open('env', { command: [process.execPath, program], environment: { GIVEN: 'yes' } });
    const queueId = await queue.submit(work('succeeds-1', { shards: 2 }));
    await untilEnd(queue, queueId);
    const log = await readFile(folder.at(`env/logs/${queueId}/1-1.log`), 'utf8');
    expect(JSON.parse(log)).toEqual({
      GIVEN: 'yes',
      COUNTERWEIGHT_QUEUE_ID: queueId,
      JOB_ID: 'succeeds-1',
      TASK: 'job',
      ATTEMPTS: '3',
      AWS_BATCH_JOB_ATTEMPT: '1',
      AWS_BATCH_JOB_ARRAY_INDEX: '1',
    });
  });

  it('notes an attempt before it starts, so that even work that takes the server with it runs out of them', async () => {
    const queue = open('noted', {
      command: ['/bin/bash', '-c', 'cat "$ENTRIES"/*; exit 75'],
      environment: { PATH: process.env.PATH!, ENTRIES: folder.at('noted/entries') },
    });
    const queueId = await queue.submit(work('any', { attempts: 2 }));
    expect((await untilEnd(queue, queueId)).status).toBe('failed');
    for (const attempts of [1, 2]) {
      const log = await readFile(folder.at(`noted/logs/${queueId}/0-${attempts}.log`), 'utf8');
      expect(JSON.parse(log)).toMatchObject({ queueId, processes: [{ status: 'running', attempts }] });
    }
  });

  it('refuses work without attempts, shards or time', async () => {
    const queue = open('refused');
    for (const change of [{ attempts: 0 }, { shards: 0 }, { timeoutSeconds: 0 }, { jobId: '../x' }]) {
      await expect(queue.submit(work('succeeds-1', change))).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    }
  });

  it('fails work that depends on what it does not know', async () => {
    const queue = open('unknown');
    const state = await untilEnd(queue, await queue.submit(work('succeeds-1', { after: ['no-such-id'] })));
    expect(failureOf(state).code).toBe('DEPENDENCY_FAILED');
  });

  it('forgets what ended more than a week ago, but for what others wait for', async () => {
    let day = 1;
    const queue = open('old', { now: () => new Date(Date.UTC(2026, 0, day)) });
    const old = await queue.submit(work('succeeds-1'));
    await untilEnd(queue, old);
    day = 7;
    const recent = await queue.submit(work('succeeds-2', { after: [old] }));
    await untilEnd(queue, recent);
    expect(await queue.describe([old])).toMatchObject([{ status: 'succeeded' }]);
    day = 9;
    await untilEnd(queue, await queue.submit(work('succeeds-3')));
    expect(await queue.describe([old, recent])).toMatchObject([null, { status: 'succeeded' }]);
    expect(await readdir(folder.at('old/logs'))).not.toContain(old);
  });

  it('tells a folder that cannot be used as a failure of the storage, in every call', async () => {
    await writeFile(folder.at('occupied'), '');
    const queue = open('occupied');
    await expect(queue.submit(work('succeeds-1'))).rejects.toMatchObject({ code: 'STORAGE' });
    await expect(queue.describe(['x'])).rejects.toMatchObject({ code: 'STORAGE' });
    await expect(queue.terminate('x', 'y')).rejects.toMatchObject({ code: 'STORAGE' });
  });

  it('goes on with its work when the disk is full, and forgets only what was not written', async () => {
    const queue = open('full');
    const queueId = await queue.submit(work('takes-1'));
    await untilNoted(traceOf('full'), 'takes-1');
    await rm(folder.at('full'), { recursive: true });
    await writeFile(folder.at('full'), '');
    expect((await untilEnd(queue, queueId)).status).toBe('succeeded');
    await expect(queue.submit(work('succeeds-2'))).rejects.toMatchObject({ code: 'STORAGE' });
  });
});

describe('a local queue after another one over the same folder', () => {
  beforeAll(() =>
    build({
      entryPoints: [fileURLToPath(new URL('crashing-server.ts', import.meta.url))],
      outfile: folder.at('server.mjs'),
      ...{ bundle: true, platform: 'node', format: 'esm' },
    }),
  );
  afterEach(async () => {
    for (const queue of opened.splice(0)) await queue.close();
  });

  it('goes on where that one was closed: the attempt that was stopped does not count', async () => {
    const first = open('closed', { concurrency: 1 });
    const queueIds = [await first.submit(work('graceful-1')), await first.submit(work('succeeds-1'))];
    await untilNoted(traceOf('closed'), 'graceful-1');
    await first.close();
    expect(await linesOf(traceOf('closed'), 'graceful-1')).toHaveLength(2); // it heard SIGTERM
    await expect(first.submit(work('succeeds-2'))).rejects.toMatchObject({ code: 'STORAGE' });
    const second = open('closed', { concurrency: 1 });
    expect(await until(second, queueIds[0]!, 'running')).toMatchObject({ attempts: 1 });
    await second.terminate(queueIds[0]!, 'enough');
    expect((await untilEnd(second, queueIds[1]!)).status).toBe('succeeded');
  });

  it('goes on where that one crashed: orphans are killed and have lost one attempt', async () => {
    const server = await startServer('crashed', ['succeeds-0', 'sleeps-1', 'succeeds-2']);
    await untilNoted(traceOf('crashed'), 'sleeps-1');
    const orphan = Number(await readFile(`${traceOf('crashed')}.sleeps-1.0.pid`, 'utf8'));
    await server.kill();
    expect(await isAlive(orphan)).toBe(true);
    const queue = open('crashed', { concurrency: 1 });
    expect(await until(queue, server.queueIds[1]!, 'running')).toMatchObject({ attempts: 2 });
    expect(await isAlive(orphan)).toBe(false);
    expect(await queue.describe(server.queueIds)).toMatchObject([
      { status: 'succeeded', attempts: 1 },
      { status: 'running' },
      { status: 'queued', attempts: 0 },
    ]);
    await queue.terminate(server.queueIds[1]!, 'enough');
    expect((await untilEnd(queue, server.queueIds[2]!)).status).toBe('succeeded');
  });

  it('after ten crashes at random moments no work is lost, and none ran twice at once', async () => {
    const jobIds = Array.from({ length: 4 }, (_, index) => `lasts-${index}`);
    for (let crash = 0; crash < 10; crash += 1) {
      const server = await startServer('crashing', jobIds);
      await sleep(Math.random() * 300);
      await server.kill();
    }
    const queue = open('crashing', { concurrency: jobIds.length });
    const queueIds = await Promise.all(
      jobIds.map(async (jobId) => (await queue.find(work(jobId))) ?? queue.submit(work(jobId))),
    );
    for (const [index, queueId] of queueIds.entries()) {
      expect((await untilEnd(queue, queueId)).status).toBe('succeeded');
      const notes = (await linesOf(traceOf('crashing'), jobIds[index]!)).map((line) => line.split(' ')[0]);
      expect(notes).toContain('end');
      expect(notes).not.toContain('twice');
    }
    expect(await readdir(folder.at('crashing/entries'))).toHaveLength(jobIds.length);
  });

  it('leaves what was to end at its end, also when that one died before it did', async () => {
    const first = open('stopping', { graceMs: 60_000 });
    const queueId = await first.submit(work('stubborn-1', { shards: 2 }));
    await untilNoted(traceOf('stopping'), 'stubborn-1', 2);
    await first.terminate(queueId, CANCEL_REASON);
    expect(await first.describe([queueId])).toMatchObject([{ status: 'running' }]);
    // The folder as a crash leaves it; the processes are ended as orphans.
    await cp(folder.at('stopping'), folder.at('stopped'), { recursive: true });
    const [state] = await open('stopped').describe([queueId]);
    expect(state).toMatchObject({ status: 'failed', attempts: 1 });
    expect(failureOf(state!).code).toBe('CANCELLED');
    expect((await untilEnd(first, queueId)).status).toBe('failed');
  });

  it('refuses to start over a damaged file', async () => {
    await folder.write('damaged/entries/x.json', '{"schemaVersion":1');
    await expect(open('damaged').describe(['x'])).rejects.toMatchObject({
      code: 'STORAGE',
      message: expect.stringContaining('x.json'),
    });
  });
});
