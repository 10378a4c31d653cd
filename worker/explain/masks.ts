import type { MaskComparison } from '../../core/jobs/explanation.ts';
import { masksOf, measureImportances, ratiosOf } from '../bmft/find-mask.ts';
import type { Importance, MeasuredImportance } from '../bmft/importance.ts';
import type { Mask } from '../bmft/mask.ts';
import type { MitigationOptions } from '../bmft/options.ts';
import type { TuneInput } from '../tune.ts';
import { compareMasks } from './overlap.ts';

export interface MasksInput {
  readonly prepared: TuneInput;
  readonly mask: Mask;
  /** Null for a soft mask. */
  readonly percentile: number | null;
  /** Tensors that the mask is about. */
  readonly names: readonly string[];
}

/** Another way to measure the importance that the mask comes from. */
interface Variant {
  readonly kind: MaskComparison['kind'];
  readonly differs: string;
  /** Purpose of the random draws; the run's own is `importance`. */
  readonly purpose: string;
  readonly options: MitigationOptions;
}

/** Passes of the importance that an explanation makes; the model must be as it was before it was tuned. */
export function passesOf({ options }: Pick<TuneInput['job'], 'options'>): number {
  return 1 + variantsOf(options).length;
}

function variantsOf(options: MitigationOptions): Variant[] {
  const { draws, batchSizeFactors } = options.explain;
  const sizes = batchSizeFactors.map((factor) => Math.max(2, Math.round(options.batchSize * factor)));
  const others = [...new Set(sizes)].filter((size) => size !== options.batchSize);
  return [
    ...Array.from({ length: draws }, (_, draw) => ({
      kind: 'seed' as const,
      differs: `draw ${draw + 1}`,
      purpose: `explain draw ${draw + 1}`,
      options,
    })),
    ...others.map((batchSize) => ({
      kind: 'batch size' as const,
      differs: `${batchSize} samples a batch`,
      purpose: 'importance',
      options: { ...options, batchSize },
    })),
  ];
}

/** What the run's own pass says: its importances over all batches, and the masks of its halves. */
export async function measureOwn(input: MasksInput): Promise<{
  readonly disparity: Importance;
  readonly task: Importance;
  readonly halves: readonly MaskComparison[];
}> {
  const { job } = input.prepared;
  const importances = await measure(input.prepared, { purpose: 'importance', options: job.options });
  const { halves } = ratiosOf(importances, job.options);
  const masks = halves?.map((all) => masksOf({ all, halves: null }, job.model, job.options));
  const compare = comparer(input);
  return {
    disparity: importances.disparity.all,
    task: importances.task.all,
    halves:
      masks === undefined
        ? []
        : [
            compare(masks.map((maskAt) => maskAt(cutOf(input)).mask) as [Mask, Mask], {
              kind: 'halves',
              differs: 'even batches against odd ones',
            }),
          ],
  };
}

/** The mask against those that other draws of the batches and other batch sizes give, a pass each. */
export async function compareVariants(input: MasksInput): Promise<MaskComparison[]> {
  const { prepared, mask } = input;
  const { model, options } = prepared.job;
  const compare = comparer(input);
  const comparisons: MaskComparison[] = [];
  for (const variant of variantsOf(options)) {
    const ratios = ratiosOf(await measure(prepared, variant), options);
    comparisons.push(compare([mask, masksOf(ratios, model, options)(cutOf(input)).mask], variant));
  }
  return comparisons;
}

function cutOf({ percentile, prepared }: MasksInput): number {
  return percentile ?? prepared.job.options.mask.percentiles[0]!;
}

function comparer({ prepared, names }: MasksInput) {
  const isSoft = prepared.job.options.mask.kind === 'soft';
  return (pair: readonly [Mask, Mask], { kind, differs }: Pick<Variant, 'kind' | 'differs'>) =>
    compareMasks(pair, { kind, differs, names, isSoft });
}

/** Importances for the disparity loss, on the surrogate of the run, and for the task loss. */
interface Importances {
  readonly disparity: MeasuredImportance;
  readonly task: MeasuredImportance;
}

async function measure(
  { job, parts, objective, random }: TuneInput,
  { purpose, options }: Pick<Variant, 'purpose' | 'options'>,
): Promise<Importances> {
  const { surrogate } = options.disparity;
  const importances = await measureImportances(
    {
      model: job.model,
      set: parts.tune,
      objective,
      options,
      random: random.fork(purpose),
      onBatch: () => job.progress.advance(options.batchSize),
      signal: job.signal,
    },
    [surrogate],
  );
  return { disparity: importances[surrogate], task: importances.task };
}
