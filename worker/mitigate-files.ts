import { InvalidInputError } from '../core/errors.ts';
import type { RunRecord } from '../core/jobs/run-record.ts';
import type { PresetName } from '../core/jobs/schema.ts';
import type { RunningBackend } from './backend.ts';
import type { MitigationOptions } from './bmft/options.ts';
import { type CheckedTable, checkParts, loadCheckedTable } from './check-parts.ts';
import type { BlobStore } from './checkpoints.ts';
import { makeImageFactsStore } from './image-facts-store.ts';
import type { DataSource, ModelAndData } from './load-data.ts';
import { loadModelAndData } from './load-data.ts';
import type { MitigateChoice } from './mitigated-features.ts';
import { mitigatedFeatures } from './mitigated-features.ts';
import type { Parts } from './parts.ts';
import type { Progress } from './progress.ts';
import type { MitigationJob, MitigationResult } from './run-job.ts';
import { runMitigation, runShard } from './run-job.ts';
import { saveRun } from './save-run.ts';
import type { Shard } from './search/share.ts';
import type { Snapshot } from './search/snapshot.ts';
import { takeSnapshot } from './search/snapshot.ts';

export interface TestManifest {
  readonly name: string;
  readonly manifest: string;
  /** Folder that image paths start from; the manifest's own when absent. */
  readonly root?: string | undefined;
}

/** A mitigation whose model, data and result are files of this machine. */
export interface FileJob {
  readonly source: DataSource;
  /** Config file that the columns came from, to be hashed with the inputs. */
  readonly config?: string | undefined;
  /** Values of the split column, if the manifest has one. */
  readonly splits: NonNullable<RunRecord['splits']>;
  /** Further sets to audit, in files of their own with the same columns but for the split's. */
  readonly testManifests?: readonly TestManifest[] | undefined;
  /** Absent: the first sensitive feature of the columns. */
  readonly mitigate?: MitigateChoice | undefined;
  readonly preset: PresetName;
  readonly options: MitigationOptions;
  readonly seed: number;
  readonly threshold: number;
  /** Goes on with data that the check calls unfit. */
  readonly despiteCheck?: boolean | undefined;
  /** Runs controls of the mask beside it, for a preset with a selection and one feature. */
  readonly controls?: boolean | undefined;
  /** Writes explanation.json and its part of the report. */
  readonly explain?: boolean | undefined;
  /** With `explain`: writes a page of the images in which channels of the mask fire most. */
  readonly showImages?: boolean | undefined;
  /** Run folder to make. */
  readonly folder: string;
  readonly backend: RunningBackend;
  readonly progress: Progress;
  readonly checkpoints: BlobStore;
  /** Processes that its candidates are spread over; 1 when absent. */
  readonly shards?: number | undefined;
  readonly signal: AbortSignal;
}

/** Runs the job and writes its run folder, whole or not at all. */
export function mitigateFiles(job: FileJob): Promise<{ result: MitigationResult; record: RunRecord }> {
  return withData(job, async (loaded, mitigation, tables) => {
    const original = job.controls ? takeSnapshot(loaded.model) : null;
    const found = await runMitigation(mitigation);
    const result = original ? await withControls(found, mitigation, original) : found;
    const { source, config } = job;
    const record = await saveRun({ ...job, manifest: source.manifest, config, loaded, tables, result });
    return { result, record };
  });
}

/** A rejected run trained nothing that a control could stand against. */
async function withControls(
  result: MitigationResult,
  job: MitigationJob,
  original: Snapshot,
): Promise<MitigationResult> {
  if (result.outcome.status === 'rejected') return result;
  const { runControls } = await import('./methods/run-controls.ts');
  const threshold = result.outcome.status === 'improved' ? result.threshold.value : job.threshold;
  return { ...result, controls: await runControls(job, { original, threshold }) };
}

/** Runs one process's share of the job; its candidates go into the checkpoints. */
export function mitigateShard(job: FileJob, shard: Shard): Promise<void> {
  return withData(job, (_, mitigation) => runShard(mitigation, shard));
}

/** Loads and checks what a job is about, and disposes it in the end. */
export async function withData<Result>(
  job: Omit<FileJob, 'folder' | 'preset'>,
  use: (loaded: ModelAndData, mitigation: MitigationJob, tables: readonly TestTable[]) => Promise<Result>,
): Promise<Result> {
  const facts = makeImageFactsStore();
  const loaded = await loadModelAndData(job.source, job.signal, facts.onImage);
  const { model, manifest, inputs } = loaded;
  try {
    const splits = manifest.splits ? job.splits : null;
    const tables = await loadTestTables(job, loaded.spec);
    if (manifest.classNames) assertForClasses(job);
    if (job.showImages) assertImages(manifest);
    if (job.controls) assertControlled(job);
    await verifyInputs(loaded, splits, job.progress);
    await verifyTables(tables, job.progress);
    const mitigated = mitigatedFeatures(job.mitigate ?? { intersections: 1 }, {
      names: manifest.sensitiveFeatures.map(({ name }) => name),
      cellMinimum: job.options.disparity.cellMinimum,
    });
    const tests = new Map(tables.map((table) => [table.name, table]));
    const checked = { ...job, ...mitigated, model, table: { manifest, inputs, facts }, tests, isBrief: true };
    const mitigation = {
      ...job,
      // what is looked for in data is about one label
      check: manifest.classNames
        ? undefined
        : async (parts: Parts) => (await checkParts(parts, checked)).check,
      model,
      samples: manifest,
      inputs,
      splits,
      testSets: tables.map((table) => ({ name: table.name, samples: table.manifest, inputs: table.inputs })),
      ...mitigated,
      explain: job.explain ? (await import('./explain/explain.ts')).explain : undefined,
    };
    return await use(loaded, mitigation, tables);
  } finally {
    model.dispose();
  }
}

/** A further set to audit, as it was read. */
export type TestTable = CheckedTable & {
  readonly name: string;
  /** Path of the manifest. */
  readonly file: string;
};

/** Every row of these tables is audited, so their columns need no split. */
export async function loadTestTables(
  { source, testManifests = [], signal }: Pick<FileJob, 'source' | 'testManifests' | 'signal'>,
  spec: ModelAndData['spec'],
): Promise<TestTable[]> {
  const tables: TestTable[] = [];
  for (const where of testManifests) {
    const table = await loadCheckedTable(source, where, { spec, signal });
    tables.push({ name: where.name, file: where.manifest, ...table });
  }
  return tables;
}

async function verifyTables(tables: readonly TestTable[], progress: Progress): Promise<void> {
  for (const { manifest, inputs } of tables) {
    progress.start('read images of a test set', manifest.size);
    const rows = Array.from({ length: manifest.size }, (_, row) => row);
    await inputs.verify(rows, { onProgress: () => progress.advance() });
  }
}

/** Controls are chosen as candidates are, and held against them by the groups of one feature. */
function assertControlled({ options, mitigate }: Pick<FileJob, 'options' | 'mitigate'>): void {
  if (options.selection === null) {
    throw new InvalidInputError('controls: expected the preset "robust", received one without a selection');
  }
  const features = mitigate?.sensitiveFeatures?.length ?? 1;
  if (features > 1) {
    throw new InvalidInputError(`controls: expected one feature to mitigate, received ${features}`);
  }
}

function assertImages({ input }: ModelAndData['manifest']): void {
  if (input.kind === 'image') return;
  throw new InvalidInputError('--show-images: expected a model of images, received one of feature values');
}

/** A bad image shows before the work starts, and all bad ones at once. */
async function verifyInputs(
  { inputs, manifest }: ModelAndData,
  splits: MitigationJob['splits'],
  progress: Progress,
) {
  const used = splits === null ? null : new Set([splits.external, ...splits.test]);
  const rows = Array.from({ length: manifest.size }, (_, row) => row).filter(
    (row) => used === null || used.has(manifest.splits![row]!),
  );
  progress.start('read images', rows.length);
  await inputs.verify(rows, { onProgress: () => progress.advance() });
}

/** What is defined for one label, and not for several classes. */
function assertForClasses({ explain, options }: Pick<FileJob, 'explain' | 'options'>): void {
  const problem = explain
    ? 'no explanation of the mask, which is of one label'
    : options.head.solver === 'epochs'
      ? 'the preset "robust", received one whose losses are of one label'
      : options.search?.surrogates.includes('logit')
        ? 'a search on scores alone, {"search": {"surrogates": ["score"]}} in the options'
        : null;
  if (problem === null) return;
  throw new InvalidInputError(`classes: expected ${problem}`, { where: 'classes' });
}
