import { inspect } from 'node:util';
import { Command, CommanderError } from 'commander';
import { isCounterweightError } from '../core/errors.ts';
import { addAuditCommand } from './commands/audit.ts';
import { addCheckCommand } from './commands/check.ts';
import { addCompareCommand } from './commands/compare.ts';
import type { Console } from './commands/console.ts';
import { EXIT_CODES, exitCodeOf } from './commands/exit-codes.ts';
import { addInspectCommand } from './commands/inspect.ts';
import { addMitigateCommand } from './commands/mitigate.ts';
import { addPlanCommand } from './commands/plan.ts';
import { addSelectCommand } from './commands/select.ts';
import { addServeCommand } from './commands/serve.ts';
import { addVerifyCommand } from './commands/verify.ts';
import { makeProgressBar, NO_PROGRESS } from './progress.ts';
import { VERSION } from './version.ts';

interface Stream {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

export interface CliEnvironment {
  readonly stdout: Stream;
  readonly stderr: Stream;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** milliseconds from any origin */
  readonly now: () => number;
  /** Prints stacks as well; for developers, since a stack or a foreign message may hold data. */
  readonly isDebug: boolean;
}

/**
 * Runs one command line.
 *
 * @param args  arguments without node and script
 * @returns the exit code; errors are printed, never thrown
 */
export async function runCli(args: readonly string[], environment: CliEnvironment): Promise<number> {
  const console = makeConsole(args, environment);
  try {
    await makeProgram(console, environment).parseAsync(args, { from: 'user' });
    return console.exitCode;
  } catch (error) {
    console.progress.clear();
    if (error instanceof CommanderError) return reportUsage(error, args, environment);
    return reportError(error, args, environment);
  }
}

function makeConsole(args: readonly string[], { stdout, stderr, signal, now }: CliEnvironment): Console {
  const isQuiet = args.includes('--quiet');
  const progress = isQuiet ? { ...NO_PROGRESS, clear: () => {} } : makeProgressBar(stderr, now);
  return {
    print: (text) => stdout.write(`${text}\n`),
    note: (text) => isQuiet || stderr.write(`${text}\n`),
    progress,
    signal,
    exitCode: 0,
  };
}

function makeProgram(console: Console, { stdout, stderr }: CliEnvironment): Command {
  const program = new Command('counterweight')
    .description('Audits a trained classifier for group fairness and mitigates what it finds after training.')
    .version(VERSION)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'counterweight: ')),
    })
    .showSuggestionAfterError()
    .addHelpText(
      'after',
      '\nEach command explains itself: counterweight audit --help. More in docs/ and in the README.',
    );
  addAuditCommand(program, console);
  addMitigateCommand(program, console);
  addCompareCommand(program, console);
  addSelectCommand(program, console);
  addInspectCommand(program, console);
  addCheckCommand(program, console);
  addServeCommand(program, console);
  addPlanCommand(program, console);
  addVerifyCommand(program, console);
  for (const command of program.commands) command.option('--quiet', 'no progress, no remarks');
  return program;
}

/** commander has told people already; help and version are no errors. */
function reportUsage(
  { exitCode, message }: CommanderError,
  args: readonly string[],
  { stdout }: CliEnvironment,
) {
  if (exitCode === 0) return 0;
  if (args.includes('--json')) {
    const text = message.replace(/^error: /, '');
    stdout.write(`${JSON.stringify({ error: { code: 'INVALID_INPUT', message: text, details: {} } })}\n`);
  }
  return EXIT_CODES.INVALID_INPUT;
}

/** One sentence for people; with --json the same as an object. Never a stack: it may hold data. */
function reportError(error: unknown, args: readonly string[], environment: CliEnvironment): number {
  const { stdout, stderr, isDebug } = environment;
  const message = describeError(error);
  if (args.includes('--json')) {
    const known = isCounterweightError(error) ? error : { code: 'UNEXPECTED', details: {} };
    stdout.write(`${JSON.stringify({ error: { code: known.code, message, details: known.details } })}\n`);
  }
  stderr.write(`counterweight: ${message}\n`);
  if (isDebug && error instanceof Error) stderr.write(`${inspect(error)}\n`);
  return exitCodeOf(error);
}

function describeError(error: unknown): string {
  if (!isCounterweightError(error)) {
    const name = error instanceof Error ? error.name : typeof error;
    return `unexpected ${name}; this is a defect of counterweight, please report it`;
  }
  const isLost = error.code === 'INTERRUPTED' && error.details.keptIn === undefined;
  return isLost ? 'stopped; nothing was written' : error.message;
}
