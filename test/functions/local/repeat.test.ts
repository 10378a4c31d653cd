import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { repeat } from '../../../functions/local/repeat.ts';
import { until } from './serving.ts';

describe('repeated work', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('begins at once, goes on after a failure, and never runs beside itself', async () => {
    let running = 0;
    let most = 0;
    let turns = 0;
    const { close } = repeat(async () => {
      running += 1;
      turns += 1;
      most = Math.max(most, running);
      await sleep(5);
      running -= 1;
      if (turns === 2) throw new Error('once');
    }, 1);
    expect(turns).toBe(1);
    await until(async () => turns >= 5);
    await close();
    expect(most).toBe(1);
  });

  it('has ended when its close has ended, and does not begin again', async () => {
    vi.useFakeTimers();
    const events: string[] = [];
    const { close } = repeat(async () => {
      await sleep(20);
      events.push('turn');
    }, 1);
    const closed = close().then(() => events.push('close'));
    await closed;
    expect(events).toEqual(['turn', 'close']);
    expect(vi.getTimerCount()).toBe(0);
  });
});
