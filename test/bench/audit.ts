import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { fileWriter, ParquetWriter } from 'hyparquet-writer';
import { makeRandom } from '../../worker/random.ts';
import { runChild } from './child.ts';
import { median } from './median.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const RACES = ['White', 'Black', 'Hispanic', 'Asian', 'Native', 'Other'];
/** Rows of one row group, as pandas and Spark write some hundred thousand. */
const GROUP_ROWS = 250_000;

interface Measured {
  /** Of the audit with its backend, from the open file to the report. */
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly processSeconds: number;
  readonly peakBytes: number;
}

export interface AuditFigures {
  readonly rows: number;
  readonly ours: Measured;
  /** Twelve metrics, no intervals. */
  readonly fairlearn: Measured | null;
  /** The same with this many draws, over which its time grows evenly. */
  readonly fairlearnDraws: (Measured & { readonly draws: number }) | null;
}

interface Options {
  readonly folder: string;
  readonly repeats: number;
  /** A Python that has fairlearn and pyarrow. */
  readonly python: string | null;
}

/** An audit with 2,000 replicates of tables with six groups, each in one process on one core. */
export async function benchAudit({ folder, repeats, python }: Options): Promise<AuditFigures[]> {
  const program = await bundleProgram();
  const figures: AuditFigures[] = [];
  for (const rows of [1_000_000, 10_000_000]) {
    const table = path.join(folder, `audit-${rows}.parquet`);
    await writeTable(table, rows);
    const ours = await middle(repeats, [process.execPath, program, '--table', table]);
    const peer = (draws: number) =>
      python === null || rows > 1_000_000
        ? null
        : middle(1, [
            python,
            path.join(import.meta.dirname, 'fairlearn-audit.py'),
            '--table',
            table,
            '--draws',
            `${draws}`,
          ]);
    const drawn = await peer(2);
    figures.push({
      rows,
      ours,
      fairlearn: await peer(0),
      fairlearnDraws: drawn && { ...drawn, draws: 2 },
    });
  }
  return figures;
}

/** A Python that has fairlearn; null where none does. */
export async function findFairlearn(named: string | undefined): Promise<string | null> {
  for (const python of named === undefined ? ['python3'] : [named]) {
    const found = await promisify(execFile)(python, ['-c', 'import fairlearn, pyarrow']).then(
      () => true,
      () => false,
    );
    if (found) return python;
  }
  return null;
}

/** One file, as users run one: compiling TypeScript at each start would count in time and memory. */
async function bundleProgram(): Promise<string> {
  const outdir = path.join(ROOT, 'node_modules/.cache/counterweight-bench');
  await mkdir(outdir, { recursive: true });
  await build({
    entryPoints: [path.join(import.meta.dirname, 'audit-process.ts')],
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    packages: 'external',
    splitting: true,
    logLevel: 'silent',
  });
  return path.join(outdir, 'audit-process.mjs');
}

/** On one core where that can be asked for. */
async function middle(repeats: number, command: readonly string[]): Promise<Measured> {
  const pinned = process.platform === 'linux' ? ['taskset', '-c', '0', ...command] : [...command];
  const runs: Measured[] = [];
  for (let run = 0; run < repeats; run += 1) {
    const { code, lines } = await runChild(pinned as [string, ...string[]]);
    if (code !== 0) throw new Error(`${pinned.join(' ')}: exit code ${code}`);
    runs.push(JSON.parse(lines.at(-1)!) as Measured);
  }
  const pick = (name: keyof Measured) => median(runs.map((run) => run[name]));
  return {
    seconds: pick('seconds'),
    cpuSeconds: pick('cpuSeconds'),
    processSeconds: pick('processSeconds'),
    peakBytes: pick('peakBytes'),
  };
}

/** Scores of both classes overlap: a logistic noise, moved by 1.5 for positives. */
async function writeTable(file: string, rows: number): Promise<void> {
  const random = makeRandom(1);
  const writer = new ParquetWriter({
    writer: fileWriter(file),
    schema: [
      { name: 'root', num_children: 4 },
      { name: 'id', type: 'INT64', repetition_type: 'REQUIRED' },
      { name: 'race', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' },
      { name: 'label', type: 'INT64', repetition_type: 'REQUIRED' },
      { name: 'score', type: 'DOUBLE', repetition_type: 'REQUIRED' },
    ],
  });
  for (let start = 0; start < rows; start += GROUP_ROWS) {
    const size = Math.min(GROUP_ROWS, rows - start);
    const labels = Array.from({ length: size }, () => (random.next() < 0.3 ? 1 : 0));
    const scores = labels.map((label) => {
      const noise = random.next();
      return 1 / (1 + Math.exp(-(Math.log(noise / (1 - noise)) + 1.5 * label - 1)));
    });
    await writer.write({
      columnData: [
        { name: 'id', data: Array.from({ length: size }, (_, row) => BigInt(start + row)) },
        { name: 'race', data: labels.map(() => RACES[Math.floor(random.next() ** 2 * RACES.length)]!) },
        { name: 'label', data: labels.map(BigInt) },
        { name: 'score', data: scores },
      ],
      rowGroupSize: size,
    });
  }
  await writer.finish();
}
