import type { TensorInfo, UnsortedSegmentSumAttrs, UnsortedSegmentSumInputs } from '@tensorflow/tfjs-core';
import { util } from '@tensorflow/tfjs-core';
import { floats, type KernelCall, zeros } from './heap.ts';

/**
 * Sum of the rows of each segment; the gradient of `gather`, hence of an embedding.
 *
 *   y[s] = Σ_{i : segmentIds[i] = s} x[i]
 *
 * Rows whose id lies outside [0, S) are left out, as in the other backends.
 *
 * @param inputs  x [N, ...], segmentIds [N] int32
 * @returns [S, ...]
 */
export function unsortedSegmentSum({
  inputs: { x, segmentIds },
  attrs: { numSegments },
  backend,
}: KernelCall<UnsortedSegmentSumInputs, UnsortedSegmentSumAttrs>): TensorInfo {
  const rowShape = x.shape.slice(1);
  const sums = zeros(backend, [numSegments, ...rowShape]);
  const source = floats(backend, x);
  const target = floats(backend, sums);
  const length = util.sizeFromShape(rowShape);
  backend.typedArrayFromHeap(segmentIds).forEach((segment, row) => {
    if (segment < 0 || segment >= numSegments) return;
    for (let at = 0; at < length; at += 1) target[segment * length + at]! += source[row * length + at]!;
  });
  return sums;
}
