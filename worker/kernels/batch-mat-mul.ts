import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import {
  _FusedMatMul,
  type BatchMatMulAttrs,
  type BatchMatMulInputs,
  type TensorInfo,
  Transpose,
  util,
} from '@tensorflow/tfjs-core';
import { ShapeMismatchError } from '../../core/errors.ts';
import { type KernelCall, release, runKernel, view } from './heap.ts';

/**
 * a·b, each factor transposed on demand.
 *
 * Stock multiplies two plain matrices by XNNPACK and everything else by a scalar loop, 15 to 30 times
 * slower. Here a transposed matrix is written out first. Stacks of more than one matrix stay with the loop.
 *
 * @param inputs  a [..., I, J] and b [..., J, K], last two axes exchanged where transposed
 * @returns [..., I, K]
 * @throws ShapeMismatchError when inner sizes differ, or both are stacks and of different length
 */
export function batchMatMul({
  inputs: { a, b },
  attrs: { transposeA, transposeB },
  backend,
}: KernelCall<BatchMatMulInputs, BatchMatMulAttrs>): TensorInfo {
  assertMultipliable({ a, b, transposeA, transposeB });
  const stack = stackShape(a, b);
  const shape = [...stack, a.shape.at(transposeA ? -1 : -2)!, b.shape.at(transposeB ? -2 : -1)!];
  const left = asStack(a);
  const right = asStack(b);
  if (left.shape[0] !== 1 || right.shape[0] !== 1) {
    return view(product(backend, { a: left, b: right }, { transposeA, transposeB }), shape);
  }
  const plainLeft = transposeA ? transposed(backend, left) : left;
  const plainRight = transposeB ? transposed(backend, right) : right;
  const result = product(backend, { a: plainLeft, b: plainRight }, { transposeA: false, transposeB: false });
  if (plainLeft !== left) release(backend, plainLeft);
  if (plainRight !== right) release(backend, plainRight);
  return view(result, shape);
}

function product(
  backend: BackendWasm,
  inputs: { a: TensorInfo; b: TensorInfo },
  transposes: { transposeA: boolean; transposeB: boolean },
): TensorInfo {
  return runKernel(backend, {
    kernel: _FusedMatMul,
    inputs,
    attrs: { ...transposes, activation: 'linear' },
  });
}

function asStack(matrix: TensorInfo): TensorInfo {
  return view(matrix, [util.sizeFromShape(matrix.shape.slice(0, -2)), ...matrix.shape.slice(-2)]);
}

/** [1, I, J] → [1, J, I]; the caller releases it. */
function transposed(backend: BackendWasm, matrix: TensorInfo): TensorInfo {
  return runKernel(backend, { kernel: Transpose, inputs: { x: matrix }, attrs: { perm: [0, 2, 1] } });
}

function stackShape(a: TensorInfo, b: TensorInfo): number[] {
  const shapeOfA = a.shape.slice(0, -2);
  const shapeOfB = b.shape.slice(0, -2);
  return util.sizeFromShape(shapeOfA) === 1 ? longer(shapeOfB, shapeOfA) : longer(shapeOfA, shapeOfB);
}

/** `shape`, with as many leading ones as `other` has axes more. */
function longer(shape: number[], other: number[]): number[] {
  return [...Array.from({ length: Math.max(0, other.length - shape.length) }, () => 1), ...shape];
}

function assertMultipliable({
  a,
  b,
  transposeA,
  transposeB,
}: KernelCall<BatchMatMulInputs, unknown>['inputs'] & BatchMatMulAttrs): void {
  const innerOfA = a.shape.at(transposeA ? -2 : -1);
  const innerOfB = b.shape.at(transposeB ? -1 : -2);
  const stackOfA = a.shape.slice(0, -2);
  const stackOfB = b.shape.slice(0, -2);
  const isOne = (stack: number[]) => util.sizeFromShape(stack) === 1;
  const stacksFit = isOne(stackOfA) || isOne(stackOfB) || util.arraysEqual(stackOfA, stackOfB);
  if (innerOfA === innerOfB && stacksFit) return;
  throw new ShapeMismatchError(
    `matMul: a [${a.shape}]${transposeA ? ' transposed' : ''} and b [${b.shape}]${transposeB ? ' transposed' : ''} do not fit`,
    { where: 'matMul', expected: a.shape, received: b.shape },
  );
}
