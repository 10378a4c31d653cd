import type { Progress } from '../progress.ts';

type LogLevel = 'info' | 'warn' | 'error';

/** All that a line may say besides its message: ids, codes, counts and names of ours; never a key or data. */
export interface LogFields {
  readonly stage?: string;
  readonly done?: number;
  readonly total?: number;
  readonly backend?: string;
  readonly outcome?: string;
  readonly code?: string;
  readonly reason?: string;
  /** Places in our own files that an unexpected error came from. */
  readonly where?: string;
  readonly exitCode?: number;
  readonly durationMs?: number;
}

export type Log = (level: LogLevel, message: string, fields?: LogFields) => void;

export interface LogOptions {
  /** What every line is about. */
  readonly about: Readonly<Record<string, string | number>>;
  readonly write: (line: string) => void;
  readonly now: () => Date;
}

/** Between two lines about one stage. */
const TELL_EVERY_MS = 60_000;
/** Places that a line names. */
const MOST_PLACES = 5;

/** One line of JSON per event, in the form of the functions' logs, so that one query finds all of a job. */
export function makeLog({ about, write, now }: LogOptions): Log {
  return (level, message, fields = {}) =>
    write(`${JSON.stringify({ level, time: now().toISOString(), message, ...about, ...fields })}\n`);
}

/** A line for each stage, and one a minute within a long one. */
export function logProgress(log: Log, now: () => Date): Progress {
  let current = { stage: '', done: 0, total: 0 };
  let toldAt = now().getTime();
  const tell = (message: string) => {
    toldAt = now().getTime();
    log('info', message, current);
  };
  return {
    start: (stage, total) => {
      current = { stage, done: 0, total };
      tell('stage');
    },
    advance: (by = 1) => {
      current = { ...current, done: current.done + by };
      if (now().getTime() - toldAt >= TELL_EVERY_MS) tell('progress');
    },
    finish: () => {},
  };
}

/** Tells both. */
export function bothProgress(first: Progress, second: Progress): Progress {
  return {
    start: (stage, total) => {
      first.start(stage, total);
      second.start(stage, total);
    },
    advance: (by) => {
      first.advance(by);
      second.advance(by);
    },
    finish: () => {
      first.finish();
      second.finish();
    },
  };
}

/** Files and lines that an error came through, the innermost first; not its message, which may hold data. */
export function placesOf(error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  const places = stack.split('\n').flatMap((line) => {
    const [, place] = /^\s+at .*?([\w.-]+\.[cm]?[jt]s:\d+):\d+\)?$/.exec(line) ?? [];
    return place === undefined ? [] : [place];
  });
  return places.slice(0, MOST_PLACES).join(' < ');
}
