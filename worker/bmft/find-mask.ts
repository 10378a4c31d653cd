import type { MaskSummary } from '../../core/jobs/run-record.ts';
import type { Classifier } from '../../core/model/classifier.ts';
import { weightsOf } from '../../core/model/classifier.ts';
import type { Checkpoint } from '../checkpoints.ts';
import type { Random } from '../random.ts';
import { packArrays, unpackArrays } from '../tensor-file.ts';
import type { TrainingSet } from '../training/batch.ts';
import { batchesBy } from './batches.ts';
import type { Importance, MeasuredImportance } from './importance.ts';
import { importancesOf } from './importance.ts';
import type { Mask, Ratio } from './mask.ts';
import { hardMask, importanceRatio, maskOverlap, softMask, summarizeMask } from './mask.ts';
import type { Objective } from './objective.ts';
import { batchLoss } from './objective.ts';
import type { MitigationOptions } from './options.ts';

export interface FoundMask {
  readonly mask: Mask;
  readonly summary: Omit<MaskSummary, 'isApplied'>;
}

export interface FindMaskInput {
  readonly model: Classifier;
  readonly set: TrainingSet;
  readonly objective: Objective;
  readonly options: MitigationOptions;
  readonly random: Random;
  readonly onBatch?: (() => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Ratios over all batches, and over the even and the odd ones (null with one batch). */
export interface Ratios {
  readonly all: Ratio;
  readonly halves: readonly [Ratio, Ratio] | null;
}

/** Importance for both losses over the same batches, as the ratio that masks are cut from. */
export async function measureRatios(input: FindMaskInput): Promise<Ratios> {
  const { model, set, objective, options, random, onBatch, signal } = input;
  const parameters = weightsOf(model);
  const batches = batchesBy(options.importanceBatching, set, { options, random })(0);
  const { disparity, task } = await importancesOf({
    set,
    parameters,
    batches,
    lossesOf: batchLoss(model, { objective, weights: { taskWeight: 1, disparityWeight: 1 } }),
    onBatch,
    signal,
  });
  const ratio = (pick: (of: MeasuredImportance) => Importance) =>
    importanceRatio({ disparity: pick(disparity), task: pick(task) }, options.mask);
  return {
    all: ratio((of) => of.all),
    halves: disparity.halves && ([ratio((of) => of.halves![0]), ratio((of) => of.halves![1])] as const),
  };
}

/**
 * The mask at a percentile of the ratio (ignored by a soft mask), with its stability: the overlap of the masks
 * that the even and the odd batches give alone.
 */
export function masksOf(
  { all, halves }: Ratios,
  model: Classifier,
  options: MitigationOptions,
): (percentile: number) => FoundMask {
  const sizes = new Map(weightsOf(model).map(({ name, variable }) => [name, variable.size]));
  const body = model.body.map(({ name }) => name);
  const { kind } = options.mask;
  const maskOf = (ratio: Ratio, percent: number) =>
    kind === 'soft' ? softMask(ratio, sizes) : hardMask(ratio, { sizes, body, percent });
  const cut = (percentile: number): FoundMask => {
    const mask = maskOf(all, percentile);
    const stability = halves && maskOverlap(maskOf(halves[0], percentile), maskOf(halves[1], percentile));
    const about = { kind, percentile: kind === 'soft' ? null : percentile, stability };
    return { mask, summary: summarizeMask(mask, kind === 'soft' ? [...sizes.keys()] : body, about) };
  };
  // a grid asks for the same few percentiles again and again, and each costs three sorts of all weights
  const known = new Map<number, FoundMask>();
  return (percentile) => {
    const found = known.get(percentile) ?? cut(percentile);
    known.set(percentile, found);
    return found;
  };
}

interface RatioFacts {
  /** Notes by prefix of the tensors: `all/`, `even/`, `odd/`. */
  readonly notes: Readonly<Record<string, readonly (readonly [string, string])[]>>;
}

/** The ratios as a checkpoint can hold them, bit for bit. */
export function packRatios({ all, halves }: Ratios): Checkpoint<RatioFacts> {
  const named = { 'all/': all, ...(halves && { 'even/': halves[0], 'odd/': halves[1] }) };
  const tensors = Object.entries(named).flatMap(([prefix, { values }]) => [...packArrays(values, prefix)]);
  const notes = Object.entries(named).map(([prefix, ratio]) => [prefix, [...ratio.notes]]);
  return { facts: { notes: Object.fromEntries(notes) }, tensors: new Map(tensors) };
}

export function unpackRatios({ facts: { notes }, tensors }: Checkpoint<RatioFacts>): Ratios {
  const ratio = (prefix: string): Ratio => ({
    values: unpackArrays<Float64Array>(tensors, prefix),
    notes: new Map(notes[prefix]),
  });
  return { all: ratio('all/'), halves: notes['even/'] ? [ratio('even/'), ratio('odd/')] : null };
}
