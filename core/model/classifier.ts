import type { Tensor, Tensor1D, Tensor2D, Variable } from '@tensorflow/tfjs-core';
import { InvalidInputError, ShapeMismatchError } from '../errors.ts';

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
  /** Names of all classes in the order of the head's units, three at least: none of them is the positive one then. */
  readonly classes?: readonly string[] | undefined;
}

/** A layer as `inspect` shows it. */
export interface LayerSummary {
  readonly name: string;
  readonly kind: string;
  readonly outputShape: readonly (number | null)[];
  readonly parameters: number;
  readonly part: 'body' | 'head' | 'after-head';
}

/** A layer of the body whose output `activations` gives. Layers of nested models stand for those models. */
export interface LayerOutput {
  /** Unique within the model. */
  readonly name: string;
  readonly kind: string;
  /** With the batch axis; null where the input says how much. */
  readonly shape: readonly (number | null)[];
  /** Axis of the shape that counts channels or features. */
  readonly channelAxis: number;
}

/** A batch normalisation of the body, with the trace that training left in it. */
export interface Normalization {
  /** Name among `bodyOutputs`. */
  readonly layer: string;
  /** Name by which `activations` gives what the layer reads. */
  readonly input: string;
  /** Axis of its input that counts channels. */
  readonly channelAxis: number;
  /** Running statistics of the input's channels [C]. */
  readonly mean: Parameter;
  readonly variance: Parameter;
  /** Added to the variance. */
  readonly epsilon: number;
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
    /** Index of the positive one; null where there is only one, and where each stands for a class. */
    readonly positiveClass: number | null;
    /** K where all K units are tuned, each the logit of a class under one softmax; otherwise 1. */
    readonly classes: number;
    /** [F, classes] */
    readonly kernel: Parameter;
    /** [classes] */
    readonly bias: Parameter | null;
  };
  /** Running statistics of normalisation layers: they move in training mode, but are no weights. */
  readonly statistics: readonly Parameter[];
  /** Batch normalisations in forward order; none where an exporter has folded them into other layers. */
  readonly normalizations: readonly Normalization[];
  /** Layers of the body in forward order. The output of the last is the features. */
  readonly bodyOutputs: readonly LayerOutput[];
  /** What the model's own output is; scores are always sigmoid(logit). */
  readonly output: 'logit' | 'score';
  /** True when the body has dropout or batch norm, so that the two forward modes differ. */
  readonly hasTrainingMode: boolean;
  /** What there is to know about how this file was read; one sentence each. */
  readonly notes: readonly string[];
  /** inputs [B, ...inputShape] → features [B, F]; the caller disposes */
  features(inputs: Tensor, mode: ForwardMode): Tensor2D;
  /**
   * features [B, F] → logits [B · classes], sample by sample; the caller disposes
   *
   *   features · kernel + bias + offset(features)
   *
   * The offset is that of classes whose units are not tuned; kernel and bias have no part in it.
   */
  headLogits(features: Tensor2D): Tensor1D;
  /** inputs [B, ...inputShape] → logits [B · classes], sample by sample; the caller disposes */
  logits(inputs: Tensor, mode: ForwardMode): Tensor1D;
  /**
   * Values inside the body in inference mode, those of the pass that makes features.
   *
   * @param inputs  [B, ...inputShape]
   * @param names  of `bodyOutputs`, or inputs of `normalizations`
   * @returns a tensor by each name; the caller disposes
   * @throws InvalidInputError when there is no such name
   */
  activations(inputs: Tensor, names: readonly string[]): Map<string, Tensor>;
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

/** Name by which `activations` gives what a layer reads. */
export function inputNameOf(layer: string): string {
  return `${layer}/input`;
}

/** @throws InvalidInputError unless `activations` knows all names */
export function assertActivations(
  { bodyOutputs, normalizations }: Pick<Classifier, 'bodyOutputs' | 'normalizations'>,
  names: readonly string[],
): void {
  const known = new Set([
    ...bodyOutputs.map(({ name }) => name),
    ...normalizations.map(({ input }) => input),
  ]);
  const unknown = names.find((name) => !known.has(name));
  if (unknown === undefined) return;
  throw new InvalidInputError(
    `model activation: expected the name of a layer of the body, received "${unknown}"`,
    { received: unknown, expected: [...known] },
  );
}

/** The names, those that came before with their place in the list. */
export function uniqueNames(names: readonly string[]): string[] {
  const seen = new Set<string>();
  return names.map((name, place) => {
    const own = seen.has(name) ? `${name}#${place}` : name;
    seen.add(own);
    return own;
  });
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
