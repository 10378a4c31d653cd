import type { Classifier } from '../core/model/classifier.ts';
import { NO_CHECKPOINTS } from './checkpoints.ts';
import { assertOneLabel } from './load-data.ts';
import type { Bench } from './methods/bench.ts';
import { makeBench } from './methods/bench.ts';
import type { Comparison, ComparisonOptions } from './methods/comparison.ts';
import { compareResults } from './methods/comparison.ts';
import { INTERVALS } from './methods/paired.ts';
import { METHODS } from './methods/registry.ts';
import type { ResultStore } from './methods/result-store.ts';
import { completeResults, NO_RESULTS, openResults } from './methods/result-store.ts';
import type { MethodResult } from './methods/run-method.ts';
import { runMethod } from './methods/run-method.ts';
import type { FileJob } from './mitigate-files.ts';
import { withData } from './mitigate-files.ts';
import { hashFile } from './run-folder.ts';

export interface CompareJob
  extends Pick<FileJob, 'source' | 'splits' | 'options' | 'threshold' | 'backend' | 'progress' | 'signal'>,
    Pick<ComparisonOptions, 'reference'> {
  /** Names of methods, in the order of the table. */
  readonly methods: readonly string[];
  readonly seeds: readonly number[];
  /** Folder for a file of figures for each method and seed; null for none. */
  readonly folder: string | null;
  /** Milliseconds from any origin. */
  readonly now: () => number;
}

/** Runs every method with every seed over the same data and compares what they reached. */
export function compareFiles(job: CompareJob): Promise<Comparison> {
  const file = { ...job, seed: 0, checkpoints: NO_CHECKPOINTS };
  return withData(file, async ({ model, manifest }, mitigation) => {
    assertOneLabel(manifest);
    const bench = makeBench({ ...mitigation, now: job.now });
    const store =
      job.folder === null ? NO_RESULTS : await openResults(job.folder, await settingsOf(job, model));
    const results = await runAll(bench, job, store);
    job.progress.start('intervals', 1);
    const { reference, seeds } = job;
    const options = { metric: job.options.metric, reference, ...INTERVALS };
    const { isIndependent } = (await bench.at(seeds[0]!)).parts.use;
    const comparison: Comparison = {
      schemaVersion: 1,
      sensitiveFeature: manifest.sensitiveFeatures[0]!.name,
      seeds,
      isIndependent,
      ...options,
      ...compareResults(results, options),
    };
    job.progress.finish();
    if (job.folder !== null) await completeResults(job.folder, comparison);
    return comparison;
  });
}

/** Seeds outside, so that methods of one seed share their work. */
async function runAll(
  bench: Bench,
  { methods, seeds }: CompareJob,
  store: ResultStore,
): Promise<MethodResult[]> {
  const results: MethodResult[] = [];
  for (const seed of seeds) {
    const shared = await bench.at(seed);
    for (const name of methods) {
      const known = await store.load(name, seed, shared);
      const result = known ?? (await runMethod(bench, METHODS[name]!, seed));
      if (known === null) await store.save(result);
      results.push(result);
    }
  }
  return results;
}

/** All that a result depends on but method and seed; files by their content. */
async function settingsOf(
  { source, splits, options, threshold, backend }: CompareJob,
  { sources }: Classifier,
): Promise<string> {
  const files = await Promise.all([...sources, source.manifest].map(hashFile));
  return JSON.stringify({
    files,
    columns: source.columns,
    splits,
    options,
    threshold,
    backend: backend.name,
  });
}
