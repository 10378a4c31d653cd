import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { Call, Operator } from '../call.ts';
import { malformed, slotAt, valueAt } from '../call.ts';
import { storedShape } from '../lowering.ts';
import { broadcastShapes, range } from '../shapes.ts';
import type { Slot, Value } from '../values.ts';

/** Matrix products. */
export const PRODUCTS: Readonly<Record<string, Operator>> = {
  Gemm: (call) => [gemm(call)],
  MatMul: (call) => [matMul(call)],
};

interface Matrix {
  readonly slot: Slot;
  /** Are its last two axes stored the other way round? */
  readonly isTransposed: boolean;
}

/** A stack of matrices; where only rows and columns have changed places, the product reads them so. */
function matrix(call: Call, value: Value): Matrix {
  const slot = call.lowering.slot(value);
  const rank = slot.shape.length;
  const turned = [...range(rank - 2), rank - 1, rank - 2];
  if (rank >= 2 && slot.order.every((axis, place) => axis === turned[place])) {
    return { slot, isTransposed: true };
  }
  return { slot: call.lowering.plain(slot), isTransposed: false };
}

/** Y = α · A · B + β · C, with A and B turned as the attributes say. */
function gemm(call: Call): Slot {
  const { lowering, node } = call;
  const { attributes } = node;
  const [a, b] = [matrix(call, valueAt(call, 0)), matrix(call, valueAt(call, 1))];
  const [turnsA, turnsB] = [attributes.int('transA', 0) === 1, attributes.int('transB', 0) === 1];
  const [rows, depth] = turned(a.slot.shape, turnsA);
  const [height, columns] = turned(b.slot.shape, turnsB);
  if (a.slot.shape.length !== 2 || b.slot.shape.length !== 2 || depth !== height) {
    throw malformed(call, `expected matrices that fit, received ${spell(a.slot)} and ${spell(b.slot)}`);
  }
  const shape = [rows!, columns!];
  const [alpha, beta] = [attributes.float('alpha', 1), attributes.float('beta', 1)];
  const product = lowering.emit(node.op, [a.slot, b.slot], {
    shape,
    run: ([x, y]) => {
      const made = tf.matMul(x!, y!, turnsA !== a.isTransposed, turnsB !== b.isTransposed);
      return alpha === 1 ? made : tf.mul(made, alpha);
    },
  });
  if ((call.inputs[2] ?? null) === null || beta === 0) return product;
  const addend = lowering.plain(slotAt(call, 2));
  if (broadcastShapes(shape, addend.shape)?.join() !== shape.join()) {
    throw malformed(call, `expected a bias that fits [${shape.join(', ')}], received ${spell(addend)}`);
  }
  return lowering.emit(node.op, [product, addend], {
    shape,
    run: ([x, bias]) => tf.add(x!, beta === 1 ? bias! : tf.mul(bias!, beta)),
  });
}

function turned([rows, columns]: readonly number[], isTurned: boolean) {
  return isTurned ? [columns, rows] : [rows, columns];
}

/** As numpy's: stacks broadcast. A product with one matrix is one product of all rows. */
function matMul(call: Call): Slot {
  const { lowering, node } = call;
  const [left, right] = [slotAt(call, 0), slotAt(call, 1)];
  if (left.shape.length < 2 || right.shape.length < 2 || left.shape.at(-1) !== right.shape.at(-2)) {
    throw malformed(call, `expected matrices that fit, received ${spell(left)} and ${spell(right)}`);
  }
  if (right.shape.length === 2 && left.shape.length > 2) return rowsTimesMatrix(call);
  const stack = broadcastShapes(left.shape.slice(0, -2), right.shape.slice(0, -2));
  if (stack === null)
    throw malformed(call, `expected stacks that broadcast, received ${spell(left)} and ${spell(right)}`);
  const [a, b] = [matrix(call, left), matrix(call, right)];
  const shape = [...stack, left.shape.at(-2)!, right.shape.at(-1)!];
  return lowering.emit(node.op, [a.slot, b.slot], {
    shape,
    run: ([x, y]) => tf.matMul(stacked(x!, stack), stacked(y!, stack), a.isTransposed, b.isTransposed),
  });
}

/** As many matrices as the product has: its gradient does not broadcast. */
function stacked(x: Tensor, stack: readonly number[]): Tensor {
  const shape = [...stack, ...x.shape.slice(-2)];
  return x.shape.join() === shape.join() ? x : tf.broadcastTo(x, shape);
}

/** The axes before the last may lie in any order. */
function rowsTimesMatrix(call: Call): Slot {
  const { lowering, node } = call;
  const left = slotAt(call, 0);
  const rank = left.shape.length;
  const slot = left.order.at(-1) === rank - 1 ? left : lowering.plain(left);
  const { slot: weights, isTransposed } = matrix(call, valueAt(call, 1));
  const [depth, columns] = weights.shape as [number, number];
  const shape = left.shape.with(rank - 1, columns);
  const { order } = slot;
  const stored = storedShape({ ...slot, shape });
  const run = ([x, y]: readonly Tensor[]) =>
    tf.reshape(tf.matMul(tf.reshape(x!, [-1, depth]), y as tf.Tensor2D, false, isTransposed), stored);
  return lowering.emit(node.op, [slot, weights], { shape, order, run });
}

function spell({ shape }: Slot): string {
  return `[${shape.join(', ')}]`;
}
