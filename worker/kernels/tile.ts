import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { type TensorInfo, type TileAttrs, type TileInputs, util } from '@tensorflow/tfjs-core';
import type { KernelCall } from './heap.ts';

/**
 * Repeats a tensor along its axes by block copies. The stock kernel computes the place of every element,
 * which makes it the slowest step of batch norm's gradient.
 *
 * The result grows in place, innermost axis first: after each axis the buffer begins with the values so far.
 *
 * @param inputs  x [..., D_i, ...]; float32, int32 or bool
 * @returns [..., D_i · reps_i, ...]
 */
export function tile({
  inputs: { x },
  attrs: { reps },
  backend,
}: KernelCall<TileInputs, TileAttrs>): TensorInfo {
  const shape = x.shape.map((size, axis) => size * reps[axis]!);
  const tiled = backend.makeOutput(shape, x.dtype);
  if (util.sizeFromShape(shape) === 0) return tiled;
  const bytes = bytesOf(backend, tiled);
  bytes.set(bytesOf(backend, x));
  for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
    const inner = util.sizeFromShape(shape.slice(axis + 1));
    repeatBlocks(bytes, {
      blocks: util.sizeFromShape(x.shape.slice(0, axis)),
      length: x.shape[axis]! * inner * util.bytesPerElement(x.dtype),
      times: reps[axis]!,
    });
  }
  return tiled;
}

function bytesOf(backend: BackendWasm, tensor: TensorInfo): Uint8Array {
  const { buffer, byteOffset, byteLength } = backend.typedArrayFromHeap(tensor);
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** [blocks, length] → [blocks, times · length] in place; the last block moves first, so none is overwritten. */
function repeatBlocks(
  bytes: Uint8Array,
  { blocks, length, times }: { blocks: number; length: number; times: number },
): void {
  if (times === 1) return;
  for (let block = blocks - 1; block >= 0; block -= 1) {
    const start = block * times * length;
    bytes.copyWithin(start, block * length, (block + 1) * length);
    for (let filled = length; filled < times * length; filled *= 2) {
      bytes.copyWithin(start + filled, start, start + Math.min(filled, times * length - filled));
    }
  }
}
