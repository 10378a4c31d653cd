import * as tf from '@tensorflow/tfjs-core';
import type { CandidateRecord, CurvePoint, RunRecord, SearchRecord } from '../core/jobs/run-record.ts';
import type { Classifier } from '../core/model/classifier.ts';
import { batchesBy } from './bmft/batches.ts';
import type { FoundMask, MaskChoice } from './bmft/find-mask.ts';
import { firstChoice } from './bmft/find-mask.ts';
import type { Objective } from './bmft/objective.ts';
import { refitHead } from './bmft/refit-head.ts';
import type { StageInput } from './bmft/tune-body.ts';
import { tuneBody } from './bmft/tune-body.ts';
import { resumable } from './checkpoints.ts';
import type { Parts } from './parts.ts';
import type { Random } from './random.ts';
import type { MitigationJob } from './run-job.ts';
import { logit, sigmoid } from './search/logit.ts';
import type { SearchInput } from './search/search.ts';
import { search, searchShard } from './search/search.ts';
import type { Shard } from './search/share.ts';
import { packSnapshot, restoreSnapshot, takeSnapshot, unpackSnapshot } from './search/snapshot.ts';
import type { EpochLosses } from './training/loop.ts';

export interface TuneInput {
  readonly job: MitigationJob;
  readonly parts: Parts;
  readonly objective: Objective;
  /** Any mask of the search space. */
  readonly maskOf: (choice: MaskChoice) => FoundMask;
  readonly random: Random;
}

export interface Tuned extends Pick<RunRecord, 'threshold' | 'curves'> {
  /** Null or absent where only the preset's grid was tried. */
  readonly search?: SearchRecord | null;
  /** False when no candidate met the guard rails; the model is then as it was. */
  readonly isTuned: boolean;
  readonly found: FoundMask;
  /** Whether the body was tuned by the mask. */
  readonly isApplied: boolean;
  readonly candidates: readonly CandidateRecord[];
}

/** Stage 1 and stage 2, once with fixed settings or over a grid with selection. */
export function tune(input: TuneInput): Promise<Tuned> {
  return input.job.options.selection === null ? tuneOnce(input) : tuneBySearch(input);
}

async function tuneOnce({ job, parts, objective, maskOf, random }: TuneInput): Promise<Tuned> {
  const { model, options, progress, signal } = job;
  const { body, head } = options;
  if (head.solver !== 'epochs')
    throw new TypeError('the options schema pairs fixed settings with head epochs');
  const found = maskOf(firstChoice(options));
  const stage = (name: string, curve: CurvePoint[]): Omit<StageInput, 'batchesOf'> => ({
    model,
    set: parts.tune,
    mask: found.mask,
    objective,
    random: random.fork(name),
    onEpoch: (epoch: number, losses: EpochLosses) => {
      curve.push({ step: epoch + 1, ...losses });
      progress.advance();
    },
    signal,
  });
  const batchesOf = (batching: typeof body.batching, purpose: string) =>
    batchesBy(batching, parts.tune, { options, random: random.fork(purpose) });
  progress.start('stage 1: body', body.epochs);
  const tunedBody = await resumable(job.checkpoints, 'stage-1', async () => {
    const curve: CurvePoint[] = [];
    await tuneBody({
      ...stage('body', curve),
      options: body,
      settings: { learningRate: body.learningRates[0]!, disparityWeight: body.disparityWeights[0]! },
      batchesOf: batchesOf(body.batching, 'body batches'),
    });
    return { facts: curve, tensors: packSnapshot(takeSnapshot(model)) };
  });
  restoreSnapshot(model, unpackSnapshot(tunedBody.tensors));
  progress.start('stage 2: head', head.epochs);
  const headCurve: CurvePoint[] = [];
  await refitHead({
    ...stage('head', headCurve),
    options: head,
    batchesOf: batchesOf('balanced', 'head batches'),
  });
  return {
    isTuned: true,
    found,
    isApplied: true,
    threshold: { value: job.threshold, biasShift: 0 },
    curves: { body: tunedBody.facts, head: headCurve },
    candidates: [],
  };
}

async function tuneBySearch(input: TuneInput): Promise<Tuned> {
  const { model, options, threshold } = input.job;
  const { candidates, chosen, search: searched } = await search(searchInput(input));
  const maskChoice = chosen?.maskChoice;
  return {
    search: searched,
    isTuned: chosen !== null,
    found: input.maskOf(maskChoice ?? firstChoice(options)),
    isApplied: maskChoice !== undefined,
    threshold:
      chosen === null ? { value: threshold, biasShift: 0 } : keepThreshold(model, threshold, chosen.cut),
    curves: chosen?.curves ?? { body: [], head: [] },
    candidates,
  };
}

/** The candidates of one shard into the checkpoints; presets without a search have nothing to spread. */
export async function tuneShard(input: TuneInput, shard: Shard): Promise<void> {
  if (input.job.options.selection !== null) await searchShard(searchInput(input), shard);
}

function searchInput({ job, parts, objective, maskOf, random }: TuneInput): SearchInput {
  const { model, options, progress, threshold, checkpoints, signal } = job;
  const { head, selection } = options;
  if (head.solver !== 'converged' || selection === null || parts.select === null) {
    throw new TypeError('the options schema pairs a selection with a converged head');
  }
  return {
    model,
    tune: parts.tune,
    select: parts.select,
    maskOf,
    objective,
    options,
    selection,
    head,
    threshold,
    checkpoints,
    random: random.fork('search'),
    progress,
    shards: job.shards ?? 1,
    now: () => performance.now(),
    signal,
  };
}

/**
 * Moves the head's bias so that the cut found on the select part lies at the threshold that the user already
 * has in place. Without a bias the threshold itself has to move.
 */
export function keepThreshold({ head }: Classifier, threshold: number, cut: number): RunRecord['threshold'] {
  const { bias } = head;
  if (bias === null) return { value: sigmoid(cut), biasShift: 0 };
  const biasShift = logit(threshold) - cut;
  tf.tidy(() => bias.variable.assign(tf.add(bias.variable, biasShift)));
  return { value: threshold, biasShift };
}
