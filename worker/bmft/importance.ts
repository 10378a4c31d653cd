import { InterruptedError } from '../../core/errors.ts';
import type { Parameter } from '../../core/model/classifier.ts';
import type { Batch, TrainingSet } from '../training/batch.ts';
import { loadBatch } from '../training/batch.ts';
import type { LossTerms } from '../training/loop.ts';
import { gradientsOf } from '../training/loop.ts';

/** Importance of each weight by parameter name, every entry >= 0. */
export type Importance = ReadonlyMap<string, Float64Array>;

export interface ImportanceOptions {
  readonly set: TrainingSet;
  readonly parameters: readonly Parameter[];
  readonly batches: readonly (readonly number[])[];
  /** Scalar of a batch, with the model in inference mode. */
  readonly lossOf: (batch: Batch) => LossTerms;
  readonly onBatch?: (() => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Importance of each weight for one scalar loss: mean squared gradient of the batch mean.
 *
 *   I = (1/K) Σ_k (∂L_k/∂θ)²        one L_k per batch, not per sample
 *
 * @returns the importance over all batches, and over the even and the odd ones (null with one batch), whose
 *   masks tell how stable the selection is
 * @throws NonFiniteError when a gradient is NaN or infinite
 * @see docs/method.md#importance
 */
export async function importanceOf(options: ImportanceOptions): Promise<{
  readonly all: Importance;
  readonly halves: readonly [Importance, Importance] | null;
}> {
  const sums = [zeros(options.parameters), zeros(options.parameters)] as const;
  for (const [place, rows] of options.batches.entries()) {
    if (options.signal?.aborted) throw new InterruptedError('importance was stopped');
    const batch = await loadBatch(options.set, rows);
    try {
      addSquares(sums[place % 2 === 0 ? 0 : 1], options, batch);
    } finally {
      batch.inputs.dispose();
    }
    options.onBatch?.();
  }
  const count = options.batches.length;
  const [even, odd] = sums;
  const total = new Map(
    [...even].map(([name, values]) => [name, values.map((v, i) => v + odd.get(name)![i]!)]),
  );
  return {
    all: scaled(total, 1 / count),
    halves:
      count < 2 ? null : [scaled(even, 1 / Math.ceil(count / 2)), scaled(odd, 1 / Math.floor(count / 2))],
  };
}

function addSquares(
  sums: Map<string, Float64Array>,
  { parameters, lossOf }: ImportanceOptions,
  batch: Batch,
): void {
  const { gradients } = gradientsOf(parameters, () => lossOf(batch));
  for (const [name, gradient] of Object.entries(gradients)) {
    const sum = sums.get(name)!;
    const values = gradient.dataSync();
    gradient.dispose();
    values.forEach((value, place) => {
      sum[place]! += value * value;
    });
  }
}

function zeros(parameters: readonly Parameter[]): Map<string, Float64Array> {
  return new Map(parameters.map(({ name, variable }) => [name, new Float64Array(variable.size)]));
}

function scaled(importance: Importance, factor: number): Importance {
  return new Map([...importance].map(([name, values]) => [name, values.map((value) => value * factor)]));
}
