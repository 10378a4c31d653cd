import type { Scalar, Tensor1D } from '@tensorflow/tfjs-core';
import type { MaskSummary } from '../../core/jobs/run-record.ts';
import type { Classifier } from '../../core/model/classifier.ts';
import { INFERENCE, weightsOf } from '../../core/model/classifier.ts';
import type { Checkpoint } from '../checkpoints.ts';
import type { Random } from '../random.ts';
import { packArrays, unpackArrays } from '../tensor-file.ts';
import type { Batch, TrainingSet } from '../training/batch.ts';
import { batchesBy } from './batches.ts';
import type { Importance, MeasuredImportance } from './importance.ts';
import { importancesOf } from './importance.ts';
import type { Mask, Ratio } from './mask.ts';
import { hardMask, importanceRatio, maskOverlap, softMask, summarizeMask } from './mask.ts';
import type { Objective } from './objective.ts';
import { lossTerms, onSurrogate } from './objective.ts';
import type { MitigationOptions, Surrogate } from './options.ts';

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

export type RatiosBySurrogate = ReadonlyMap<Surrogate, Ratios>;

/** Ratios over all batches, and over the even and the odd ones (null with one batch). */
export interface Ratios {
  readonly all: Ratio;
  readonly halves: readonly [Ratio, Ratio] | null;
}

/** Importances for the task loss and for the disparity loss on each surrogate. */
type Importances = Readonly<Record<'task' | Surrogate, MeasuredImportance>>;

/**
 * Importance for the task loss and for the disparity loss on each surrogate, from one forward pass over the same
 * batches, as the ratios that masks are cut from.
 *
 * @param surrogates  at least one; the objective's own by default
 */
export async function measureRatios(
  input: FindMaskInput,
  surrogates: readonly Surrogate[] = [input.objective.disparity.surrogate],
): Promise<RatiosBySurrogate> {
  const { task, ...disparities } = await measureImportances(input, surrogates);
  return new Map(
    surrogates.map((surrogate) => [
      surrogate,
      ratiosOf({ disparity: disparities[surrogate], task }, input.options),
    ]),
  );
}

/** The importances that `measureRatios` sets against each other. */
export function measureImportances(
  { model, set, objective, options, random, onBatch, signal }: FindMaskInput,
  surrogates: readonly Surrogate[],
): Promise<Importances> {
  return importancesOf({
    set,
    parameters: weightsOf(model),
    batches: batchesBy(options.importanceBatching, set, { options, random })(0),
    lossesOf: (batch) =>
      lossesBySurrogate(model.logits(batch.inputs, INFERENCE), batch, { objective, surrogates }),
    onBatch,
    signal,
  });
}

export function ratiosOf(
  { disparity, task }: Readonly<Record<'disparity' | 'task', MeasuredImportance>>,
  options: MitigationOptions,
): Ratios {
  const ratio = (pick: (of: MeasuredImportance) => Importance) =>
    importanceRatio({ disparity: pick(disparity), task: pick(task) }, options.mask);
  return {
    all: ratio((of) => of.all),
    halves: disparity.halves && ([ratio((of) => of.halves![0]), ratio((of) => of.halves![1])] as const),
  };
}

function lossesBySurrogate(
  logits: Tensor1D,
  batch: Batch,
  { objective, surrogates }: { objective: Objective; surrogates: readonly Surrogate[] },
): Readonly<Record<'task' | Surrogate, Scalar>> {
  const weights = { taskWeight: 1, disparityWeight: 1 };
  const terms = surrogates.map((surrogate) =>
    lossTerms(logits, batch, { objective: onSurrogate(objective, surrogate), weights }),
  );
  const disparities = surrogates.map((surrogate, place) => [surrogate, terms[place]!.disparityLoss]);
  return Object.fromEntries([['task', terms[0]!.taskLoss], ...disparities]);
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

/** Which mask: its percentile (null for a soft mask), from the ratio on a surrogate. */
export interface MaskChoice {
  readonly percentile: number | null;
  readonly surrogate: Surrogate;
}

/** The first of the options' own masks: that of fixed settings. */
export function firstChoice({ mask, disparity }: MitigationOptions): MaskChoice {
  return { percentile: mask.kind === 'soft' ? null : mask.percentiles[0]!, surrogate: disparity.surrogate };
}

/** Any mask of the ratios; those of the options' own kind and surrogate are remembered. */
export function maskChooser(
  ratios: RatiosBySurrogate,
  model: Classifier,
  options: MitigationOptions,
): (choice: MaskChoice) => FoundMask {
  const masks = (surrogate: Surrogate, kind: MitigationOptions['mask']['kind']) =>
    masksOf(ratios.get(surrogate)!, model, { ...options, mask: { ...options.mask, kind } });
  const own = masks(options.disparity.surrogate, options.mask.kind);
  return ({ percentile, surrogate }) => {
    const kind = percentile === null ? 'soft' : 'hard';
    const isOwn = surrogate === options.disparity.surrogate && kind === options.mask.kind;
    return (isOwn ? own : masks(surrogate, kind))(percentile ?? 0);
  };
}

interface RatioFacts {
  readonly surrogates: readonly Surrogate[];
  /** Notes by prefix of the tensors: `score/all/`, `score/even/`, `score/odd/`. */
  readonly notes: Readonly<Record<string, readonly (readonly [string, string])[]>>;
}

/** The ratios as a checkpoint can hold them, bit for bit. */
export function packRatios(ratios: RatiosBySurrogate): Checkpoint<RatioFacts> {
  const named = [...ratios].flatMap(([surrogate, { all, halves }]) => [
    [`${surrogate}/all/`, all] as const,
    ...(halves ?? []).map((half, place) => [`${surrogate}/${place === 0 ? 'even' : 'odd'}/`, half] as const),
  ]);
  const tensors = named.flatMap(([prefix, { values }]) => [...packArrays(values, prefix)]);
  const notes = named.map(([prefix, ratio]) => [prefix, [...ratio.notes]]);
  const facts = { surrogates: [...ratios.keys()], notes: Object.fromEntries(notes) };
  return { facts, tensors: new Map(tensors) };
}

export function unpackRatios({
  facts: { surrogates, notes },
  tensors,
}: Checkpoint<RatioFacts>): RatiosBySurrogate {
  const ratio = (prefix: string): Ratio => ({
    values: unpackArrays<Float64Array>(tensors, prefix),
    notes: new Map(notes[prefix]),
  });
  return new Map(
    surrogates.map((surrogate) => {
      const halves = notes[`${surrogate}/even/`]
        ? ([ratio(`${surrogate}/even/`), ratio(`${surrogate}/odd/`)] as const)
        : null;
      return [surrogate, { all: ratio(`${surrogate}/all/`), halves }];
    }),
  );
}
