import * as tf from '@tensorflow/tfjs-core';
import type { CurvePoint } from '../../core/jobs/run-record.ts';
import type { Classifier, Parameter } from '../../core/model/classifier.ts';
import { headParameters } from '../../core/model/classifier.ts';
import type { Batch, BatchTruth } from '../training/batch.ts';
import type { LossTerms } from '../training/gradients.ts';
import { gradientsOf } from '../training/gradients.ts';
import { minimize } from '../training/lbfgs.ts';
import type { EpochLosses } from '../training/loop.ts';
import { trainEpochs } from '../training/loop.ts';
import { withoutTape } from '../training/tape.ts';
import { accumulateMomentum, addDecay, chain, scaleBy } from '../training/transforms.ts';
import { makeFeatureSource } from './feature-source.ts';
import type { Mask } from './mask.ts';
import type { Objective } from './objective.ts';
import { lossTerms, prepareLossTerms } from './objective.ts';
import type { ConvergedHeadOptions, EpochsHeadOptions } from './options.ts';
import type { StageInput } from './tune-body.ts';
import { augmented, forwardMode } from './tune-body.ts';

/** A deviation below this share of the mean is rounding, not variation. */
const SMALLEST_VARIATION = 1e-6;

export interface RefitHeadInput extends StageInput {
  readonly options: EpochsHeadOptions;
}

/**
 * Stage 2 as released: the head is reset and trained for some epochs with the body's weights frozen. Where nothing
 * moves or turns what the head reads, each sample goes through the body once.
 *
 * @returns the losses of each batch
 * @see docs/method.md#stage-2
 */
export async function refitHead(input: RefitHeadInput): Promise<EpochLosses[]> {
  const { model, set, mask, options, random } = input;
  resetHead(model, mask, options.reset);
  const isConstant = !options.augment && !options.normalizationMoves;
  const loss = headLoss(input, isConstant);
  return trainEpochs({
    ...input,
    set: isConstant ? { ...set, inputs: makeFeatureSource(model, set.inputs) } : set,
    parameters: headParameters(model),
    epochs: options.epochs,
    transform: chain(
      addDecay(options.weightDecay),
      accumulateMomentum(options.momentum),
      scaleBy(-options.learningRates[0]!),
    ),
    lossOf: options.augment ? augmented(loss, random) : loss,
  });
}

/** The body's forward pass stays off the tape, so the backward pass ends at the head and keeps no activation. */
function headLoss(
  { model, objective, options, random }: RefitHeadInput,
  isConstant: boolean,
): (batch: Batch) => LossTerms {
  const mode = forwardMode(options, random);
  const featuresOf = ({ inputs }: Batch): tf.Tensor2D =>
    isConstant ? (inputs as tf.Tensor2D) : withoutTape(() => tf.tidy(() => model.features(inputs, mode)));
  return (batch) => lossTerms(model.headLogits(featuresOf(batch)), batch, { objective, weights: options });
}

function resetHead(model: Classifier, mask: Mask, reset: EpochsHeadOptions['reset']): void {
  for (const { name, variable, shape } of headParameters(model)) {
    const entries = mask.values.get(name)!;
    const mean = entries.reduce((sum, entry) => sum + entry, 0) / entries.length;
    const values = variable.dataSync().map((weight, place) => {
      const isReset = reset === 'all' || entries[place]! > mean;
      return isReset ? 0 : weight;
    });
    tf.tidy(() => variable.assign(tf.tensor(values, [...shape])));
  }
}

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
 *   minimise over v, b   task + λ · disparity + (ridge/2) · |v|²,   logits = ((x - μ)/σ) · v + b
 *
 * Standardised features make the ridge mean the same for each of them; the solution is folded back into
 * the head as w = v/σ, b - μ · w. A feature that never varies gets weight 0.
 *
 * @returns losses by solver step; the model's head holds the solution
 */
export function solveHead(input: SolveHeadInput): CurvePoint[] {
  const { kernel, bias } = input.model.head;
  const width = input.features.shape[1];
  const { taskWeight, ridge } = input.options;
  const weights = { taskWeight, disparityWeight: input.disparityWeight };
  const termsOf = prepareLossTerms(input.truth, { objective: input.objective, weights });
  const scaling = standardize(input.features, bias !== null);
  const curve: CurvePoint[] = [];
  try {
    const solution = minimize(
      (point) =>
        evaluateHead({ features: scaling.standardized, hasBias: bias !== null, ridge, point, termsOf }),
      new Float64Array(width + (bias ? 1 : 0)),
      { ...input.options, onStep: (step, { terms }) => curve.push({ step, ...terms }) },
    );
    const kernelWeights = scaling.inverses.map((inverse, place) => inverse * solution[place]!);
    const shift = kernelWeights.reduce((sum, weight, place) => sum + weight * scaling.means[place]!, 0);
    tf.tidy(() => {
      kernel.variable.assign(tf.tensor2d(Float32Array.from(kernelWeights), [width, 1]));
      bias?.variable.assign(tf.tensor1d([solution[width]! - shift]));
    });
  } finally {
    scaling.standardized.dispose();
  }
  return curve;
}

/**
 * In float64, where a constant feature has deviation 0 whatever its size. Means are 0 without a bias to take
 * them up. A feature that never varies gets the inverse deviation 0.
 */
function standardize(features: tf.Tensor2D, isCentred: boolean) {
  const [rows, width] = features.shape;
  const values = features.dataSync();
  const means = new Float64Array(width);
  const variances = new Float64Array(width);
  values.forEach((value, place) => {
    means[place % width]! += value / rows;
  });
  values.forEach((value, place) => {
    variances[place % width]! += (value - means[place % width]!) ** 2 / rows;
  });
  const inverses = variances.map((variance, feature) => {
    const deviation = Math.sqrt(variance);
    return deviation > SMALLEST_VARIATION * Math.abs(means[feature]!) ? 1 / deviation : 0;
  });
  if (!isCentred) means.fill(0);
  const scaled = values.map((value, place) => (value - means[place % width]!) * inverses[place % width]!);
  return { standardized: tf.tensor2d(scaled as Float32Array, [rows, width]), means, inverses }; // [N, F]
}

interface HeadPoint {
  /** [N, F] standardised */
  readonly features: tf.Tensor2D;
  readonly hasBias: boolean;
  readonly ridge: number;
  /** [F] weights, then the bias if there is one */
  readonly point: Float64Array;
  readonly termsOf: (logits: tf.Tensor1D) => LossTerms;
}

/** The ridge is added in float64, where it costs nothing; the losses come from the backend. */
function evaluateHead({ features, hasBias, ridge, point, termsOf }: HeadPoint) {
  const width = features.shape[1];
  const [kernel, bias] = tf.tidy(() => [
    tf.variable(tf.tensor2d(Float32Array.from(point.subarray(0, width)), [width, 1])),
    tf.variable(tf.scalar(hasBias ? point[width]! : 0)),
  ]) as [tf.Variable<tf.Rank.R2>, tf.Variable];
  try {
    const parameters = [parameter('kernel', kernel), ...(hasBias ? [parameter('bias', bias)] : [])];
    const { gradients, losses } = gradientsOf(parameters, () => {
      const logits = tf.reshape(tf.add(tf.matMul(features, kernel), bias), [-1]) as tf.Tensor1D; // [N]
      return termsOf(logits);
    });
    const gradient = Float64Array.from(
      parameters.flatMap(({ name }) => Array.from(gradients[name]!.dataSync())),
    );
    tf.dispose(Object.values(gradients));
    let penalty = 0;
    for (let place = 0; place < width; place += 1) {
      penalty += (ridge / 2) * point[place]! ** 2;
      gradient[place]! += ridge * point[place]!;
    }
    return { value: losses.loss + penalty, gradient, terms: losses };
  } finally {
    tf.dispose([kernel, bias]);
  }
}

function parameter(name: string, variable: tf.Variable): Parameter {
  return { name, layer: 'head', shape: variable.shape, variable };
}
