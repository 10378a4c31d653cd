import { describe, expect, it } from 'vitest';
import { makeProgressBar, NO_PROGRESS } from '../../worker/progress.ts';
import { screenOf } from '../helpers/cli.ts';

/** A terminal that keeps what is written, and a clock that moves when told to. */
function makeBar(terminal: { isTTY?: boolean; columns?: number } = { isTTY: true, columns: 80 }) {
  const clock = { ms: 5000 };
  const writes: string[] = [];
  const bar = makeProgressBar({ ...terminal, write: (text) => writes.push(text) }, () => clock.ms);
  return { bar, clock, writes, screen: () => screenOf(writes.join('')) };
}

const line = (name: string, filled: number, rest: string) =>
  `${name.padEnd(18)} ${'█'.repeat(filled)}${'░'.repeat(24 - filled)} ${rest}`;

describe('makeProgressBar, on a terminal', () => {
  it('draws an empty bar at once, before the first step', () => {
    const { bar, screen } = makeBar();
    bar.start('search', 8);
    expect(screen()).toEqual([line('search', 0, '  0 %  0.0 s')]);
  });

  it('fills in proportion, with the seconds since the stage began', () => {
    const { bar, clock, screen } = makeBar();
    bar.start('search', 8);
    clock.ms += 2500;
    bar.advance(3);
    expect(screen()).toEqual([line('search', (24 * 3) / 8, ' 37 %  2.5 s')]);
  });

  it('redraws at most ten times a second', () => {
    const { bar, clock, writes } = makeBar();
    bar.start('search', 1000);
    for (let step = 0; step < 500; step += 1) {
      clock.ms += 1;
      bar.advance();
    }
    expect(writes.length).toBe(1 + 500 / 100);
  });

  it('leaves one line per finished stage and nothing of its bar', () => {
    const { bar, clock, screen } = makeBar();
    bar.start('importance', 2);
    clock.ms += 1200;
    bar.advance();
    bar.finish();
    expect(screen()).toEqual([`${'importance'.padEnd(18)} 1.2 s`, '']);
  });

  it('finishes a stage when the next one starts', () => {
    const { bar, screen } = makeBar();
    bar.start('stage 1', 1);
    bar.start('stage 2', 1);
    expect(screen()).toEqual([`${'stage 1'.padEnd(18)} 0.0 s`, line('stage 2', 0, '  0 %  0.0 s')]);
  });

  it('stays at 100 % when more steps come than were announced, or none were', () => {
    for (const total of [2, 0]) {
      const { bar, clock, screen } = makeBar();
      bar.start('search', total);
      clock.ms += 100;
      bar.advance(5);
      expect(screen()).toEqual([line('search', 24, '100 %  0.1 s')]);
    }
  });

  it('never fills a line to its end, where a terminal would wrap it', () => {
    const { bar, screen } = makeBar({ isTTY: true, columns: 30 });
    bar.start('search', 8);
    expect(screen()[0]).toHaveLength(29);
  });

  it('takes 80 columns where the terminal has no width', () => {
    const { bar, screen } = makeBar({ isTTY: true });
    bar.start('s'.repeat(100), 8);
    expect(screen()[0]).toHaveLength(79);
  });

  it('ignores steps and ends outside a stage', () => {
    const { bar, writes } = makeBar();
    bar.advance();
    bar.finish();
    expect(writes).toEqual([]);
  });
});

describe('makeProgressBar, in a log', () => {
  it('writes one plain line per stage, as it ends', () => {
    const { bar, clock, writes } = makeBar({});
    bar.start('importance', 3);
    clock.ms += 1000;
    bar.advance(3);
    expect(writes).toEqual([]);
    bar.start('search', 1);
    clock.ms += 61_000;
    bar.finish();
    expect(writes).toEqual([`${'importance'.padEnd(18)} 1.0 s\n`, `${'search'.padEnd(18)} 61.0 s\n`]);
  });
});

describe('NO_PROGRESS', () => {
  it('takes every call and answers nothing', () => {
    expect([NO_PROGRESS.start('search', 1), NO_PROGRESS.advance(), NO_PROGRESS.finish()]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});
