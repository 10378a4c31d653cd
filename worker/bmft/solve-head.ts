import * as tf from '@tensorflow/tfjs-core';
import { minimize } from '../../core/fairness/statistics/lbfgs.ts';
import type { Standardization } from '../../core/fairness/statistics/standardization.ts';
import { standardizationOf, standardized } from '../../core/fairness/statistics/standardization.ts';
import type { CurvePoint } from '../../core/jobs/run-record.ts';
import type { Classifier } from '../../core/model/classifier.ts';
import { headParameters } from '../../core/model/classifier.ts';
import type { BatchTruth } from '../training/batch.ts';
import { prepareClassLogitLosses } from './class-logit-losses.ts';
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
  const { classes } = input.model.head;
  const prepare = classes > 1 ? prepareClassLogitLosses : prepareLogitLosses;
  const lossesOf = prepare(input.truth, { objective: input.objective, weights });
  const { standardized: features, means, inverses } = standardize(input.features, bias !== null);
  const offsets = offsetsOf(input);
  const curve: CurvePoint[] = [];
  const solution = minimize(
    (point) => evaluateHead({ features, offsets, width, classes, ridge, point, lossesOf }),
    new Float64Array((width + (bias ? 1 : 0)) * classes),
    { ...input.options, onStep: (step, { terms }) => curve.push({ step, ...terms }) },
  );
  foldHead(input.model, solution, { means, inverses });
  return curve;
}

/** Gives the head the weights [F · K] on standardised features, then the K biases if it has any, that `point` holds. */
export function foldHead(
  { head: { kernel, bias, classes } }: Pick<Classifier, 'head'>,
  point: Float64Array,
  { means, inverses }: Standardization,
): void {
  const size = means.length * classes;
  const featureOf = (place: number) => Math.floor(place / classes);
  const weights = point.subarray(0, size).map((weight, place) => inverses[featureOf(place)]! * weight);
  const shifts = new Float64Array(classes);
  for (const [place, weight] of weights.entries()) {
    shifts[place % classes]! += weight * means[featureOf(place)]!;
  }
  const biases = point.subarray(size).map((value, k) => value - shifts[k]!);
  tf.tidy(() => {
    kernel.variable.assign(tf.tensor2d(Float32Array.from(weights), [means.length, classes]));
    bias?.variable.assign(tf.tensor1d(Float32Array.from(biases)));
  });
}

/** Logits [N · K] of the head with weights of 0, which they are from here on. */
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
  /** [N · K] */
  readonly offsets: Float64Array;
  readonly width: number;
  /** K; 1 unless each unit stands for a class */
  readonly classes: number;
  readonly ridge: number;
  /** [F · K] weights, then K biases if there are any */
  readonly point: Float64Array;
  readonly lossesOf: (logits: Float64Array) => LogitLosses;
}

function evaluateHead(at: HeadPoint) {
  const { width, classes, ridge, point, lossesOf } = at;
  const { gradient: byLogit, ...terms } = lossesOf(logitsAt(at));
  const gradient = new Float64Array(point.length);
  const size = width * classes;
  for (let place = 0; place < byLogit.length; place += 1) {
    addSlope(gradient, at, { place, slope: byLogit[place]! });
  }
  let penalty = 0;
  for (let place = 0; place < size; place += 1) {
    penalty += (ridge / 2) * point[place]! ** 2;
    gradient[place]! += ridge * point[place]!;
  }
  return { value: terms.loss + penalty, gradient, terms };
}

/** The gradient by the weights and the bias of one class, from that by one logit. */
function addSlope(
  gradient: Float64Array,
  { features, width, classes }: HeadPoint,
  { place, slope }: { readonly place: number; readonly slope: number },
): void {
  const start = Math.floor(place / classes) * width;
  const k = place % classes;
  for (let feature = 0; feature < width; feature += 1) {
    gradient[feature * classes + k]! += slope * features[start + feature]!;
  }
  const bias = width * classes + k;
  if (bias < gradient.length) gradient[bias]! += slope;
}

/** [N · K] */
function logitsAt({ features, offsets, width, classes, point }: HeadPoint): Float64Array {
  const size = width * classes;
  const logits = offsets.map((offset, place) => offset + (point[size + (place % classes)] ?? 0));
  for (let place = 0; place < logits.length; place += 1) {
    const start = Math.floor(place / classes) * width;
    const k = place % classes;
    let sum = 0;
    for (let feature = 0; feature < width; feature += 1) {
      sum += features[start + feature]! * point[feature * classes + k]!;
    }
    logits[place]! += sum;
  }
  return logits;
}
