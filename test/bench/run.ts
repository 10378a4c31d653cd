import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { Command, Option } from 'commander';
import { startBackend } from '../../worker/backend.ts';
import { textTable } from '../../worker/commands/tables.ts';
import { type AuditFigures, benchAudit, findFairlearn } from './audit.ts';
import { runChild, typescript } from './child.ts';
import { benchJob } from './job.ts';
import { benchKernels, type KernelFigures, stockKernels } from './kernels.ts';
import { NETWORKS, type Network, writeNetwork } from './networks.ts';
import { findTorch } from './torch.ts';

/*
 * npm run bench                          everything: kernels, training step, importance, whole job, audit; some 20 minutes
 * npm run bench -- --sections kernels    one of them
 *
 * Absolute times are of this machine and this hour; what counts are ratios within one run. Tables go to stdout, the
 * same figures to bench/{section}.json.
 */

const SECTIONS = ['kernels', 'step', 'job', 'audit'] as const;

interface Flags {
  readonly sections: (typeof SECTIONS)[number][];
  readonly repeats: number;
  readonly threads: number;
  readonly data: string;
  readonly fairlearn?: string;
  readonly out: string;
}

const HERE = import.meta.dirname;
const shared = (name: string) => path.join(HERE, '../../../shared', name);

const program = new Command('bench')
  .addOption(new Option('--sections <name...>').choices(SECTIONS).default([...SECTIONS]))
  .option('--repeats <count>', 'measurements of each kind, of which the median counts', Number, 5)
  .option('--threads <count>', 'of steps and jobs; kernels run on one', Number, availableParallelism())
  .option('--data <folder>', 'ham10000-64, for the job', shared('data/ham10000-64'))
  .option('--fairlearn <python>', 'interpreter that has fairlearn and pyarrow, for the audit')
  .option('--out <folder>', 'folder of the JSON files', path.join(HERE, '../../bench'));
program.parse();
const flags = program.opts<Flags>();

const python = await findTorch();
if (python === null) {
  print(
    'PyTorch is not installed here, so its columns are left out (Debian: python3-torch, and python3-pil,',
  );
  print('python3-pandas, python3-sklearn for the job).');
}
const folder = await mkdtemp(path.join(tmpdir(), 'counterweight-bench-'));
try {
  const stock = await stockKernels();
  const { detail } = await startBackend('wasm', { threads: 1 });
  for (const network of NETWORKS) await writeNetwork(network, path.join(folder, network));
  const machine = { processor: cpus()[0]?.model, node: process.version, kernels: detail };
  print(`${machine.processor}, Node ${machine.node}, ${detail.replace(/,.*/, '')}`);
  const run = {
    kernels: () => kernels(benchKernels(stock, flags.repeats)),
    step: steps,
    job,
    audit,
  };
  for (const section of flags.sections) {
    const figures = await run[section]();
    await mkdir(flags.out, { recursive: true });
    const content = { machine, threads: section === 'kernels' ? 1 : flags.threads, figures };
    await writeFile(path.join(flags.out, `${section}.json`), `${JSON.stringify(content, null, 2)}\n`);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): void {
  print(`\n${textTable([header, ...rows])}`);
}

function times(ratio: number): string {
  return `${ratio.toFixed(2)}×`;
}

function kernels(figures: KernelFigures[]): KernelFigures[] {
  table(
    ['kernel', 'shape', 'ms', 'speed of tfjs', 'of ceiling'],
    figures.map(({ kernel, shape, ours, stock: peer, share }) => [
      kernel,
      shape,
      ours.toFixed(2),
      peer === null ? '–' : times(peer / ours),
      share === null ? '–' : `${Math.round(100 * share)} %`,
    ]),
  );
  return figures;
}

interface StepFigures {
  /** Seconds. */
  readonly step: number;
  readonly importance: number;
  readonly peakBytes: number;
}

interface NetworkFigures {
  readonly network: Network;
  readonly ours: StepFigures;
  readonly oneThread: StepFigures;
  readonly torch: StepFigures | null;
}

async function steps(): Promise<NetworkFigures[]> {
  const figures: NetworkFigures[] = [];
  for (const network of NETWORKS) {
    const ours = (threads: number) =>
      typescript(
        path.join(HERE, 'step-process.ts'),
        ...['--model', path.join(folder, network)],
        ...common(threads),
      );
    figures.push({
      network,
      ours: await stepFigures(ours(flags.threads)),
      oneThread: await stepFigures(ours(1)),
      torch:
        python === null
          ? null
          : await stepFigures([
              python,
              ...[path.join(HERE, 'torch-step.py'), '--network', network],
              ...common(flags.threads),
            ]),
    });
  }
  table(
    ['network', 'what', `${flags.threads} threads`, '1 thread', 'PyTorch', 'ours / PyTorch'],
    figures.flatMap(stepRows),
  );
  return figures;
}

function common(threads: number): string[] {
  return ['--threads', String(threads), '--repeats', String(flags.repeats)];
}

async function stepFigures(command: readonly [string, ...string[]]): Promise<StepFigures> {
  const { code, lines } = await runChild(command);
  if (code !== 0) throw new Error(`${command.join(' ')}: exit code ${code}`);
  return JSON.parse(lines.at(-1)!) as StepFigures;
}

function stepRows({ network, ours, oneThread, torch }: NetworkFigures): string[][] {
  const row = (what: string, pick: (of: StepFigures) => number, show: (value: number) => string) => [
    network,
    what,
    show(pick(ours)),
    show(pick(oneThread)),
    torch === null ? '–' : show(pick(torch)),
    torch === null ? '–' : times(pick(ours) / pick(torch)),
  ];
  const milliseconds = (seconds: number) => `${Math.round(1000 * seconds)} ms`;
  return [
    row('training step', ({ step }) => step, milliseconds),
    row('importance of a batch', ({ importance }) => importance, milliseconds),
    row(
      'peak memory',
      ({ peakBytes }) => peakBytes,
      (bytes) => `${Math.round(bytes / 2 ** 20)} MB`,
    ),
  ];
}

async function job() {
  const model = path.join(folder, 'resnet14');
  const figures = await benchJob({ ...flags, model, folder, python });
  const { released, robust, torchMethod, torchProcess } = figures;
  const seconds = (value: number | null) => (value === null ? '–' : `${value.toFixed(1)} s`);
  const ratio = (peer: number | null) => (peer === null ? '–' : times(released / peer));
  table(
    ['job on HAM', 'time', 'bmft-released is'],
    [
      ['bmft-released', seconds(released), ''],
      ['robust, with its search', seconds(robust), times(released / robust)],
      ['PyTorch, the method alone', seconds(torchMethod), ratio(torchMethod)],
      ['PyTorch, whole process', seconds(torchProcess), ratio(torchProcess)],
    ],
  );
  return figures;
}

async function audit() {
  const peer = await findFairlearn(flags.fairlearn);
  if (peer === null)
    print('fairlearn and pyarrow are not installed here (--fairlearn), so its column is left out.');
  const figures = await benchAudit({ ...flags, folder, python: peer });
  const cell = (measured: AuditFigures['fairlearn']) =>
    measured === null
      ? '–'
      : `${measured.seconds.toFixed(2)} s (${measured.cpuSeconds.toFixed(2)} s of the processor), ${Math.round(measured.peakBytes / 2 ** 20)} MB`;
  table(
    ['audit of rows', 'ours, with intervals and tests', 'fairlearn, 12 metrics', 'with 2 draws'],
    figures.map(({ rows, ours, fairlearn, fairlearnDraws }) => [
      String(rows),
      cell(ours),
      cell(fairlearn),
      cell(fairlearnDraws),
    ]),
  );
  return figures;
}
