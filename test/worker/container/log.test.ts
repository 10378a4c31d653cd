import { describe, expect, it } from 'vitest';
import { InvalidInputError } from '../../../core/errors.ts';
import { bothProgress, logProgress, makeLog, placesOf } from '../../../worker/container/log.ts';

function logged() {
  const lines: string[] = [];
  const clock = { ms: Date.parse('2026-03-01T05:00:00.000Z') };
  const now = () => new Date(clock.ms);
  const log = makeLog({ about: { jobId: 'j' }, write: (line) => lines.push(line), now });
  return { lines, clock, now, log, entries: () => lines.map((line) => JSON.parse(line)) };
}

describe('makeLog', () => {
  it('writes one line of JSON that says what it is about', () => {
    const { lines, log } = logged();
    log('warn', 'stopped', { code: 'A\nB' });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^[^\n]+\n$/);
    expect(JSON.parse(lines[0]!)).toEqual({
      level: 'warn',
      time: '2026-03-01T05:00:00.000Z',
      message: 'stopped',
      jobId: 'j',
      code: 'A\nB',
    });
  });
});

describe('logProgress', () => {
  it('writes a line for each stage, and within one no more than a line a minute', () => {
    const { log, now, clock, entries } = logged();
    const progress = logProgress(log, now);
    progress.start('search', 100);
    for (let second = 1; second <= 150; second += 1) {
      clock.ms += 1000;
      progress.advance();
    }
    progress.start('publish', 3);
    progress.finish();
    const told = entries().map(({ message, stage, done, total }) => [message, stage, done, total]);
    expect(told).toEqual([
      ['stage', 'search', 0, 100],
      ['progress', 'search', 60, 100],
      ['progress', 'search', 120, 100],
      ['stage', 'publish', 0, 3],
    ]);
  });
});

describe('bothProgress', () => {
  it('tells both of everything', () => {
    const told: string[] = [];
    const listener = (name: string) => ({
      start: (stage: string, total: number) => void told.push(`${name} ${stage} ${total}`),
      advance: (by = 1) => void told.push(`${name} +${by}`),
      finish: () => void told.push(`${name} end`),
    });
    const both = bothProgress(listener('a'), listener('b'));
    both.start('x', 2);
    both.advance();
    both.advance(3);
    both.finish();
    expect(told).toEqual(['a x 2', 'b x 2', 'a +1', 'b +1', 'a +3', 'b +3', 'a end', 'b end']);
  });
});

describe('placesOf', () => {
  it('names files and lines without folders, and nothing of the message', () => {
    const error = new TypeError('row 7 of Jane Doe\n    see /data/jane.csv:3:1');
    error.stack = [
      `TypeError: ${error.message}`,
      '    at tally (file:///app/dist/main.js:1203:17)',
      '    at async Promise.all (index 0)',
      '    at /app/core/data/manifest.ts:20:5',
    ].join('\n');
    expect(placesOf(error)).toBe('main.js:1203 < manifest.ts:20');
  });

  it('names this file for an error that was made here, and at most five places', () => {
    const nest = (depth: number): Error => (depth === 0 ? new InvalidInputError('x') : nest(depth - 1));
    const places = placesOf(nest(10)).split(' < ');
    expect(places).toHaveLength(5);
    for (const place of places) expect(place).toMatch(/^log\.test\.ts:\d+$/);
  });

  it('has nothing to say of what is no error', () => {
    expect(placesOf('Jane Doe')).toBe('');
    expect(placesOf(Object.assign(new Error('x'), { stack: undefined }))).toBe('');
  });
});
