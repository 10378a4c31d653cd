import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { DataCheck } from '../core/checks/types.ts';
import type { Manifest } from '../core/data/types.ts';
import { MISSING_GROUP } from '../core/data/types.ts';
import { setFigures } from '../core/fairness/set-figures.ts';
import { LOCAL_IMAGES } from '../core/jobs/keys.ts';
import type { FileRecord, Outcome, RunRecord } from '../core/jobs/run-record.ts';
import type { Classifier } from '../core/model/classifier.ts';
import { countWeights, headParameters, weightsOf } from '../core/model/classifier.ts';
import { PREPROCESS_FILE } from '../core/model/model-file.ts';
import type { AuditedResult } from './audit-sets.ts';
import type { RunningBackend } from './backend.ts';
import type { MitigationOptions } from './bmft/options.ts';
import { makeDecision } from './decision/make-decision.ts';
import { renderImagePage } from './explain/image-page.ts';
import type { ModelAndData } from './load-data.ts';
import { encodeMask } from './mask-file.ts';
import type { TestTable } from './mitigate-files.ts';
import { hashFile, hashFolder, hashTogether, writeFolder } from './run-folder.ts';
import type { MitigationResult } from './run-job.ts';
import { DECISION_FILE, EXPLANATION_FILE, REPORT_FILE, renderRunReport } from './run-report.ts';
import { VERSION } from './version.ts';

export interface SaveRunInput {
  /** Run folder to make. */
  readonly folder: string;
  readonly loaded: ModelAndData;
  readonly options: MitigationOptions;
  readonly preset: string;
  readonly seed: number;
  readonly backend: RunningBackend;
  readonly result: MitigationResult;
  readonly manifest: string;
  /** Further audited sets in files of their own. */
  readonly tables?: readonly TestTable[] | undefined;
  readonly config?: string | undefined;
  /** Writes a page of the images that an explanation points at, for this machine only. */
  readonly showImages?: boolean | undefined;
}

/**
 * Writes the run folder at once, or nothing: model and mask, both audits, the report, and `run.json` last.
 *
 * @returns what `run.json` holds
 */
export async function saveRun(input: SaveRunInput): Promise<RunRecord> {
  const { folder, result } = input;
  const described = await describeRun(input);
  let record: RunRecord = described;
  await writeFolder(folder, async (partial) => {
    const write = (name: string, content: string | Uint8Array) =>
      writeFile(path.join(partial, name), content);
    if (result.outcome.status === 'improved') await saveModel(path.join(partial, 'model'), input);
    if (result.mask) {
      await write(
        'mask.safetensors',
        encodeMask(result.mask.found, result.mask.summary.kind, weightsOf(input.loaded.model)),
      );
    }
    for (const [place, { before, after }] of result.audited.entries()) {
      const files = auditFilesOf(place);
      await write(files.before, toJson(before));
      if (after) await write(files.after, toJson(after));
    }
    if (result.dataCheck) await write('check.json', toJson(result.dataCheck));
    await writeExplanation(partial, input);
    const files = await hashFolder(partial);
    await write(DECISION_FILE, toJson(makeDecision({ run: described, sets: result.audited, files })));
    const outputs = await hashFolder(partial);
    await write(REPORT_FILE, await renderRunReport(partial, { ...described, outputs }));
    record = { ...described, outputs: [...outputs, await hashFile(path.join(partial, REPORT_FILE))] };
    await writeLocalImages(partial, input); // after the hashes: no list of files names it
    await write('run.json', toJson(record));
  });
  return record;
}

/** The first set has the plain names; names of sets are words of the user and stay out of paths. */
function auditFilesOf(place: number): { readonly before: string; readonly after: string } {
  const number = place === 0 ? '' : `-${place + 1}`;
  return { before: `audit-before${number}.json`, after: `audit-after${number}.json` };
}

async function writeExplanation(folder: string, { result: { explained } }: SaveRunInput): Promise<void> {
  if (!explained) return;
  await writeFile(path.join(folder, EXPLANATION_FILE), toJson(explained.explanation));
}

async function writeLocalImages(folder: string, input: SaveRunInput): Promise<void> {
  const { showImages, result, loaded, tables } = input;
  if (!showImages || !result.explained) return;
  const { table, channels } = result.explained.images;
  const manifest = table === null ? loaded.manifest : tables?.find(({ name }) => name === table)?.manifest;
  const content = await renderImagePage(channels, manifest ?? loaded.manifest);
  await writeFile(path.join(folder, LOCAL_IMAGES), content);
}

function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** The preprocess goes with the model, so that the folder can be scored as it is. */
async function saveModel(folder: string, { loaded: { model, preprocess, preprocessFile } }: SaveRunInput) {
  await model.save(folder);
  const content = preprocessFile === null ? toJson(preprocess) : await readFile(preprocessFile);
  await writeFile(path.join(folder, PREPROCESS_FILE), content);
}

async function describeRun(input: SaveRunInput): Promise<RunRecord> {
  const { loaded, options, preset, seed, backend, result } = input;
  const { outcome, data, dataCheck, threshold, curves, candidates, controls } = result;
  return {
    schemaVersion: 1,
    tool: { name: 'counterweight', version: VERSION },
    environment: {
      backend: backend.name,
      backendVersion: backend.version,
      backendDetail: backend.detail,
      node: process.version,
      platform: `${process.platform}-${process.arch}`,
    },
    preset,
    seed,
    options,
    model: describeModel(loaded.model),
    data,
    splits: result.splits,
    audited: result.audited.map((set, place) => describeSet(set, auditFilesOf(place), outcome)),
    ...(dataCheck && { check: summaryOf(dataCheck, outcome.status) }),
    outcome,
    threshold,
    mask: result.mask?.summary ?? null,
    curves,
    candidates,
    ...(controls && { controls }),
    ...(result.search && { search: result.search }),
    inputs: await hashInputs(input),
    outputs: [],
  };
}

function summaryOf(
  { verdict, findings, notChecked }: DataCheck,
  status: Outcome,
): NonNullable<RunRecord['check']> {
  return {
    verdict,
    isOverruled: verdict === 'unfit' && status !== 'rejected',
    findings,
    ...(notChecked && { notChecked }),
  };
}

function describeSet(
  { name, source, support, cells, before, after }: AuditedResult,
  files: ReturnType<typeof auditFilesOf>,
  { sensitiveFeature, metric }: RunRecord['outcome'],
): RunRecord['audited'][number] {
  const target = { sensitiveFeature, metric, missingGroup: MISSING_GROUP };
  return {
    name,
    source,
    support,
    cells,
    before: files.before,
    after: after && files.after,
    figures: { before: setFigures(before, target), after: after && setFigures(after, target) },
  };
}

function describeModel(model: Classifier): RunRecord['model'] {
  return {
    name: nameOf(model),
    format: model.format,
    inputShape: model.inputShape,
    head: model.head.name,
    bodyWeights: countWeights(model.body),
    headWeights: countWeights(headParameters(model)),
    notes: model.notes,
  };
}

/** A model.json is called by its folder. */
function nameOf({ sources }: Classifier): string {
  const file = path.resolve(sources[0]!);
  return path.basename(path.extname(file) === '.json' ? path.dirname(file) : file);
}

/** Every file that a run reads, the images of a table as one. */
export async function hashInputs({
  loaded,
  manifest,
  config,
  tables = [],
}: Pick<SaveRunInput, 'loaded' | 'manifest' | 'config' | 'tables'>): Promise<FileRecord[]> {
  const { model, preprocessFile } = loaded;
  const files = [
    ...model.sources,
    ...[preprocessFile, manifest, config].filter((file) => typeof file === 'string'),
  ];
  const records = await Promise.all(files.map(hashFile));
  const ofTables: FileRecord[] = [];
  for (const table of tables) {
    ofTables.push(await hashFile(table.file), ...(await hashImages(table.manifest)));
  }
  return [...records, ...(await hashImages(loaded.manifest)), ...ofTables];
}

async function hashImages({ input }: Manifest): Promise<FileRecord[]> {
  if (input.kind !== 'image') return [];
  const images = input.paths.map((image) => path.join(input.root, image));
  return [await hashTogether(`${images.length} images`, images)];
}
