import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Command } from 'commander';
import { parse } from 'csv-parse/sync';
import { clarifyNumbers } from '../../core/fairness/libraries/clarify.ts';
import { LIBRARIES, type LibraryName } from '../../core/fairness/libraries/index.ts';
import type { LibraryInput, LibraryNumber, PrintedValue } from '../../core/fairness/libraries/types.ts';
import type { AuditReport, DisparityName, FeatureAudit } from '../../core/fairness/types.ts';
import { runCli } from '../../worker/cli.ts';
import { makeRandom } from '../../worker/random.ts';
import { inputFrom, type Rows } from '../helpers/library-inputs.ts';

/*
 * Acceptance against other fairness libraries, run live: fairlearn, AIF360, smclarify, Aequitas, OxonFair,
 * Holistic AI and scikit-learn, on public data sets that the command line audits, on the worked tables, and on small
 * random tables with empty cells and weights. One JSON line per library; exit 1 when a number differs.
 */

/** Largest difference of two numbers of the same value, relative to the larger where that is above 1. */
const TOLERANCE = 1e-12;
const RANDOM_TABLES = 60;

type PeerValue = PrintedValue | { readonly error: string };
interface Peers {
  readonly versions: Readonly<Record<string, string>>;
  readonly numbers: Readonly<
    Record<string, Readonly<Record<string, readonly (readonly [string, string | null, PeerValue])[]>>>
  >;
}

interface Case extends Rows {
  readonly name: string;
  readonly scores?: readonly number[];
  /** What our side makes its numbers of. */
  readonly input: LibraryInput;
  /** Where the command line audited the rows: its report, and the feature in it. */
  readonly report?: AuditReport;
  readonly feature?: FeatureAudit;
  /** Does not know weights, or cannot read a group by itself. */
  readonly skip: ReadonlySet<string>;
}

const IGNORES_WEIGHTS: ReadonlySet<string> = new Set(['clarify', 'aequitas', 'oxonfair', 'holisticai']);

/** A public data set, with a column that decides and what it is divided by to be a score. */
interface DataSet {
  readonly file: string;
  readonly score: string;
  readonly scale: number;
  readonly threshold: number;
  readonly features: readonly string[];
  readonly strata: string;
}

const DATA_SETS: Readonly<Record<string, DataSet>> = {
  compas: {
    file: 'compas/compas.csv',
    score: 'decile_score',
    scale: 10,
    threshold: 0.5,
    features: ['race', 'sex'],
    strata: 'age_cat',
  },
  adult: {
    file: 'adult/adult.csv',
    score: 'education_num',
    scale: 16,
    threshold: 0.8125,
    features: ['race', 'sex'],
    strata: 'age_band',
  },
  'german-credit': {
    file: 'german-credit/german.csv',
    score: 'amount',
    scale: 20_000,
    threshold: 0.2,
    features: ['sex', 'age_band'],
    strata: 'housing',
  },
};

async function casesOf(name: string, set: DataSet, folder: string): Promise<Case[]> {
  const records = parse(await readFile(path.join(folder, set.file), 'utf8'), { columns: true }) as Record<
    string,
    string
  >[];
  const labels = records.map(({ label }) => Number(label));
  const scores = records.map((record) => Number(record[set.score]) / set.scale);
  const report = await auditRows(records, scores, set);
  return report.features.map((feature) => {
    const rows: Rows = {
      labels,
      predictions: scores.map((score) => (score >= set.threshold ? 1 : 0)),
      groups: records.map((record) => record[feature.sensitiveFeature]!),
      reference: feature.groups.toSorted((a, b) => b.support - a.support)[0]!.group,
      strata: records.map((record) => record[set.strata]!),
    };
    const { reference, strata } = inputFrom(rows);
    const input = { ...feature, reference, strata };
    return {
      ...rows,
      name: `${name} ${feature.sensitiveFeature}`,
      scores,
      input,
      report,
      feature,
      skip: new Set(),
    };
  });
}

/** The rows as a user would hand them to the command line. */
async function auditRows(
  records: readonly Record<string, string>[],
  scores: readonly number[],
  { features, threshold }: DataSet,
): Promise<AuditReport> {
  const folder = await mkdtemp(path.join(tmpdir(), 'peers-'));
  try {
    const table = path.join(folder, 'predictions.csv');
    const lines = records.map((record, row) =>
      [record.label, scores[row], ...features.map((name) => `"${record[name]}"`)].join(','),
    );
    await writeFile(table, [['label', 'score', ...features].join(','), ...lines, ''].join('\n'));
    let stdout = '';
    const args = ['--predictions', table, '--label', 'label', '--score', 'score', '--sensitive', ...features];
    await runCli(['audit', ...args, '--threshold', String(threshold), '--json', '--quiet'], {
      stdout: { write: (text) => (stdout += text) },
      stderr: process.stderr,
      signal: new AbortController().signal,
      now: () => 0,
      isDebug: false,
    });
    return JSON.parse(stdout) as AuditReport;
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function workedCases(): Promise<Case[]> {
  const file = path.join(import.meta.dirname, '../fixtures/metrics/reference.json');
  const tables = JSON.parse(await readFile(file, 'utf8')) as Record<
    string,
    { data: { y_true?: number[]; y_pred: number[]; group: string[]; stratum?: string[] } }
  >;
  return Object.entries(tables).map(([name, { data }]) => {
    const rows: Rows = {
      labels: data.y_true ?? data.y_pred,
      predictions: data.y_pred,
      groups: data.group,
      reference: data.group[0]!,
      ...(data.stratum && { strata: data.stratum }),
    };
    return { ...rows, name, input: inputFrom(rows), skip: new Set() };
  });
}

/** Few rows in two to four groups, so that cells are empty in most tables; every other table has weights. */
function randomCases(): Case[] {
  const { next: random, integer: below } = makeRandom(20_240_731);
  return Array.from({ length: RANDOM_TABLES }, (_, index): Case => {
    const size = 6 + below(14);
    const count = 2 + below(3);
    const base = random();
    const draw = (chance: number) => Array.from({ length: size }, () => (random() < chance ? 1 : 0));
    const hasWeights = index % 2 === 1;
    const rows: Rows = {
      labels: draw(base),
      predictions: draw(random()),
      groups: Array.from({ length: size }, (_, row) => 'ABCD'[row < count ? row : below(count)]!),
      reference: 'A',
      ...(hasWeights
        ? { weights: Array.from({ length: size }, () => 0.25 + below(16) / 4) }
        : { strata: Array.from({ length: size }, () => 'xy'[below(2)]!) }),
    };
    return {
      ...rows,
      name: `random ${index}`,
      input: inputFrom(rows),
      skip: hasWeights ? IGNORES_WEIGHTS : new Set(),
    };
  });
}

async function runPeers(python: string, cases: readonly Case[]): Promise<Peers> {
  const child = spawn(python, [path.join(import.meta.dirname, 'peers.py')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const done = new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? -1));
  });
  child.stdin.end(
    JSON.stringify({
      tables: cases.map(({ input: _, report: __, feature: ___, skip: ____, ...rows }) => rows),
    }),
  );
  const code = await done;
  if (code !== 0) throw new Error(`${python} peers.py: exit code ${code}`);
  return JSON.parse(Buffer.concat(chunks).toString()) as Peers;
}

type Compared = Pick<LibraryNumber, 'name' | 'group' | 'value' | 'ours' | 'note'>;

/** AUC and Brier score, under scikit-learn's names. */
function scoreNumbers({ report, feature }: Case): Compared[] {
  if (report === undefined || feature === undefined) return [];
  const groups = [{ ...report.overall, group: null }, ...feature.groups];
  return groups.flatMap(({ group, auc, brier }) => [
    { name: 'roc_auc_score', group, value: auc.value, ours: null },
    { name: 'brier_score_loss', group, value: brier.value, ours: null },
  ]);
}

function ourNumbers(library: string, one: Case): readonly Compared[] {
  if (library === 'sklearn') return scoreNumbers(one);
  if (library === 'clarify') return clarifyNumbers(one.input).filter(({ name }) => name !== 'FT');
  return LIBRARIES[library as LibraryName].numbers(one.input);
}

/** Distance of our value from theirs; infinite when they are not of one kind. */
function distance(ours: PrintedValue, theirs: PeerValue): number {
  if (typeof ours === 'number' && typeof theirs === 'number') {
    return Math.abs(ours - theirs) / Math.max(1, Math.abs(theirs));
  }
  const isNothing = theirs === null || (typeof theirs === 'object' && 'error' in theirs);
  return (ours === null && isNothing) || ours === theirs ? 0 : Number.POSITIVE_INFINITY;
}

interface Tally {
  /** Numbers under the library's name, and how far the largest distance is. */
  compared: number;
  /** true and false, infinite values, and where both sides have no number. */
  notNumbers: number;
  largest: number;
  /** Numbers under our names whose convention is the library's. */
  ours: number;
  oursLargest: number;
  readonly differing: object[];
}

type Differ = (apart: number, details: object) => number;

function compare(library: string, one: Case, theirs: Peers['numbers'][string][string], tally: Tally): void {
  const key = (name: string, group: string | null) => JSON.stringify([name, group]);
  const left = new Map(theirs.map(([name, group, value]) => [key(name, group), value]));
  const differ: Differ = (apart, details) => {
    if (apart > TOLERANCE) tally.differing.push({ table: one.name, ...details });
    return Number.isFinite(apart) ? apart : 0;
  };
  for (const number of ourNumbers(library, one)) {
    const { name, group, value } = number;
    const other = left.get(key(name, group));
    left.delete(key(name, group));
    const apart = other === undefined ? Number.POSITIVE_INFINITY : distance(value, other);
    tally[typeof value === 'number' ? 'compared' : 'notNumbers'] += 1;
    tally.largest = Math.max(tally.largest, differ(apart, { name, group, value, theirs: other ?? 'absent' }));
    if (other !== undefined) compareOurs(number, other, { tally, differ, one });
  }
  for (const [name, value] of left) {
    tally.differing.push({ table: one.name, name, ours: 'absent', theirs: value });
  }
}

/** Our column, where the conventions are the same; it must be what the report of the command line says as well. */
function compareOurs(
  { name, group, ours, note }: Compared,
  theirs: PeerValue,
  { tally, differ, one }: { tally: Tally; differ: Differ; one: Case },
): void {
  if (ours === null || ours.value === null || note !== undefined || typeof theirs !== 'number') return;
  tally.ours += 1;
  const apart = distance(ours.value, theirs);
  tally.oursLargest = Math.max(tally.oursLargest, differ(apart, { name, group, ours, theirs }));
  const reported = one.feature?.disparities[ours.name as DisparityName];
  if (group === null && reported) differ(distance(reported.value, ours.value), { ours, reported });
}

async function main(): Promise<void> {
  const { data, python } = new Command()
    .requiredOption(
      '--python <path>',
      'interpreter that has the libraries; docs/libraries.md says how to make one',
    )
    .option('--data <folder>', 'public data sets', path.join(import.meta.dirname, '../../../shared/data'))
    .parse()
    .opts<{ data: string; python: string }>();
  const sets = [];
  for (const [name, set] of Object.entries(DATA_SETS)) sets.push(...(await casesOf(name, set, data)));
  const cases = [...sets, ...(await workedCases()), ...randomCases()];
  const { versions, numbers } = await runPeers(python, cases);
  for (const [library, version] of Object.entries(versions)) {
    const tally: Tally = { compared: 0, notNumbers: 0, largest: 0, ours: 0, oursLargest: 0, differing: [] };
    for (const one of cases) {
      if (!one.skip.has(library)) compare(library, one, numbers[one.name]![library]!, tally);
    }
    const { differing, ...counts } = tally;
    const examples = differing.slice(0, 8);
    process.stdout.write(
      `${JSON.stringify({ library, version, ...counts, differing: differing.length, examples })}\n`,
    );
    if (differing.length > 0) process.exitCode = 1;
  }
}

await main();
