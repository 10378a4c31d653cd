import type { MaskSummary } from '../../core/jobs/run-record.ts';
import type { Classifier, Parameter } from '../../core/model/classifier.ts';
import type { Random } from '../random.ts';
import type { TrainingSet } from '../training/batch.ts';
import { batchesBy } from './batches.ts';
import { importanceOf } from './importance.ts';
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
}

/**
 * Importance for both losses over one pass of batches, then the masks that it gives.
 *
 * @returns the mask at a percentile of the ratio (ignored by a soft mask), with its stability: the overlap of
 *   the masks that the even and the odd batches give alone
 */
export async function findMask(input: FindMaskInput): Promise<(percentile: number) => FoundMask> {
  const { model, options } = input;
  const parameters = [...model.body, model.head.kernel, ...(model.head.bias ? [model.head.bias] : [])];
  const { all, halves } = await ratios(input, parameters);
  const sizes = new Map(parameters.map(({ name, variable }) => [name, variable.size]));
  const body = model.body.map(({ name }) => name);
  const maskOf = (ratio: Ratio, percent: number) =>
    options.mask.kind === 'soft' ? softMask(ratio, sizes) : hardMask(ratio, { sizes, body, percent });
  return (percentile) => {
    const mask = maskOf(all, percentile);
    const stability = halves && maskOverlap(maskOf(halves[0], percentile), maskOf(halves[1], percentile));
    const { kind } = options.mask;
    const about = { kind, percentile: kind === 'soft' ? null : percentile, stability };
    const names = kind === 'soft' ? [...sizes.keys()] : body;
    return { mask, summary: summarizeMask(mask, names, about) };
  };
}

async function ratios(
  { model, set, objective, options, random, onBatch }: FindMaskInput,
  parameters: Parameter[],
) {
  const batches = batchesBy(options.importanceBatching, set, { options, random })(0);
  const measure = (weights: { taskWeight: number; disparityWeight: number }) =>
    importanceOf({ set, parameters, batches, lossOf: batchLoss(model, { objective, weights }), onBatch });
  const disparity = await measure({ taskWeight: 0, disparityWeight: 1 });
  const task = await measure({ taskWeight: 1, disparityWeight: 0 });
  const ratio = (pick: (of: typeof task) => typeof task.all) =>
    importanceRatio({ disparity: pick(disparity), task: pick(task) }, options.mask);
  return {
    all: ratio((of) => of.all),
    halves: disparity.halves && ([ratio((of) => of.halves![0]), ratio((of) => of.halves![1])] as const),
  };
}
