import type { ProgressBar } from '../progress.ts';

/** What a command may say to its user: results on stdout, everything else on stderr. */
export interface Console {
  /** A result, for people or scripts. */
  print(text: string): void;
  /** A remark beside the result. */
  note(text: string): void;
  readonly progress: ProgressBar;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Exit code of a command that ended well with a result other than success. */
  exitCode: number;
}
