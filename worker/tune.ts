import * as tf from '@tensorflow/tfjs-core';
import type { CandidateRecord, CurvePoint, RunRecord } from '../core/jobs/run-record.ts';
import type { Classifier } from '../core/model/classifier.ts';
import { batchesBy } from './bmft/batches.ts';
import type { FoundMask } from './bmft/find-mask.ts';
import type { Objective } from './bmft/objective.ts';
import { refitHead } from './bmft/refit-head.ts';
import type { StageInput } from './bmft/tune-body.ts';
import { tuneBody } from './bmft/tune-body.ts';
import type { Parts } from './parts.ts';
import type { Random } from './random.ts';
import type { MitigationJob } from './run-job.ts';
import { logit, search, searchBatches, sigmoid } from './search/search.ts';
import type { EpochLosses } from './training/loop.ts';

export interface TuneInput {
  readonly job: MitigationJob;
  readonly parts: Parts;
  readonly objective: Objective;
  readonly maskAt: (percentile: number) => FoundMask;
  readonly random: Random;
}

export interface Tuned extends Pick<RunRecord, 'threshold' | 'curves'> {
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

async function tuneOnce({ job, parts, objective, maskAt, random }: TuneInput): Promise<Tuned> {
  const { model, options, progress, signal } = job;
  const { body, head, mask } = options;
  if (head.solver !== 'epochs')
    throw new TypeError('the options schema pairs fixed settings with head epochs');
  const found = maskAt(mask.percentiles[0]!);
  const curves = { body: [] as CurvePoint[], head: [] as CurvePoint[] };
  const stage = (name: keyof typeof curves): Omit<StageInput, 'batchesOf'> => ({
    model,
    set: parts.tune,
    mask: found.mask,
    objective,
    random: random.fork(name),
    onEpoch: (epoch: number, losses: EpochLosses) => {
      curves[name].push({ step: epoch + 1, ...losses });
      progress.advance();
    },
    signal,
  });
  const batchesOf = (batching: typeof body.batching, purpose: string) =>
    batchesBy(batching, parts.tune, { options, random: random.fork(purpose) });
  progress.start('stage 1: body', body.epochs);
  await tuneBody({
    ...stage('body'),
    options: body,
    settings: { learningRate: body.learningRates[0]!, disparityWeight: body.disparityWeights[0]! },
    batchesOf: batchesOf(body.batching, 'body batches'),
  });
  progress.start('stage 2: head', head.epochs);
  await refitHead({ ...stage('head'), options: head, batchesOf: batchesOf('balanced', 'head batches') });
  return {
    isTuned: true,
    found,
    isApplied: true,
    threshold: { value: job.threshold, biasShift: 0 },
    curves,
    candidates: [],
  };
}

async function tuneBySearch({ job, parts, objective, maskAt, random }: TuneInput): Promise<Tuned> {
  const { model, options, progress, threshold, signal } = job;
  const { head, mask, selection } = options;
  if (head.solver !== 'converged' || selection === null || parts.select === null) {
    throw new TypeError('the options schema pairs a selection with a converged head');
  }
  progress.start('search', searchBatches(options, parts.tune));
  const { candidates, chosen } = await search({
    model,
    tune: parts.tune,
    select: parts.select,
    maskAt,
    objective,
    options,
    selection,
    head,
    threshold,
    random: random.fork('search'),
    onBatch: progress.advance,
    signal,
  });
  return {
    isTuned: chosen !== null,
    found: maskAt(chosen?.percentile ?? mask.percentiles[0]!),
    isApplied: chosen !== null && chosen.percentile !== null,
    threshold:
      chosen === null ? { value: threshold, biasShift: 0 } : keepThreshold(model, threshold, chosen.cut),
    curves: chosen?.curves ?? { body: [], head: [] },
    candidates,
  };
}

/**
 * Moves the head's bias so that the cut found on the select part lies at the threshold that the user already
 * has in place. Without a bias the threshold itself has to move.
 */
function keepThreshold({ head }: Classifier, threshold: number, cut: number): RunRecord['threshold'] {
  const { bias } = head;
  if (bias === null) return { value: sigmoid(cut), biasShift: 0 };
  const biasShift = logit(threshold) - cut;
  tf.tidy(() => bias.variable.assign(tf.add(bias.variable, biasShift)));
  return { value: threshold, biasShift };
}
