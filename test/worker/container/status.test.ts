import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { StorageError } from '../../../core/errors.ts';
import { statusKey } from '../../../core/jobs/keys.ts';
import { jobProgressSchema } from '../../../core/jobs/record.ts';
import { makeStatusWriter } from '../../../worker/container/status.ts';
import { makeMemoryStore } from '../../helpers/memory-store.ts';

const KEY = statusKey('job-1');

function writerAt(start: string) {
  const store = makeMemoryStore();
  const clock = { ms: Date.parse(start) };
  const now = () => new Date(clock.ms);
  const status = makeStatusWriter({ store, jobId: 'job-1', attempt: 2, now });
  return { store, clock, status, writes: () => store.calls.write ?? 0 };
}

describe('makeStatusWriter', () => {
  it('writes nothing before there is progress', async () => {
    const { status, store } = writerAt('2026-03-01T05:00:00.000Z');
    await status.settled();
    expect(store.keys()).toEqual([]);
  });

  it('writes what the API reads, at once when a stage starts', async () => {
    const { status, store } = writerAt('2026-03-01T05:00:00.000Z');
    status.start('search', 12);
    await status.settled();
    expect(store.json(KEY)).toEqual({
      attempt: 2,
      updatedAt: '2026-03-01T05:00:00.000Z',
      progress: { stage: 'search', done: 0, total: 12 },
    });
    expect(jobProgressSchema.safeParse(store.json(KEY)).success).toBe(true);
  });

  it('writes once in 3 seconds besides the starts of stages, however often it is told', async () => {
    const { status, store, clock, writes } = writerAt('2026-03-01T05:00:00.000Z');
    status.start('search', 1000);
    for (let step = 1; step <= 100; step += 1) {
      clock.ms += 100; // 10 seconds in all: due at 3.0, 6.0 and 9.0
      status.advance();
      await status.settled();
    }
    expect(writes()).toBe(1 + 3);
    expect(store.json(KEY)).toMatchObject({
      updatedAt: '2026-03-01T05:00:09.000Z',
      progress: { done: 90 },
    });
    status.start('audit after', 5);
    status.start('publish', 5);
    await status.settled();
    expect(store.json(KEY)).toMatchObject({ progress: { stage: 'publish', done: 0 } });
  });

  it('counts by more than one, and to the end of the stage when that is finished', async () => {
    const { status, store, clock } = writerAt('2026-03-01T05:00:00.000Z');
    status.start('audit before', 40);
    clock.ms += 3000;
    status.advance(16);
    await status.settled();
    expect(store.json(KEY)).toMatchObject({ progress: { done: 16 } });
    clock.ms += 3000;
    status.finish();
    await status.settled();
    expect(store.json(KEY)).toMatchObject({ progress: { done: 40, total: 40 } });
  });

  it('has one write under way at a time, and then writes the newest state only', async () => {
    const { status, store, writes } = writerAt('2026-03-01T05:00:00.000Z');
    const bodies: string[] = [];
    let under = 0;
    let most = 0;
    const write = store.write;
    store.write = async (key, body, options) => {
      bodies.push(JSON.parse(String(body)).progress.stage);
      under += 1;
      most = Math.max(most, under);
      await sleep(5);
      const info = await write(key, body, options);
      under -= 1;
      return info;
    };
    for (const stage of ['a', 'b', 'c', 'd']) status.start(stage, 1);
    await status.settled();
    expect(bodies).toEqual(['a', 'd']);
    expect({ most, writes: writes() }).toEqual({ most: 1, writes: 2 });
  });

  it('goes on when the store fails, and writes again later', async () => {
    const { status, store, clock } = writerAt('2026-03-01T05:00:00.000Z');
    store.before = () => {
      throw new StorageError('no store');
    };
    status.start('a', 2);
    await status.settled();
    status.start('b', 2);
    await status.settled();
    expect(store.keys()).toEqual([]);
    store.before = () => {};
    clock.ms += 3000;
    status.advance();
    await status.settled();
    expect(store.json(KEY)).toMatchObject({ progress: { stage: 'b', done: 1 } });
  });
});
