import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { CliEnvironment } from '../../worker/cli.ts';
import { runCli } from '../../worker/cli.ts';
import { COLUMNS, INDEPENDENT_INK, writeLesions } from './lesions.ts';

export interface DemoOptions {
  /** Folder for data and run; what an earlier demo left there is replaced. */
  readonly folder: string;
  readonly externalCount: number;
  readonly testCount: number;
  /** Further flags of `mitigate`, e.g. `--seed 1`. */
  readonly flags?: readonly string[];
}

const DATA_SEED = 2024;

/**
 * Makes data, then types the command that a user would type.
 *
 * @returns the exit code of `counterweight mitigate`
 */
export async function runDemo(options: DemoOptions, environment: CliEnvironment): Promise<number> {
  const { folder, externalCount, testCount, flags = [] } = options;
  const { stdout } = environment;
  const [data, run] = [path.join(folder, 'data'), path.join(folder, 'run')];
  for (const old of [data, run]) await rm(old, { recursive: true, force: true });

  stdout.write(
    `Making ${externalCount} external and ${testCount} test images: drawn lesions, no patients.\n\n`,
  );
  const manifest = await writeLesions(data, [
    { split: 'external', count: externalCount, ink: INDEPENDENT_INK, seed: DATA_SEED },
    { split: 'test', count: testCount, ink: INDEPENDENT_INK, seed: DATA_SEED },
  ]);

  const command = mitigateCommand({ manifest, run, flags });
  stdout.write(`$ npx counterweight ${command.map((part) => part.join(' ')).join(' \\\n    ')}\n\n`);
  return runCli(command.flat(), environment);
}

interface Places {
  readonly manifest: string;
  readonly run: string;
  readonly flags: readonly string[];
}

/** The arguments, grouped as they are printed: a line each. */
function mitigateCommand({ manifest, run, flags }: Places): string[][] {
  const model = path.relative('', path.join(import.meta.dirname, 'model'));
  const { image, label, positiveLabel, sensitiveFeatures, subject, split } = COLUMNS;
  return [
    ['mitigate', '--model', model, '--manifest', manifest],
    ['--image', image, '--label', label, '--positive-label', positiveLabel],
    ['--sensitive', ...sensitiveFeatures, '--subject', subject, '--split-column', split],
    ['--out', run, ...flags],
  ];
}
