import { type BatchMatMulAttrs, type BatchMatMulInputs, type TensorInfo, util } from '@tensorflow/tfjs-core';
import { ShapeMismatchError, UnsupportedModelError } from '../../core/errors.ts';
import { type KernelCall, view, zeros } from './heap.ts';
import { type Bounds, multiply, UNBOUNDED } from './matrix-product.ts';

/**
 * a·b, each factor transposed on demand. A stack of one matrix goes with each of the other stack.
 *
 * @param inputs  a [..., I, J] and b [..., J, K], last two axes exchanged where transposed
 * @returns [..., I, K]
 * @throws UnsupportedModelError when they are not of float32
 * @throws ShapeMismatchError when inner sizes differ, or both are stacks and of different length
 */
export function batchMatMul(call: KernelCall<BatchMatMulInputs, BatchMatMulAttrs>): TensorInfo {
  return product(call, {});
}

/** min(high, max(low, a·b + bias)); otherwise as batchMatMul. */
export function product(
  {
    inputs: { a, b },
    attrs: { transposeA, transposeB },
    backend,
  }: KernelCall<BatchMatMulInputs, BatchMatMulAttrs>,
  { bias, bounds = UNBOUNDED }: { bias?: TensorInfo | undefined; bounds?: Bounds },
): TensorInfo {
  assertFloats(a, b);
  assertMultipliable({ a, b, transposeA, transposeB });
  const [rows, depth] = inOrder(a, transposeA);
  const [, columns] = inOrder(b, transposeB);
  const shape = [...stackShape(a, b), rows, columns];
  if (util.sizeFromShape(shape) === 0 || depth === 0) return zeros(backend, shape);
  const stack = stackSize(a);
  // A stack of plain matrices that all meet the same one is one tall matrix.
  const isTall = stackSize(b) === 1 && !transposeA;
  const result = multiply(backend, {
    a: { tensor: a, stack: isTall ? 1 : stack, isTransposed: transposeA },
    b: { tensor: b, stack: stackSize(b), isTransposed: transposeB },
    rows: isTall ? stack * rows : rows,
    depth,
    columns,
    bias,
    bounds,
  });
  return view(result, shape);
}

/** Rows and columns of the factor that is meant. */
function inOrder({ shape }: TensorInfo, isTransposed: boolean): [number, number] {
  const [rows, columns] = shape.slice(-2) as [number, number];
  return isTransposed ? [columns, rows] : [rows, columns];
}

const stackSize = ({ shape }: TensorInfo): number => util.sizeFromShape(shape.slice(0, -2));

function stackShape(a: TensorInfo, b: TensorInfo): number[] {
  const shapeOfA = a.shape.slice(0, -2);
  const shapeOfB = b.shape.slice(0, -2);
  return stackSize(a) === 1 ? longer(shapeOfB, shapeOfA) : longer(shapeOfA, shapeOfB);
}

/** `shape`, with as many leading ones as `other` has axes more. */
function longer(shape: number[], other: number[]): number[] {
  return [...Array.from({ length: Math.max(0, other.length - shape.length) }, () => 1), ...shape];
}

function assertFloats(...factors: readonly TensorInfo[]): void {
  const other = factors.find(({ dtype }) => dtype !== 'float32');
  if (other === undefined) return;
  throw new UnsupportedModelError(`matMul: expected float32, received ${other.dtype}`, {
    where: 'matMul',
    received: other.dtype,
  });
}

function assertMultipliable({
  a,
  b,
  transposeA,
  transposeB,
}: KernelCall<BatchMatMulInputs, unknown>['inputs'] & BatchMatMulAttrs): void {
  const [, innerOfA] = inOrder(a, transposeA);
  const [innerOfB] = inOrder(b, transposeB);
  const isOne = (factor: TensorInfo) => stackSize(factor) === 1;
  const stacksFit = isOne(a) || isOne(b) || util.arraysEqual(a.shape.slice(0, -2), b.shape.slice(0, -2));
  if (innerOfA === innerOfB && stacksFit) return;
  throw new ShapeMismatchError(
    `matMul: a [${a.shape}]${transposeA ? ' transposed' : ''} and b [${b.shape}]${transposeB ? ' transposed' : ''} do not fit`,
    { where: 'matMul', expected: a.shape, received: b.shape },
  );
}
