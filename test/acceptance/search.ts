import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { AuditReport } from '../../core/fairness/types.ts';
import type { CandidateRecord, RunRecord } from '../../core/jobs/run-record.ts';
import { type Scenario, writeScenario } from './ham-data.ts';

/*
 * The search on HAM10000, by ham.ts --search: for each seed the preset's grid alone, then with --search, through the command
 * line as a user runs it. One JSON line per seed; exit 1 when the search reaches less than the grid on the select part,
 * when its choice does not hold on the test part, or when it takes more than three times as long.
 */

export interface SearchFlags {
  readonly data: string;
  readonly model: string;
  readonly preprocess: string;
  readonly scenario: Scenario;
  /** True for the default one. */
  readonly search: string | true;
  readonly seeds: number;
}

const MOST_TIMES = 3;
const CLI = path.join(import.meta.dirname, '../../worker/counterweight.ts');

interface Run {
  readonly record: RunRecord;
  readonly seconds: number;
  readonly folder: string;
}

async function mitigate(args: readonly string[], folder: string): Promise<Run> {
  const startedAt = performance.now();
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', CLI, 'mitigate', '--quiet', '--json', '--out', folder, ...args],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  const seconds = Number(((performance.now() - startedAt) / 1000).toFixed(1));
  const record = JSON.parse(await readFile(path.join(folder, 'run.json'), 'utf8')) as RunRecord;
  return { record, seconds, folder };
}

const rounded = (value: number | null) => (value === null ? null : Number(value.toFixed(4)));

/** Smallest disparity on the select part among candidates that break nothing. */
function best(candidates: readonly CandidateRecord[]): number | null {
  const met = candidates.filter(({ kind, violations }) => kind !== 'original' && violations.length === 0);
  return met.length === 0 ? null : Math.min(...met.map(({ select }) => select.disparity!));
}

async function afterOnTest({ record, folder }: Run) {
  if (record.outcome.after === null) return null;
  const text = await readFile(path.join(folder, 'audit-after.json'), 'utf8');
  const { features } = JSON.parse(text) as AuditReport;
  const { value, interval } = features[0]!.disparities[record.outcome.metric];
  return { value: rounded(value), interval: interval && [rounded(interval.low), rounded(interval.high)] };
}

async function summary(run: Run) {
  const { candidates, outcome, search } = run.record;
  const chosen = candidates.find(({ isChosen }) => isChosen)!;
  const bounds = chosen.select.intervals?.disparity;
  return {
    seconds: run.seconds,
    candidates: candidates.length,
    epochs: search?.epochs,
    bestOnSelect: rounded(best(candidates)),
    chosen: chosen.id,
    chosenOnSelect: rounded(chosen.select.disparity),
    selectInterval: bounds ? [rounded(bounds.low), rounded(bounds.high)] : null,
    testBefore: rounded(outcome.before),
    testAfter: await afterOnTest(run),
    aucBefore: rounded(outcome.aucBefore),
    aucAfter: rounded(outcome.aucAfter),
    status: outcome.status,
  };
}

type Summary = Awaited<ReturnType<typeof summary>>;

/** The choice holds when its interval on the test part reaches down to what it had on the select part. */
function isHeld({ chosenOnSelect, testAfter, selectInterval }: Summary): boolean {
  if (chosenOnSelect === null || !testAfter?.interval || testAfter.value === null) return false;
  const isInOwn = selectInterval !== null && testAfter.value <= selectInterval[1]!;
  return isInOwn || testAfter.interval[0]! <= chosenOnSelect;
}

/** @returns whether every seed met every bar */
export async function acceptSearch(flags: SearchFlags): Promise<boolean> {
  const folder = await mkdtemp(path.join(tmpdir(), 'counterweight-search-'));
  try {
    const manifest = await writeScenario(flags.data, flags.scenario, folder);
    const { preprocess } = flags;
    const columns = ['--image', 'file', '--label', 'label', '--sensitive', 'group', '--subject', 'lesion'];
    const files = ['--manifest', manifest, '--split-column', 'split', '--preprocess', preprocess];
    const shared = ['--model', flags.model, ...columns, ...files];
    let isMet = true;
    for (const seed of Array(flags.seeds).keys()) {
      const run = async (name: string, more: readonly string[]) =>
        summary(
          await mitigate([...shared, '--seed', String(seed), ...more], path.join(folder, `${name}-${seed}`)),
        );
      const grid = await run('grid', []);
      const search = await run('search', ['--search', ...(flags.search === true ? [] : [flags.search])]);
      const times = Number((search.seconds / grid.seconds).toFixed(2));
      const reaches = (search.bestOnSelect ?? Infinity) <= (grid.bestOnSelect ?? Infinity);
      const holds = search.status !== 'improved' || isHeld(search);
      const isShort = flags.search !== true || times <= MOST_TIMES;
      isMet = isMet && reaches && holds && isShort;
      process.stdout.write(`${JSON.stringify({ seed, times, reaches, holds, isShort, grid, search })}\n`);
    }
    return isMet;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
