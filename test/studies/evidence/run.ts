import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Command, Option } from 'commander';
import { isCounterweightError } from '../../../core/errors.ts';
import { startBackend } from '../../../worker/backend.ts';
import { optionsOf } from '../../../worker/bmft/options.ts';
import { loadModelAndData } from '../../../worker/load-data.ts';
import type { Bench } from '../../../worker/methods/bench.ts';
import { makeBench } from '../../../worker/methods/bench.ts';
import { METHODS } from '../../../worker/methods/registry.ts';
import { openResults } from '../../../worker/methods/result-store.ts';
import type { MethodResult } from '../../../worker/methods/run-method.ts';
import { runMethod } from '../../../worker/methods/run-method.ts';
import { makeProgressBar } from '../../../worker/progress.ts';
import type { Scenario } from './scenarios.ts';
import { SCENARIOS } from './scenarios.ts';
import { summarize } from './summary.ts';
import { methodTable } from './tables.ts';
import { writeEvidence } from './write-evidence.ts';

/*
 * The experiment behind docs/evidence.md: every method on every scenario, for several seeds. What is done is kept, so
 * that a run that was stopped, or whose time was up, goes on where it was.
 *
 *   npm run study
 *   npm run study -- --scenarios ham-artefact --minutes 30
 */

interface Flags {
  readonly out: string;
  readonly scenarios: string[];
  readonly methods: string[];
  readonly seeds: number;
  readonly minutes: number;
  readonly threads?: number;
  readonly docs?: string;
}

interface Study {
  readonly flags: Flags;
  readonly signal: AbortSignal;
  readonly isOver: () => boolean;
}

const progress = makeProgressBar(process.stderr, () => performance.now());

type Results = ReadonlyMap<string, MethodResult[]>;

/** @returns results by scenario, and how many are still missing */
async function study(about: Study): Promise<{ results: Results; missing: number }> {
  const { flags } = about;
  const scenarios = SCENARIOS.filter(({ name }) => flags.scenarios.includes(name));
  const results = new Map<string, MethodResult[]>(scenarios.map(({ name }) => [name, []]));
  const most = Math.max(...scenarios.map(({ seeds }) => seeds));
  let missing = 0;
  for (let seed = 0; seed < Math.min(most, flags.seeds); seed += 1) {
    for (const scenario of scenarios.filter(({ seeds }) => seed < seeds)) {
      const found = await runSeed(scenario, seed, about);
      results.get(scenario.name)!.push(...found);
      missing += flags.methods.length - found.length;
    }
  }
  return { results, missing };
}

async function runSeed(scenario: Scenario, seed: number, about: Study): Promise<MethodResult[]> {
  const { flags, isOver } = about;
  const folder = path.join(flags.out, scenario.name);
  const store = await openResults(path.join(folder, 'results'), scenario.name);
  const found: MethodResult[] = [];
  await withBench(scenario, { seed, flags, signal: about.signal }, async (bench) => {
    for (const method of flags.methods) {
      const kept = await store.load(method, seed, await bench.at(seed));
      if (kept === null && isOver()) continue;
      const result = kept ?? (await runMethod(bench, METHODS[method]!, seed));
      if (kept === null) await store.save(result);
      found.push(result);
    }
  });
  return found;
}

async function withBench(
  scenario: Scenario,
  { seed, flags, signal }: { seed: number; flags: Flags; signal: AbortSignal },
  use: (bench: Bench) => Promise<void>,
): Promise<void> {
  progress.start(`${scenario.name}: data and model`, 1);
  const source = await scenario.prepare(path.join(flags.out, scenario.name), seed);
  const { model, manifest, inputs } = await loadModelAndData(source, signal);
  try {
    await use(
      makeBench({
        model,
        samples: manifest,
        inputs,
        sensitiveFeature: manifest.sensitiveFeatures[0]!.name,
        splits: { external: 'external', test: ['test'] },
        options: optionsOf({ preset: 'robust', changes: {} }, 'study'),
        threshold: 0.5,
        progress,
        now: () => performance.now(),
        signal,
      }),
    );
  } finally {
    progress.finish();
    model.dispose();
  }
}

const scenarioNames = SCENARIOS.map(({ name }) => name);
const methodNames = Object.keys(METHODS);
const program = new Command('study')
  .description('Runs every method on every scenario and keeps what each gave.')
  .option('--out <folder>', 'where data, models and results are kept', 'runs/study')
  .addOption(new Option('--scenarios <name...>').choices(scenarioNames).default(scenarioNames))
  .addOption(new Option('--methods <name...>').choices(methodNames).default(methodNames))
  .option('--seeds <count>', 'at most', Number, Number.POSITIVE_INFINITY)
  .option('--threads <number>', 'of the backend; results do not depend on it', Number)
  .option('--minutes <number>', 'nothing new is begun after', Number, 120)
  .option('--docs <page>', 'page whose tables and plots are replaced, e.g. docs/evidence.md');
program.parse();
const flags = program.opts<Flags>();
const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
const end = performance.now() + flags.minutes * 60_000;
await startBackend('wasm', { threads: flags.threads });
try {
  const { results, missing } = await study({
    flags,
    signal: stop.signal,
    isOver: () => performance.now() > end,
  });
  const summaries = SCENARIOS.flatMap((scenario) => {
    const own = results.get(scenario.name) ?? [];
    return own.length === 0 ? [] : [summarize(scenario, own)];
  });
  await writeFile(path.join(flags.out, 'summaries.json'), `${JSON.stringify(summaries, null, 2)}\n`);
  for (const summary of summaries) process.stdout.write(`\n${summary.title}\n\n${methodTable(summary)}\n`);
  if (flags.docs !== undefined) await writeEvidence(flags.docs, summaries);
  process.stdout.write(missing === 0 ? '\ncomplete\n' : `\n${missing} results are missing: run it again\n`);
} catch (error) {
  progress.clear();
  if (!isCounterweightError(error)) throw error;
  process.stderr.write(`study: ${error.message}\n`);
  process.exitCode = 1;
}
