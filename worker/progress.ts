/** How far a job is. One stage at a time; `advance` counts towards the total of the last `start`. */
export interface Progress {
  start(stage: string, total: number): void;
  advance(by?: number): void;
  finish(): void;
}

export const NO_PROGRESS: Progress = { start: () => {}, advance: () => {}, finish: () => {} };

interface Terminal {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

export interface ProgressBar extends Progress {
  /** Takes an unfinished stage off the screen, so that a message can follow. */
  clear(): void;
}

const BAR_WIDTH = 24;
const REDRAW_MS = 100;

/**
 * A bar that redraws itself on a terminal, and one line per finished stage where there is none (a log).
 *
 * @param now  milliseconds from any origin
 */
export function makeProgressBar(terminal: Terminal, now: () => number): ProgressBar {
  let stage: { name: string; total: number; done: number; startedAt: number; drawnAt: number } | null = null;
  const seconds = () => ((now() - stage!.startedAt) / 1000).toFixed(1);
  const draw = () => {
    const share = Math.min(1, stage!.done / Math.max(1, stage!.total));
    const filled = Math.round(share * BAR_WIDTH);
    const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
    const line = `${stage!.name.padEnd(18)} ${bar} ${String(Math.floor(share * 100)).padStart(3)} %  ${seconds()} s`;
    terminal.write(`\r\u001b[K${line.slice(0, (terminal.columns ?? 80) - 1)}`);
    stage!.drawnAt = now();
  };
  const progress: ProgressBar = {
    start: (name, total) => {
      progress.finish();
      stage = { name, total, done: 0, startedAt: now(), drawnAt: now() };
      if (terminal.isTTY) draw();
    },
    advance: (by = 1) => {
      if (stage === null) return;
      stage.done += by;
      if (terminal.isTTY && now() - stage.drawnAt >= REDRAW_MS) draw();
    },
    finish: () => {
      if (stage === null) return;
      if (terminal.isTTY) terminal.write('\r\u001b[K');
      terminal.write(`${stage.name.padEnd(18)} ${seconds()} s\n`);
      stage = null;
    },
    clear: () => {
      if (stage !== null && terminal.isTTY) terminal.write('\r\u001b[K');
      stage = null;
    },
  };
  return progress;
}
