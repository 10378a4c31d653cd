import * as tf from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { z } from 'zod';
import { ownEntry } from '../../../own-entry.ts';
import { activationFunction } from './activations.ts';
import { FunctionLayer } from './function-layer.ts';
import type { LayerSpec, MakeLayer } from './spec.ts';
import { readConfig, unsupported } from './spec.ts';

/** Functions of two tensors, or of a tensor and a number. */
const BINARY: Readonly<Record<string, (a: tf.Tensor | number, b: tf.Tensor | number) => tf.Tensor>> = {
  Add: tf.add,
  Divide: tf.div,
  Maximum: tf.maximum,
  Minimum: tf.minimum,
  Multiply: tf.mul,
  Subtract: tf.sub,
  TrueDivide: tf.div,
};

const UNARY: Readonly<Record<string, (x: tf.Tensor) => tf.Tensor>> = {
  Absolute: tf.abs,
  Exp: tf.exp,
  Negative: tf.neg,
  Sqrt: tf.sqrt,
  Square: tf.square,
};

/** Functions that are activations as well. */
const ACTIVATIONS: Readonly<Record<string, string>> = {
  HardSigmoid: 'hard_sigmoid',
  HardSilu: 'hard_silu',
  LogSoftmax: 'log_softmax',
  Relu: 'relu',
  Relu6: 'relu6',
  Selu: 'selu',
  Sigmoid: 'sigmoid',
  Silu: 'silu',
  Softplus: 'softplus',
  Softsign: 'softsign',
  Tanh: 'tanh',
};

const REDUCTIONS: Readonly<Record<string, typeof tf.mean>> = { Max: tf.max, Mean: tf.mean, Sum: tf.sum };

const reductionSchema = z.looseObject({
  axis: z.union([z.int().transform((only) => [only]), z.array(z.int()).nonempty()]),
  keepdims: z.boolean().default(false),
});

/** A function between layers, such as the `* 0.5` in `x * 0.5`. */
export const makeOperation: MakeLayer = (spec) => {
  const { name, kind, operands } = spec;
  const binary = ownEntry(BINARY, kind);
  if (binary) {
    return new FunctionLayer({
      name,
      kind,
      compute: (inputs) => {
        const tensors = [...inputs];
        const [a, b] = operands.map((operand) => (typeof operand === 'number' ? operand : tensors.shift()!));
        return binary(a!, b!);
      },
      outputShape: (shapes) => shapes.reduce(spread),
    });
  }
  const unary = ownEntry(UNARY, kind) ?? activationFunction(ownEntry(ACTIVATIONS, kind) ?? '');
  if (unary) return new FunctionLayer({ name, kind, compute: ([x]) => unary(x!) });
  const reduce = ownEntry(REDUCTIONS, kind);
  if (reduce) return reduction(spec, reduce);
  throw unsupported(spec, 'is an operation that is not supported');
};

function reduction(spec: LayerSpec, reduce: typeof tf.mean): FunctionLayer {
  const { axis, keepdims } = readConfig(spec, reductionSchema);
  const isReduced = (place: number, rank: number) => axis.includes(place) || axis.includes(place - rank);
  return new FunctionLayer({
    name: spec.name,
    kind: spec.kind,
    compute: ([x]) => reduce(x!, [...axis], keepdims),
    outputShape: ([input]) =>
      input!.flatMap((length, place) => {
        if (!isReduced(place, input!.length)) return [length];
        return keepdims ? [1] : [];
      }),
  });
}

/** Shape of a result whose operands are spread over each other. */
function spread(a: Shape, b: Shape): Shape {
  const [long, short] = a.length >= b.length ? [a, b] : [b, a];
  const shift = long.length - short.length;
  return long.map((extent, place) => {
    const other = place < shift ? 1 : short[place - shift]!;
    return extent === 1 ? other : extent;
  });
}
