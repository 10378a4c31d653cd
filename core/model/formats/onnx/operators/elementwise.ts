import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { Attributes } from '../attributes.ts';
import type { Call, Operator } from '../call.ts';
import { constantAt, knownAt, malformed, slotAt, valueAt } from '../call.ts';
import { permuted } from '../fold/index-maps.ts';
import { storedShape } from '../lowering.ts';
import { broadcastShapes, isIdentity, range, sizeOf } from '../shapes.ts';
import type { Slot, Value } from '../values.ts';
import { makeConstant } from '../values.ts';

type Unary = (attributes: Attributes) => (x: Tensor) => Tensor;
type Binary = (a: Tensor, b: Tensor) => Tensor;

const GELU_SCALE = Math.sqrt(2 / Math.PI);

const UNARY: Readonly<Record<string, Unary>> = {
  Abs: () => tf.abs,
  Ceil: () => tf.ceil,
  Cos: () => tf.cos,
  Elu: (attributes) => elu(attributes.float('alpha', 1), 1),
  Erf: () => tf.erf,
  Exp: () => tf.exp,
  Floor: () => tf.floor,
  Gelu: (attributes) => (attributes.text('approximate', 'none') === 'tanh' ? geluByTanh : gelu),
  HardSigmoid: (attributes) => hardSigmoid(attributes.float('alpha', 0.2), attributes.float('beta', 0.5)),
  HardSwish: () => (x) => tf.mul(x, hardSigmoid(1 / 6, 0.5)(x)),
  LeakyRelu: (attributes) => {
    const alpha = attributes.float('alpha', 0.01);
    return (x) => tf.leakyRelu(x, alpha);
  },
  Log: () => tf.log,
  Mish: () => (x) => tf.mul(x, tf.tanh(tf.softplus(x))),
  Neg: () => tf.neg,
  Reciprocal: () => tf.reciprocal,
  Relu: () => tf.relu,
  Selu: (attributes) =>
    elu(attributes.float('alpha', 1.6732631921768188), attributes.float('gamma', 1.0507010221481323)),
  Sigmoid: () => tf.sigmoid,
  Sin: () => tf.sin,
  Softplus: () => tf.softplus,
  Softsign: () => (x) => tf.div(x, tf.add(tf.abs(x), 1)),
  Sqrt: () => tf.sqrt,
  Tanh: () => tf.tanh,
};

const BINARY: Readonly<Record<string, Binary>> = {
  Add: tf.add,
  Div: tf.div,
  Max: (a, b) => tf.maximum(...alike(a, b)),
  Min: (a, b) => tf.minimum(...alike(a, b)),
  Mul: tf.mul,
  /** x where x > 0, else slope · x; without the kernel of tfjs, whose gradient the backend lacks. */
  PRelu: (x, slope) => tf.sub(tf.relu(x), tf.mul(slope, tf.relu(tf.neg(x)))),
  Pow: tf.pow,
  Sub: tf.sub,
  Sum: tf.add,
};

/** Operators that work entry by entry, in whatever order of axes their inputs have. */
export const ELEMENTWISE: Readonly<Record<string, Operator>> = {
  ...Object.fromEntries(
    Object.entries(UNARY).map(([op, make]) => [
      op,
      (call: Call) => [emitUnary(call, make(call.node.attributes))],
    ]),
  ),
  ...Object.fromEntries(
    Object.entries(BINARY).map(([op, apply]) => [op, (call: Call) => [emitChain(call, apply)]]),
  ),
  Clip: (call) => {
    const low = constantAt(call, 1)?.entries[0] ?? Number.NEGATIVE_INFINITY;
    const high = constantAt(call, 2)?.entries[0] ?? Number.POSITIVE_INFINITY;
    if (low === 0 && high === Number.POSITIVE_INFINITY) return [emitUnary(call, tf.relu)];
    if (low === 0 && high === 6) return [emitUnary(call, tf.relu6)];
    if (low > high) throw malformed(call, `expected a range, received ${low} to ${high}`);
    return [emitUnary(call, (x) => tf.clipByValue(x, low, high))];
  },
  Pow: (call) => {
    const exponent = call.inputs[1]?.type === 'constant' ? call.inputs[1] : null;
    const power = exponent?.entries.length === 1 ? exponent.entries[0] : null;
    if (power === 2) return [emitUnary(call, tf.square)]; // tf.pow has no gradient at negative numbers
    if (power === 1) return [valueAt(call, 0)];
    return [power === 0.5 ? emitUnary(call, tf.sqrt) : emitChain(call, tf.pow)];
  },
  Where: (call) => {
    const test = { ...knownAt(call, 0), kind: 'bool' as const };
    const { slots, shape, order } = align(call, [test, valueAt(call, 1), valueAt(call, 2)]);
    const run = ([is, yes, no]: readonly Tensor[]) => tf.where(is!, yes!, no!);
    return [call.lowering.emit(call.node.op, slots, { shape, order, run })];
  },
};

/** Both in the shape of the result: the gradients of some kernels do not broadcast. */
function alike(a: Tensor, b: Tensor): [Tensor, Tensor] {
  const shape = broadcastShapes(a.shape, b.shape)!;
  const [x, y] = [a, b].map((each) =>
    each.shape.join() === shape.join() ? each : tf.broadcastTo(each, shape),
  );
  return [x!, y!];
}

function elu(alpha: number, gamma: number): (x: Tensor) => Tensor {
  if (alpha === 1 && gamma === 1) return tf.elu;
  return (x) => tf.mul(tf.add(tf.relu(x), tf.mul(tf.sub(tf.exp(tf.minimum(x, 0)), 1), alpha)), gamma);
}

function hardSigmoid(alpha: number, beta: number): (x: Tensor) => Tensor {
  return (x) => tf.clipByValue(tf.add(tf.mul(x, alpha), beta), 0, 1);
}

function gelu(x: Tensor): Tensor {
  return tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));
}

function geluByTanh(x: Tensor): Tensor {
  const inner = tf.mul(tf.add(x, tf.mul(tf.mul(x, tf.square(x)), 0.044715)), GELU_SCALE);
  return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(inner), 1));
}

function emitUnary(call: Call, apply: (x: Tensor) => Tensor): Slot {
  const slot = slotAt(call, 0);
  const { shape, order } = slot;
  return call.lowering.emit(call.node.op, [slot], { shape, order, run: ([x]) => apply(x!) });
}

/** Operators of two inputs, and those of many as one after the other. */
function emitChain(call: Call, apply: Binary): Value {
  const rest = call.inputs.slice(1).map((_, place) => valueAt(call, place + 1));
  return rest.reduce(
    (a, b) => {
      const { slots, shape, order } = align(call, [a, b]);
      return call.lowering.emit(call.node.op, slots, { shape, order, run: ([x, y]) => apply(x!, y!) });
    },
    valueAt(call, 0),
  );
}

interface Aligned extends Pick<Slot, 'shape' | 'order'> {
  readonly slots: readonly Slot[];
}

/** The inputs in the order of axes of the largest one, so that only smaller ones move. */
function align(call: Call, values: readonly Value[]): Aligned {
  const shape = values.reduce<readonly number[]>((so, value) => {
    const both = broadcastShapes(so, value.shape);
    if (both !== null) return both;
    const received = values.map((each) => `[${each.shape.join(', ')}]`).join(' and ');
    throw malformed(call, `expected shapes that broadcast, received ${received}`);
  }, []);
  const isWhole = (value: Value) => value.type === 'slot' && value.shape.length === shape.length;
  const weight = ({ shape, order }: Slot) => 2 * sizeOf(shape) + Number(!isIdentity(order));
  const [leader] = (values.filter(isWhole) as Slot[]).toSorted((a, b) => weight(b) - weight(a));
  const order = leader?.order ?? range(shape.length);
  const slots = values.map((value) =>
    value === leader ? leader : operand(call, value, { shape, order, keepsRank: leader === undefined }),
  );
  return { slots, shape, order };
}

/**
 * An input in the order of the result, without the axes of extent 1 in front: the [C, 1, 1] of a layer scale
 * becomes the [C] that is added along the last axis of [B, H, W, C].
 */
function operand(
  call: Call,
  value: Value,
  { shape, order, keepsRank }: Pick<Slot, 'shape' | 'order'> & { readonly keepsRank: boolean },
): Slot {
  const { lowering } = call;
  const lead = shape.length - value.shape.length;
  const full = [...range(lead).map(() => 1), ...value.shape];
  const stored = order.map((axis) => full[axis]!);
  const first = stored.findIndex((extent) => extent !== 1);
  const short = keepsRank ? stored : first < 0 ? [] : stored.slice(first);
  if (value.type === 'constant') {
    const padded = makeConstant(value.kind, full, value.entries);
    const { entries } = isIdentity(order) ? padded : permuted(padded, order);
    return lowering.slot(makeConstant(value.kind, short, entries));
  }
  const ownOrder = order.filter((axis) => axis >= lead).map((axis) => axis - lead);
  const moved = lowering.ordered(value, ownOrder);
  if (storedShape(moved).join() === short.join()) return moved;
  return lowering.emit('Reshape', [moved], { shape: short, run: ([x]) => tf.reshape(x!, short) });
}
