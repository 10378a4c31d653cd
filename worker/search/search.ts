import type { Tensor2D } from '@tensorflow/tfjs-core';
import { audit } from '../../core/fairness/audit.ts';
import type { CandidateRecord, CurvePoint, SelectFigures } from '../../core/jobs/run-record.ts';
import type { Classifier } from '../../core/model/classifier.ts';
import { extractFeatures } from '../../core/model/predict.ts';
import { batchesBy } from '../bmft/batches.ts';
import type { FoundMask } from '../bmft/find-mask.ts';
import type { Objective } from '../bmft/objective.ts';
import type { ConvergedHeadOptions, MitigationOptions, SelectionOptions } from '../bmft/options.ts';
import { solveHead } from '../bmft/solve-head.ts';
import { tuneBody } from '../bmft/tune-body.ts';
import type { BlobStore, Checkpoint } from '../checkpoints.ts';
import { resumable } from '../checkpoints.ts';
import type { Random } from '../random.ts';
import type { BatchTruth, TrainingSet } from '../training/batch.ts';
import { truthOf } from '../training/batch.ts';
import { operatingPoint } from './operating-point.ts';
import type { Judged } from './selection.ts';
import { chooseCandidate, selectFigures, standardErrorOf, violationsOf } from './selection.ts';
import type { Snapshot } from './snapshot.ts';
import { packSnapshot, restoreSnapshot, takeSnapshot, unpackSnapshot, withHeadOf } from './snapshot.ts';

export interface SearchInput {
  readonly model: Classifier;
  readonly tune: TrainingSet;
  readonly select: TrainingSet;
  readonly maskAt: (percentile: number) => FoundMask;
  readonly objective: Objective;
  readonly options: MitigationOptions;
  readonly selection: SelectionOptions;
  readonly head: ConvergedHeadOptions;
  /** Decision threshold of the model as it is, on the score. */
  readonly threshold: number;
  readonly random: Random;
  readonly checkpoints: BlobStore;
  readonly onBatch?: (() => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface SearchResult {
  readonly candidates: readonly CandidateRecord[];
  /** Null when no candidate met the guard rails; the model is then as it was. */
  readonly chosen: {
    /** Percentile of its mask; null when only the head was refitted. */
    readonly percentile: number | null;
    /** Cut on the logit found on the select part. */
    readonly cut: number;
    readonly curves: { readonly body: readonly CurvePoint[]; readonly head: readonly CurvePoint[] };
  } | null;
}

interface BodySettings {
  readonly percentile: number;
  readonly learningRate: number;
  readonly disparityWeight: number;
}

interface Candidate extends Judged {
  readonly snapshot: Snapshot;
  readonly percentile: number | null;
  readonly cut: number;
  readonly curves: { readonly body: readonly CurvePoint[]; readonly head: readonly CurvePoint[] };
}

/** One of the processes that a search is spread over. */
export interface Shard {
  /** 0 … count - 1 */
  readonly index: number;
  readonly count: number;
}

/**
 * Trains every setting of the grid on the tune part, judges each checkpoint with each head on the select part
 * and leaves the model at the choice. Settings that an earlier attempt or another process has judged are not
 * judged again.
 *
 * @see docs/method.md#selection
 */
export async function search(input: SearchInput): Promise<SearchResult> {
  const { model } = input;
  const start = takeSnapshot(model);
  const original = await judgeOriginal(input);
  const candidates: Candidate[] = [];
  for (const settings of allSettings(input.options)) {
    candidates.push(...(await judgeSettings(input, settings, { start, original })));
  }
  const chosen = chooseCandidate(candidates, original);
  restoreSnapshot(model, chosen?.snapshot ?? start);
  const unchanged = {
    id: 'original',
    kind: 'original',
    settings: {},
    select: original,
    violations: [],
  } as const;
  return {
    candidates: [
      { ...unchanged, isChosen: chosen === null },
      ...candidates.map((candidate) => recordOf(candidate, candidate === chosen)),
    ],
    chosen,
  };
}

/** Judges the settings of one shard, whose results the search then finds; the model ends as it began. */
export async function searchShard(input: SearchInput, { index, count }: Shard): Promise<void> {
  const start = takeSnapshot(input.model);
  const original = await judgeOriginal(input);
  const own = allSettings(input.options).filter((_, place) => place % count === index);
  for (const settings of own) await judgeSettings(input, settings, { start, original });
  restoreSnapshot(input.model, start);
}

/** The control, which leaves the body alone, then the grid. */
function allSettings(options: MitigationOptions): (BodySettings | null)[] {
  return [null, ...bodyGrid(options)];
}

async function judgeSettings(
  input: SearchInput,
  settings: BodySettings | null,
  { start, original }: { start: Snapshot; original: SelectFigures },
): Promise<Candidate[]> {
  const judge = makeJudge(input, original);
  const judged = await resumable(
    input.checkpoints,
    `candidates-${settings ? nameOf(settings) : 'head-only'}`,
    async () => {
      restoreSnapshot(input.model, start);
      const candidates = settings
        ? await tuneAndJudge(input, settings, judge)
        : await judge({ kind: 'control', id: 'head-only', body: null, curve: [] });
      return packCandidates(candidates);
    },
  );
  return unpackCandidates(judged);
}

function packCandidates(candidates: readonly Candidate[]): Checkpoint<Omit<Candidate, 'snapshot'>[]> {
  const tensors = candidates.flatMap(({ snapshot }, place) => [...packSnapshot(snapshot, `${place}/`)]);
  return { facts: candidates.map(({ snapshot: _, ...facts }) => facts), tensors: new Map(tensors) };
}

function unpackCandidates({ facts, tensors }: Checkpoint<Omit<Candidate, 'snapshot'>[]>): Candidate[] {
  return facts.map((fact, place) => ({ ...fact, snapshot: unpackSnapshot(tensors, `${place}/`) }));
}

function nameOf({ percentile, learningRate, disparityWeight }: BodySettings): string {
  return `p${percentile}-lr${learningRate}-d${disparityWeight}`;
}

function bodyGrid({ mask, body }: MitigationOptions): BodySettings[] {
  return mask.percentiles.flatMap((percentile) =>
    body.learningRates.flatMap((learningRate) =>
      body.disparityWeights.map((disparityWeight) => ({ percentile, learningRate, disparityWeight })),
    ),
  );
}

/** Batches of training that a search takes, for a progress bar. */
export function searchBatches(options: MitigationOptions, tune: TrainingSet): number {
  return bodyGrid(options).length * options.body.epochs * Math.ceil(tune.rows.length / options.batchSize);
}

async function tuneAndJudge(input: SearchInput, settings: BodySettings, judge: Judge): Promise<Candidate[]> {
  const { model, tune, options, objective, selection } = input;
  const { percentile, learningRate, disparityWeight } = settings;
  const random = input.random.fork(`body/${percentile}/${learningRate}/${disparityWeight}`);
  const judged: Candidate[] = [];
  const curve: CurvePoint[] = [];
  await tuneBody({
    model,
    set: tune,
    mask: input.maskAt(percentile).mask,
    objective,
    options: options.body,
    settings,
    batchesOf: batchesBy(options.body.batching, tune, { options, random }),
    random,
    onEpoch: async (epoch, losses) => {
      curve.push({ step: epoch + 1, ...losses });
      if (!selection.checkpoints.includes(epoch + 1)) return;
      const id = `${nameOf(settings)}-e${epoch + 1}`;
      judged.push(
        ...(await judge({ kind: 'bmft', id, body: { ...settings, epochs: epoch + 1 }, curve: [...curve] })),
      );
    },
    onBatch: input.onBatch,
    signal: input.signal,
  });
  return judged;
}

interface ToJudge {
  readonly kind: 'bmft' | 'control';
  readonly id: string;
  readonly body: (BodySettings & { readonly epochs: number }) | null;
  readonly curve: readonly CurvePoint[];
}

type Judge = (about: ToJudge) => Promise<Candidate[]>;

/** Refits the head of the model as it stands, once per head setting, and measures each on the select part. */
function makeJudge(input: SearchInput, original: SelectFigures): Judge {
  const { model, tune, select, objective, head, selection, signal } = input;
  const tuneTruth = truthOf(tune, tune.rows);
  return async ({ kind, id, body, curve }) => {
    const before = takeSnapshot(model);
    const features = await extractFeatures({ model, inputs: tune.inputs, rows: tune.rows }, { signal });
    const selectFeatures = await extractFeatures(
      { model, inputs: select.inputs, rows: select.rows },
      { signal },
    );
    const candidates = head.disparityWeights.map((disparityWeight): Candidate => {
      const headCurve = solveHead({
        model,
        features,
        truth: tuneTruth,
        objective,
        options: head,
        disparityWeight,
      });
      const measured = measure(input, selectFeatures, original);
      return {
        id: `${id}-h${disparityWeight}`,
        kind,
        settings: { ...body, headDisparityWeight: disparityWeight },
        ...measured,
        violations: Object.values(violationsOf(measured.select, original, selection)).flat(),
        snapshot: withHeadOf(model, before),
        percentile: body?.percentile ?? null,
        curves: { body: curve, head: headCurve },
      };
    });
    features.dispose();
    selectFeatures.dispose();
    restoreSnapshot(model, before); // training goes on with the head it had
    return candidates;
  };
}

/** Figures on the select part at the operating point that keeps each group's TPR within its rail. */
function measure(
  { model, select, options, selection }: SearchInput,
  features: Tensor2D,
  original: SelectFigures,
) {
  const logits = logitsOf(model, features);
  const truth = truthOf(select, select.rows);
  const cut = operatingPoint({
    logits,
    ...truth,
    leastTruePositiveRates: original.groups.map((group) =>
      Math.max(0, (group.truePositiveRate ?? 0) - selection.maxGroupTprDrop),
    ),
  });
  const report = auditSelect(select, truth, { scores: logits, threshold: cut });
  const { groups } = report.features[0]!;
  return {
    cut,
    select: { ...selectFigures(report, groups, options.metric), threshold: sigmoid(cut) },
    standardError: standardErrorOf(groups, options.metric),
  };
}

async function judgeOriginal({
  model,
  select,
  options,
  threshold,
  signal,
}: SearchInput): Promise<SelectFigures> {
  const features = await extractFeatures({ model, inputs: select.inputs, rows: select.rows }, { signal });
  const logits = logitsOf(model, features);
  features.dispose();
  const report = auditSelect(select, truthOf(select, select.rows), {
    scores: logits,
    threshold: logit(threshold),
  });
  return { ...selectFigures(report, report.features[0]!.groups, options.metric), threshold };
}

function auditSelect(
  { groupNames }: TrainingSet,
  { labels, groups }: BatchTruth,
  decisions: { scores: Float32Array; threshold: number },
) {
  return audit({
    labels,
    decisions,
    sensitiveFeatures: [{ name: 'select', groupNames, groups }],
    replicates: 0,
  });
}

function logitsOf(model: Classifier, features: Tensor2D): Float32Array {
  const logits = model.headLogits(features);
  const values = logits.dataSync() as Float32Array;
  logits.dispose();
  return values;
}

function recordOf({ id, kind, settings, select, violations }: Candidate, isChosen: boolean): CandidateRecord {
  return { id, kind, settings, select, violations, isChosen };
}

export function logit(score: number): number {
  return Math.log(score / (1 - score));
}

export function sigmoid(value: number): number {
  return 1 / (1 + Math.exp(-value));
}
