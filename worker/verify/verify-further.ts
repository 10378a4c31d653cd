import path from 'node:path';
import type { Classifier, LoadOptions } from '../../core/model/classifier.ts';
import { loadClassifier } from '../../core/model/load-classifier.ts';
import type { FileJob } from '../mitigate-files.ts';
import { withData } from '../mitigate-files.ts';
import { frozenFindings, sourceProblems } from './check-model.ts';
import { inputProblems, scoreProblems } from './check-scores.ts';
import { readAudits } from './read-run.ts';
import type { Finding, RunFolder } from './types.ts';
import { check, skipped } from './verify-run.ts';

/** What there is beside the run folder. */
export interface Originals extends LoadOptions {
  /** The model that the run was given. */
  readonly model: string;
  /** The data as well, to score both models again; what the run itself says is filled in. */
  readonly data: Omit<FileJob, 'splits' | 'preset' | 'options' | 'seed' | 'threshold' | 'folder'> | null;
}

export const NO_MODEL =
  'the original model was not given (--model): weights outside of the mask were not compared';
export const NO_DATA =
  'the data were not given (--model with --manifest and columns): scores were not recomputed, so AUC, calibration and flips rest on the files alone';

/** Checks that need the original model: its hashes, frozen weights, and with the data both audits. */
export async function verifyWithOriginals(own: RunFolder, originals: Originals): Promise<Finding[]> {
  const options = { ...originals, classes: classesOf(own) };
  const original = await loadClassifier(originals.model, options);
  const { tuned, problems } = await loadTuned(own, options);
  try {
    if (problems.length > 0) return [...problems];
    const findings = [
      ...(await check(
        'model',
        () => sourceProblems(own.run, original),
        'the original is the one that the run read',
      )),
      ...(await (tuned === null
        ? skipped('model', 'the run kept the original, so there is no tuned model')
        : frozenFindings(own, { original, tuned }))),
    ];
    if (originals.data === null) return [...findings, ...(await skipped('scores', NO_DATA))];
    return [...findings, ...(await dataFindings(own, tuned, originals.data))];
  } finally {
    original.dispose();
    tuned?.dispose();
  }
}

interface Tuned {
  /** Null where the run kept the original. */
  readonly tuned: Classifier | null;
  /** Why the saved model cannot be read. */
  readonly problems: readonly Finding[];
}

async function loadTuned({ folder, run }: RunFolder, options: LoadOptions): Promise<Tuned> {
  if (run.outcome.status !== 'improved') return { tuned: null, problems: [] };
  try {
    return { tuned: await loadClassifier(path.join(folder, 'model'), options), problems: [] };
  } catch (error) {
    const problems = await check('model', () => Promise.reject(error), 'the saved model can be read');
    return { tuned: null, problems };
  }
}

async function dataFindings(
  own: RunFolder,
  tuned: Classifier | null,
  data: NonNullable<Originals['data']>,
): Promise<Finding[]> {
  const { run, folder } = own;
  const columns = { ...data.source.columns, classes: classesOf(own) };
  const job = {
    ...data,
    source: { ...data.source, columns },
    splits: run.splits ?? { external: '', test: [] },
    preset: run.preset,
    options: run.options,
    seed: run.seed,
    threshold: 0.5,
    mitigate: await mitigatedBy(own),
    folder,
  } as unknown as FileJob;
  return withData(job, async (loaded, mitigation, tables) => [
    ...(await check(
      'inputs',
      () => inputProblems(run, { loaded, tables, job }),
      'the inputs are those that the run read',
    )),
    ...(await check(
      'scores',
      () => scoreProblems(own, { mitigation, tuned }),
      `${scored(own)} again on this data`,
    )),
  ]);
}

/** Names of the classes in their order, where the run has several. */
function classesOf({ run }: RunFolder): string[] | undefined {
  const names: string[] = [];
  for (const { label, className } of run.data.parts.flatMap(({ cells }) => cells)) {
    if (className !== undefined) names[label] = className;
  }
  return names.length > 0 ? names : undefined;
}

/** The features that the run was told to mitigate, from what it says of them and how it audited them. */
async function mitigatedBy({ folder, run }: RunFolder): Promise<FileJob['mitigate']> {
  const { features } = run.outcome;
  if (features === undefined) return undefined;
  const { before } = await readAudits(folder, run.audited[0]!);
  const attributes = features.map(
    ({ sensitiveFeature }) =>
      before.features.find((each) => each.sensitiveFeature === sensitiveFeature)?.attributes ?? [],
  );
  return {
    sensitiveFeatures: attributes.filter(({ length }) => length === 1).flat(),
    intersections: Math.max(...attributes.map(({ length }) => length)),
  };
}

function scored({ run }: RunFolder): string {
  return run.outcome.status === 'improved'
    ? 'both models give the audits and the flips'
    : 'the original gives the audits before (no tuned model was kept to audit)';
}
