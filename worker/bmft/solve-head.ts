import * as tf from '@tensorflow/tfjs-core';
import { minimize } from '../../core/fairness/statistics/lbfgs.ts';
import type { CurvePoint } from '../../core/jobs/run-record.ts';
import type { Classifier } from '../../core/model/classifier.ts';
import { headParameters } from '../../core/model/classifier.ts';
import type { BatchTruth } from '../training/batch.ts';
import type { Standardization } from '../training/standardization.ts';
import { standardizationOf, standardized } from '../training/standardization.ts';
import type { LogitLosses } from './logit-losses.ts';
import { prepareLogitLosses } from './logit-losses.ts';
import type { Objective } from './objective.ts';
import type { ConvergedHeadOptions } from './options.ts';

export interface SolveHeadInput {
  readonly model: Classifier;
  /** [N, F], the body's output for the rows of `truth`; read, never disposed */
  readonly features: tf.Tensor2D;
  readonly truth: BatchTruth;
  readonly objective: Objective;
  readonly options: ConvergedHeadOptions;
  readonly disparityWeight: number;
}

/**
 * Stage 2 of `robust`: with a frozen body the features are constant, so the head is solved on them to
 * convergence instead of being trained for a number of epochs.
 *
 *   minimise over v, b   task + λ · disparity + (ridge/2) · |v|²,   logits = ((x - μ)/σ) · v + b + o
 *
 * with o what the head adds to its weights' part, 0 unless other classes have units of their own.
 * Standardised features make the ridge mean the same for each of them; the solution is folded back into
 * the head as w = v/σ, b - μ · w. A feature that never varies gets weight 0.
 *
 * @returns losses by solver step; the model's head holds the solution
 */
export function solveHead(input: SolveHeadInput): CurvePoint[] {
  const { bias } = input.model.head;
  const width = input.features.shape[1];
  const { taskWeight, ridge } = input.options;
  const weights = { taskWeight, disparityWeight: input.disparityWeight };
  const lossesOf = prepareLogitLosses(input.truth, { objective: input.objective, weights });
  const { standardized: features, means, inverses } = standardize(input.features, bias !== null);
  const offsets = offsetsOf(input);
  const curve: CurvePoint[] = [];
  const solution = minimize(
    (point) => evaluateHead({ features, offsets, width, ridge, point, lossesOf }),
    new Float64Array(width + (bias ? 1 : 0)),
    { ...input.options, onStep: (step, { terms }) => curve.push({ step, ...terms }) },
  );
  foldHead(input.model, solution, { means, inverses });
  return curve;
}

/** Gives the head the weights [F] on standardised features, then the bias if it has one, that `point` holds. */
export function foldHead(
  { head: { kernel, bias } }: Pick<Classifier, 'head'>,
  point: Float64Array,
  { means, inverses }: Standardization,
): void {
  const width = means.length;
  const weights = inverses.map((inverse, place) => inverse * point[place]!);
  const shift = weights.reduce((sum, weight, place) => sum + weight * means[place]!, 0);
  tf.tidy(() => {
    kernel.variable.assign(tf.tensor2d(Float32Array.from(weights), [width, 1]));
    bias?.variable.assign(tf.tensor1d([point[width]! - shift]));
  });
}

/** Logits [N] of the head with weights of 0, which they are from here on. */
export function offsetsOf({ model, features }: Pick<SolveHeadInput, 'model' | 'features'>): Float64Array {
  const logits = tf.tidy(() => {
    for (const { variable } of headParameters(model)) variable.assign(tf.zerosLike(variable));
    return model.headLogits(features);
  });
  const offsets = Float64Array.from(logits.dataSync());
  logits.dispose();
  return offsets;
}

/** Features with what they were standardised by. Means are 0 without a bias to take them up. */
export function standardize(features: tf.Tensor2D, isCentred: boolean) {
  const values = features.dataSync() as Float32Array;
  const { means, inverses } = standardizationOf(values, features.shape[1]);
  if (!isCentred) means.fill(0);
  return { standardized: standardized(values, { means, inverses }), means, inverses };
}

interface HeadPoint {
  /** [N · F] standardised */
  readonly features: Float32Array;
  /** [N] */
  readonly offsets: Float64Array;
  readonly width: number;
  readonly ridge: number;
  /** [F] weights, then the bias if there is one */
  readonly point: Float64Array;
  readonly lossesOf: (logits: Float64Array) => LogitLosses;
}

function evaluateHead(at: HeadPoint) {
  const { features, width, ridge, point, lossesOf } = at;
  const { gradient: byLogit, ...terms } = lossesOf(logitsAt(at));
  const gradient = new Float64Array(point.length);
  for (let row = 0, start = 0; row < byLogit.length; row += 1, start += width) {
    const slope = byLogit[row]!;
    for (let place = 0; place < width; place += 1) gradient[place]! += slope * features[start + place]!;
    if (point.length > width) gradient[width]! += slope;
  }
  let penalty = 0;
  for (let place = 0; place < width; place += 1) {
    penalty += (ridge / 2) * point[place]! ** 2;
    gradient[place]! += ridge * point[place]!;
  }
  return { value: terms.loss + penalty, gradient, terms };
}

/** [N] */
function logitsAt({ features, offsets, width, point }: HeadPoint): Float64Array {
  const logits = offsets.map((offset) => offset + (point[width] ?? 0));
  for (let row = 0, start = 0; row < logits.length; row += 1, start += width) {
    let sum = 0;
    for (let place = 0; place < width; place += 1) sum += features[start + place]! * point[place]!;
    logits[row]! += sum;
  }
  return logits;
}
