import type * as tf from '@tensorflow/tfjs-core';
import { InterruptedError } from '../../core/errors.ts';
import type { Parameter } from '../../core/model/classifier.ts';
import type { Batch, TrainingSet } from '../training/batch.ts';
import { loadBatch } from '../training/batch.ts';
import type { Tensors } from '../training/gradients.ts';
import { gradientsOfEach } from '../training/gradients.ts';

/** Importance of each weight by parameter name, every entry >= 0. */
export type Importance = ReadonlyMap<string, Float64Array>;

/** Over all batches, and over the even and the odd ones (null with one batch), which tell how stable a mask is. */
export interface MeasuredImportance {
  readonly all: Importance;
  readonly halves: readonly [Importance, Importance] | null;
}

export interface ImportanceOptions<Loss extends string> {
  readonly set: TrainingSet;
  readonly parameters: readonly Parameter[];
  readonly batches: readonly (readonly number[])[];
  /** Scalars of a batch by name, with the model in inference mode. */
  readonly lossesOf: (batch: Batch) => Readonly<Record<Loss, tf.Scalar>>;
  readonly onBatch?: (() => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Importance of each weight for each of several losses: mean squared gradient of the batch mean.
 *
 *   I = (1/K) Σ_k (∂L_k/∂θ)²        one L_k per batch, not per sample
 *
 * @throws NonFiniteError when a loss or a gradient is NaN or infinite
 * @see docs/method.md#importance
 */
export async function importancesOf<Loss extends string>(
  options: ImportanceOptions<Loss>,
): Promise<Readonly<Record<Loss, MeasuredImportance>>> {
  const { parameters, lossesOf } = options;
  const sums = new Map<string, Sums>();
  for (const [place, rows] of options.batches.entries()) {
    if (options.signal?.aborted) throw new InterruptedError('importance was stopped');
    const batch = await loadBatch(options.set, rows);
    try {
      for (const [loss, gradients] of Object.entries<Tensors>(
        gradientsOfEach(parameters, () => lossesOf(batch)),
      )) {
        const ofLoss = sums.get(loss) ?? makeSums(parameters);
        sums.set(loss, ofLoss);
        addSquares(ofLoss[place % 2]!, gradients);
      }
    } finally {
      batch.inputs.dispose();
    }
    options.onBatch?.();
  }
  const count = options.batches.length;
  return Object.fromEntries([...sums].map(([loss, ofLoss]) => [loss, meansOf(ofLoss, count)])) as Record<
    Loss,
    MeasuredImportance
  >;
}

/** Sums of squares over the even batches and over the odd ones. */
type Sums = readonly [Map<string, Float64Array>, Map<string, Float64Array>];

function makeSums(parameters: readonly Parameter[]): Sums {
  const zeros = () =>
    new Map(parameters.map(({ name, variable }) => [name, new Float64Array(variable.size)]));
  return [zeros(), zeros()];
}

/** The gradients are disposed. */
function addSquares(sums: ReadonlyMap<string, Float64Array>, gradients: Tensors): void {
  for (const [name, gradient] of Object.entries(gradients)) {
    const sum = sums.get(name)!;
    const values = gradient.dataSync();
    gradient.dispose();
    // forEach takes three times as long, over every weight of a model, for each batch.
    for (let place = 0; place < values.length; place += 1) sum[place]! += values[place]! ** 2;
  }
}

function meansOf([even, odd]: Sums, count: number): MeasuredImportance {
  const total = new Map(
    [...even].map(([name, values]) => [name, values.map((v, i) => v + odd.get(name)![i]!)]),
  );
  return {
    all: scaled(total, 1 / count),
    halves:
      count < 2 ? null : [scaled(even, 1 / Math.ceil(count / 2)), scaled(odd, 1 / Math.floor(count / 2))],
  };
}

function scaled(importance: Importance, factor: number): Importance {
  return new Map([...importance].map(([name, values]) => [name, values.map((value) => value * factor)]));
}
