import type { Tensor, Tensor1D, Tensor2D, Variable } from '@tensorflow/tfjs-core';
import { ShapeMismatchError } from '../errors.ts';

/** One named weight tensor of a model. `variable` is the live weight; the classifier owns it. */
export interface Parameter {
  /** Name as the file spells it, e.g. `conv1/kernel`; unique within the model. */
  readonly name: string;
  readonly layer: string;
  readonly shape: readonly number[];
  readonly variable: Variable;
}

/**
 * Inference: dropout off, batch norm by its running statistics, nothing in the model moves.
 * Training: dropout on and seeded by `nextSeed`, batch norm by batch statistics, running statistics move.
 */
export type ForwardMode =
  | { readonly training: false }
  | { readonly training: true; readonly nextSeed: () => number };

export const INFERENCE: ForwardMode = { training: false };

export interface LoadOptions {
  /** Name of the head layer; found by dataflow when absent. */
  readonly head?: string | undefined;
  /** Index of the head's unit whose class counts as positive, against all others; of two the second when absent. */
  readonly positiveClass?: number | undefined;
}

/** A layer as `inspect` shows it. */
export interface LayerSummary {
  readonly name: string;
  readonly kind: string;
  readonly outputShape: readonly (number | null)[];
  readonly parameters: number;
  readonly part: 'body' | 'head' | 'after-head';
}

/**
 * A trained classifier of one class against all others, whatever file it came from: a body that makes features, a
 * dense head that makes one logit, and a way back to the format in which it came.
 */
export interface Classifier {
  readonly format: string;
  /** Files that the model was read from. */
  readonly sources: readonly string[];
  /** Shape of one sample, without the batch axis. */
  readonly inputShape: readonly number[];
  /** Axes of an input batch along which an image may be mirrored, width and height; none for other inputs. */
  readonly mirrorAxes: readonly number[];
  readonly layers: readonly LayerSummary[];
  /** Trainable weights of the body, in forward order. */
  readonly body: readonly Parameter[];
  /** The last dense layer. */
  readonly head: {
    readonly name: string;
    /** Units that it has in the file. */
    readonly units: number;
    /** Index of the positive one; null where there is only one. */
    readonly positiveClass: number | null;
    /** [F, 1] */
    readonly kernel: Parameter;
    /** [1] */
    readonly bias: Parameter | null;
  };
  /** Running statistics of normalisation layers: they move in training mode, but are no weights. */
  readonly statistics: readonly Parameter[];
  /** What the model's own output is; scores are always sigmoid(logit). */
  readonly output: 'logit' | 'score';
  /** True when the body has dropout or batch norm, so that the two forward modes differ. */
  readonly hasTrainingMode: boolean;
  /** What there is to know about how this file was read; one sentence each. */
  readonly notes: readonly string[];
  /** inputs [B, ...inputShape] → features [B, F]; the caller disposes */
  features(inputs: Tensor, mode: ForwardMode): Tensor2D;
  /**
   * features [B, F] → logits [B]; the caller disposes
   *
   *   features · kernel + bias + offset(features)
   *
   * The offset is that of classes whose units are not tuned; kernel and bias have no part in it.
   */
  headLogits(features: Tensor2D): Tensor1D;
  /** inputs [B, ...inputShape] → logits [B]; the caller disposes */
  logits(inputs: Tensor, mode: ForwardMode): Tensor1D;
  /** Writes the model into `folder` (made if absent) in its own format; unchanged tensors keep their bytes. */
  save(folder: string): Promise<void>;
  dispose(): void;
}

/** Kernel of the head, and its bias if it has one. */
export function headParameters({ head }: Pick<Classifier, 'head'>): Parameter[] {
  return head.bias ? [head.kernel, head.bias] : [head.kernel];
}

/** Every weight: body in forward order, then head. Running statistics are no weights. */
export function weightsOf(model: Pick<Classifier, 'body' | 'head'>): Parameter[] {
  return [...model.body, ...headParameters(model)];
}

/** Number of weights in the tensors. */
export function countWeights(parameters: readonly Parameter[]): number {
  return parameters.reduce((sum, { variable }) => sum + variable.size, 0);
}

/** @throws ShapeMismatchError unless inputs are [B, ...inputShape]; an extent that the model leaves open fits all */
export function assertInputShape({ inputShape }: Pick<Classifier, 'inputShape'>, { shape }: Tensor): void {
  const received = shape.slice(1);
  const fits =
    received.length === inputShape.length &&
    inputShape.every((extent, axis) => extent === null || extent === received[axis]);
  if (fits) return;
  throw new ShapeMismatchError(
    `model input: expected [batch, ${inputShape.join(', ')}], received [${shape.join(', ')}]`,
    { where: 'model input', expected: inputShape, received },
  );
}
