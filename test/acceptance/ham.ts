import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Command, Option } from 'commander';
import type { AuditReport } from '../../core/fairness/types.ts';
import type { RunRecord } from '../../core/jobs/run-record.ts';
import { PRESET_NAMES } from '../../core/jobs/schema.ts';
import { SCENARIOS, type Scenario, writeScenario } from './ham-data.ts';
import { acceptSearch } from './search.ts';

/*
 * Acceptance on HAM10000: a classifier that PyTorch trained is audited, mitigated for several seeds and audited
 * again, through the command line as a user runs it. One JSON line per step; exit 1 when a bar is missed.
 */

interface Flags {
  readonly data: string;
  readonly model: string;
  readonly preprocess: string;
  readonly scenario: Scenario;
  readonly presets: string[];
  readonly seeds: number;
  readonly search?: string | true;
}

/** Share by which equalised odds must fall on every seed, where a bar is set. */
const LEAST_CUT: Readonly<Record<string, number>> = { robust: 0.8, 'bmft-released': 0.6 };

const CLI = path.join(import.meta.dirname, '../../worker/counterweight.ts');

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** Runs the command line and returns its exit code and JSON. */
async function counterweight<T>(args: readonly string[]): Promise<{ code: number; output: T }> {
  const child = spawn(process.execPath, ['--import', 'tsx', CLI, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const code = await new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => resolve(status ?? -1));
  });
  return { code, output: JSON.parse(Buffer.concat(chunks).toString()) as T };
}

function figures(report: AuditReport) {
  const { groups, disparities } = report.features[0]!;
  const round = (value: number | null) => (value === null ? null : Number(value.toFixed(4)));
  return {
    samples: report.overall.support,
    auc: round(report.overall.auc.value),
    balancedAccuracy: round(report.overall.balancedAccuracy.value),
    groups: groups.map(({ group }) => group),
    aucByGroup: groups.map(({ auc }) => round(auc.value)),
    tpr: groups.map(({ rates }) => round(rates.truePositiveRate.value)),
    fpr: groups.map(({ rates }) => round(rates.falsePositiveRate.value)),
    equalizedOdds: round(disparities.equalizedOddsDifference.amongSupported),
  };
}

interface Bench {
  readonly flags: Flags;
  readonly folder: string;
  /** Arguments that every command takes. */
  readonly shared: readonly string[];
}

async function accept(flags: Flags): Promise<boolean> {
  const folder = await mkdtemp(path.join(tmpdir(), 'counterweight-accept-'));
  try {
    const manifest = await writeScenario(flags.data, flags.scenario, folder);
    const columns = ['--image', 'file', '--label', 'label', '--sensitive', 'group', '--subject', 'lesion'];
    const files = ['--manifest', manifest, '--split-column', 'split', '--preprocess', flags.preprocess];
    const bench: Bench = { flags, folder, shared: [...columns, ...files, '--quiet', '--json'] };
    say({ step: 'audit original', scenario: flags.scenario, ...(await audit(bench, flags.model)) });
    const seeds = Array.from({ length: flags.seeds }, (_, seed) => seed);
    let isMet = true;
    for (const preset of flags.presets) {
      for (const seed of seeds) isMet = (await mitigateAndAudit(bench, preset, seed)) && isMet;
    }
    return isMet;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function audit({ shared }: Bench, model: string) {
  const { output } = await counterweight<AuditReport>([
    'audit',
    '--model',
    model,
    '--only',
    'test',
    ...shared,
  ]);
  return figures(output);
}

async function mitigateAndAudit(bench: Bench, preset: string, seed: number): Promise<boolean> {
  const { flags, folder, shared } = bench;
  const out = path.join(folder, `${preset}-${seed}`);
  const startedAt = performance.now();
  const { code, output } = await counterweight<RunRecord>([
    ...['mitigate', '--model', flags.model, '--preset', preset, '--seed', String(seed), '--out', out],
    ...shared,
  ]);
  const seconds = Number(((performance.now() - startedAt) / 1000).toFixed(1));
  const { outcome, candidates } = output;
  const isMet = flags.scenario !== 'artefact' || meetsBar(preset, outcome);
  const chosen = candidates.find(({ isChosen }) => isChosen)?.id;
  say({
    step: 'mitigate',
    preset,
    seed,
    exitCode: code,
    outcome,
    cut: cutOf(outcome),
    isMet,
    chosen,
    seconds,
  });
  if (outcome.status === 'improved') {
    say({ step: 'audit mitigated', preset, seed, ...(await audit(bench, path.join(out, 'model'))) });
  }
  return isMet;
}

/** Share by which the disparity fell; null when there is no after. */
function cutOf({ before, after }: RunRecord['outcome']): number | null {
  return before === null || after === null ? null : Number((1 - after / before).toFixed(3));
}

function meetsBar(preset: string, outcome: RunRecord['outcome']): boolean {
  const least = LEAST_CUT[preset];
  if (least === undefined) return true;
  const keepsAuc = preset !== 'robust' || (outcome.aucAfter ?? 0) >= outcome.aucBefore!;
  return keepsAuc && (cutOf(outcome) ?? 0) >= least;
}

const program = new Command('accept')
  .requiredOption('--data <folder>', 'ham10000-64')
  .requiredOption('--model <folder>', 'tfjs LayersModel')
  .option('--preprocess <json>', 'preprocess file (default: beside the model folder)')
  .addOption(new Option('--scenario <name>').choices(SCENARIOS).default('artefact'))
  .addOption(new Option('--presets <name...>').choices(PRESET_NAMES).default(['robust', 'bmft-released']))
  .option('--seeds <count>', 'seeds 0 … count - 1', Number, 3)
  .option('--search [budget]', 'the search beyond the grid beside the grid alone, in place of the presets');
program.parse();
const flags = program.opts<Flags>();
const preprocess = flags.preprocess ?? path.join(path.dirname(flags.model), 'preprocess.json');
const { search } = flags;
const isMet = search
  ? await acceptSearch({ ...flags, preprocess, search })
  : await accept({ ...flags, preprocess });
process.exitCode = isMet ? 0 : 1;
