import type { Command } from 'commander';
import { Option } from 'commander';
import { InvalidInputError } from '../../core/errors.ts';
import { startBackend } from '../backend.ts';
import type { VerifyReport } from '../verify/types.ts';
import type { Console } from './console.ts';
import type { DataFlags } from './data-options.ts';
import {
  addBackendOption,
  addDataOptions,
  addHeadOptions,
  parseTestManifest,
  readDataSource,
} from './data-options.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { textTable } from './tables.ts';

interface VerifyFlags extends DataFlags {
  readonly model?: string;
  readonly testManifest?: string[];
  readonly sha256?: string;
  readonly json?: boolean;
}

const EXAMPLES = `
Examples:
  Is this run folder still what was written?
    counterweight verify run/
  Is it the one that was signed? The hash is in the signature, not in the folder:
    counterweight verify run/ --sha256 3f6c...
  The frozen weights as well, and both models scored again, with the flags of the run:
    counterweight verify run/ --model model/
    counterweight verify run/ --model model/ --manifest labels.csv --image file --label melanoma \\
      --sensitive sex --subject patient --split-column split

Hashes, audits, outcome, mask, decision and report are recomputed from one another (docs/decision.md). Nothing is
written.

Exit codes: 0 nothing differs, 13 something differs, 64 wrong input or no run folder, 65 model unfit, 70 failed,
75 try again, 130 stopped.`;

export function addVerifyCommand(program: Command, console: Console): void {
  const command = program
    .command('verify')
    .summary('recompute what a run folder says of itself')
    .description(
      'Recomputes hashes, audits, outcome, mask, decision and report of a run folder from one another and says what differs.',
    )
    .argument('<run>', 'run folder that mitigate made')
    .addOption(new Option('--sha256 <hash>', 'of run.json, as it was noted or signed').argParser(parseHash))
    .option('--model <path>', 'the original model, to compare the weights outside of the mask');
  addDataOptions(command).option(
    '--test-manifest <name=csv...>',
    'tables of the further sets that the run was given',
  );
  addBackendOption(addHeadOptions(command))
    .optionsGroup('Output:')
    .option('--json', 'print as JSON')
    .addHelpText('after', EXAMPLES)
    .action((folder: string, flags: VerifyFlags) => verify(folder, flags, console));
}

function parseHash(text: string): string {
  if (/^[0-9a-f]{64}$/i.test(text)) return text.toLowerCase();
  throw new InvalidInputError(
    `--sha256: expected 64 hexadecimal digits, received ${text.length} characters`,
    {
      flag: '--sha256',
    },
  );
}

async function verify(folder: string, flags: VerifyFlags, console: Console): Promise<void> {
  if (flags.manifest !== undefined && flags.model === undefined) {
    throw new InvalidInputError('--manifest: expected --model as well, received none', {
      flag: '--manifest',
    });
  }
  const { verifyRun } = await import('../verify/verify-run.ts');
  const { NO_DATA, NO_MODEL, verifyWithOriginals } = await import('../verify/verify-further.ts');
  const originals = await originalsOf(flags, console);
  const report = await verifyRun(folder, {
    expected: flags.sha256,
    signal: console.signal,
    further: (own) =>
      originals === null
        ? Promise.resolve([
            { check: 'model', status: 'not-checked', message: NO_MODEL },
            { check: 'scores', status: 'not-checked', message: NO_DATA },
          ])
        : verifyWithOriginals(own, originals),
  });
  console.print(flags.json ? JSON.stringify(report, null, 2) : verifyText(report));
  console.exitCode = report.verdict === 'differs' ? EXIT_CODES.RUN_DIFFERS : 0;
}

async function originalsOf(flags: VerifyFlags, { progress, signal }: Console) {
  const { model, head, positiveClass, manifest, config } = flags;
  if (model === undefined) return null;
  const { NO_CHECKPOINTS } = await import('../checkpoints.ts');
  const backend = await startBackend(flags.backend, { threads: flags.threads });
  if (manifest === undefined) return { model, head, positiveClass, data: null };
  const data = {
    source: await readDataSource(model, flags),
    config,
    testManifests: flags.testManifest?.map(parseTestManifest),
    backend,
    progress,
    checkpoints: NO_CHECKPOINTS,
    signal,
  };
  return { model, head, positiveClass, data };
}

function verifyText({ verdict, runSha256, findings }: VerifyReport): string {
  const rows = findings.map(({ check, status, message }) => [check, status.replace('-', ' '), message]);
  const differing = findings.filter(({ status }) => status === 'differs').length;
  const result =
    verdict === 'consistent'
      ? 'nothing differs among what was checked'
      : `${differing} finding${differing === 1 ? '' : 's'}: this folder is not what the run wrote`;
  return [textTable(rows, 'left'), `SHA-256 of run.json: ${runSha256}`, `${verdict}: ${result}`].join('\n\n');
}
