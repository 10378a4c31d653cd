import path from 'node:path';
import { Command, Option } from 'commander';
import { isCounterweightError } from '../../../core/errors.ts';
import { startBackend } from '../../../worker/backend.ts';
import { optionsOf } from '../../../worker/bmft/options.ts';
import { loadModelAndData } from '../../../worker/load-data.ts';
import type { Bench } from '../../../worker/methods/bench.ts';
import { makeBench } from '../../../worker/methods/bench.ts';
import { METHODS } from '../../../worker/methods/registry.ts';
import { runMethod } from '../../../worker/methods/run-method.ts';
import { makeProgressBar } from '../../../worker/progress.ts';
import { isDone, saveResult } from './results.ts';
import type { Scenario } from './scenarios.ts';
import { SCENARIOS } from './scenarios.ts';

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
}

interface Study {
  readonly flags: Flags;
  readonly signal: AbortSignal;
  readonly isOver: () => boolean;
}

const progress = makeProgressBar(process.stderr, () => performance.now());

/** @returns how many results are still missing */
async function study({ flags, signal, isOver }: Study): Promise<number> {
  const scenarios = SCENARIOS.filter(({ name }) => flags.scenarios.includes(name));
  const most = Math.max(...scenarios.map(({ seeds }) => seeds));
  let missing = 0;
  for (let seed = 0; seed < Math.min(most, flags.seeds); seed += 1) {
    for (const scenario of scenarios.filter(({ seeds }) => seed < seeds)) {
      const units = flags.methods
        .map((method) => ({ scenario: scenario.name, method, seed }))
        .filter((unit) => !isDone(flags.out, unit));
      if (units.length > 0 && !isOver()) {
        await withBench(scenario, { seed, flags, signal }, async (bench) => {
          for (const { method } of units) {
            if (isOver()) return;
            const result = await runMethod(bench, METHODS[method]!, seed);
            await saveResult(flags.out, scenario.name, result);
          }
        });
      }
      missing += units.filter((unit) => !isDone(flags.out, unit)).length;
    }
  }
  return missing;
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
  .option('--minutes <number>', 'nothing new is begun after', Number, 120);
program.parse();
const flags = program.opts<Flags>();
const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
const end = performance.now() + flags.minutes * 60_000;
await startBackend('wasm');
try {
  const missing = await study({ flags, signal: stop.signal, isOver: () => performance.now() > end });
  process.stdout.write(missing === 0 ? 'complete\n' : `${missing} results are missing: run it again\n`);
} catch (error) {
  progress.clear();
  if (!isCounterweightError(error)) throw error;
  process.stderr.write(`study: ${error.message}\n`);
  process.exitCode = 1;
}
