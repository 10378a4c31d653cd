import type { RunRecord } from '../core/jobs/run-record.ts';
import type { PresetName } from '../core/jobs/schema.ts';
import type { RunningBackend } from './backend.ts';
import type { MitigationOptions } from './bmft/options.ts';
import type { BlobStore } from './checkpoints.ts';
import type { DataSource, ModelAndData } from './load-data.ts';
import { loadModelAndData } from './load-data.ts';
import type { Progress } from './progress.ts';
import type { MitigationJob, MitigationResult } from './run-job.ts';
import { runMitigation, runShard } from './run-job.ts';
import { saveRun } from './save-run.ts';
import type { Shard } from './search/search.ts';

/** A mitigation whose model, data and result are files of this machine. */
export interface FileJob {
  readonly source: DataSource;
  /** Config file that the columns came from, to be hashed with the inputs. */
  readonly config?: string | undefined;
  /** Values of the split column, if the manifest has one. */
  readonly splits: { readonly external: string; readonly test: string };
  readonly preset: PresetName;
  readonly options: MitigationOptions;
  readonly seed: number;
  readonly threshold: number;
  /** Run folder to make. */
  readonly folder: string;
  readonly backend: RunningBackend;
  readonly progress: Progress;
  readonly checkpoints: BlobStore;
  readonly signal: AbortSignal;
}

/** Runs the job and writes its run folder, whole or not at all. */
export function mitigateFiles(job: FileJob): Promise<{ result: MitigationResult; record: RunRecord }> {
  return withData(job, async (loaded, mitigation) => {
    const result = await runMitigation(mitigation);
    const { source, config } = job;
    const record = await saveRun({ ...job, manifest: source.manifest, config, loaded, result });
    return { result, record };
  });
}

/** Runs one process's share of the job; its candidates go into the checkpoints. */
export function mitigateShard(job: FileJob, shard: Shard): Promise<void> {
  return withData(job, (_, mitigation) => runShard(mitigation, shard));
}

async function withData<Result>(
  job: FileJob,
  use: (loaded: ModelAndData, mitigation: MitigationJob) => Promise<Result>,
): Promise<Result> {
  const loaded = await loadModelAndData(job.source, job.signal);
  const { model, manifest, inputs } = loaded;
  try {
    const splits = manifest.splits ? job.splits : null;
    await verifyInputs(loaded, splits, job.progress);
    return await use(loaded, {
      ...job,
      model,
      samples: manifest,
      inputs,
      splits,
      sensitiveFeature: manifest.sensitiveFeatures[0]!.name,
    });
  } finally {
    model.dispose();
  }
}

/** A bad image shows before the work starts, and all bad ones at once. */
async function verifyInputs(
  { inputs, manifest }: ModelAndData,
  splits: MitigationJob['splits'],
  progress: Progress,
) {
  const used = splits === null ? null : new Set([splits.external, splits.test]);
  const rows = Array.from({ length: manifest.size }, (_, row) => row).filter(
    (row) => used === null || used.has(manifest.splits![row]!),
  );
  progress.start('read images', rows.length);
  await inputs.verify(rows, { onProgress: () => progress.advance() });
}
