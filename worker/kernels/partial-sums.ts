import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import { release } from './heap.ts';
import { addressOf, runNative } from './native.ts';

/** Numbers that are worth a part of their own. */
const PART_LENGTH = 2 ** 12;

interface Sum {
  readonly shape: number[];
  readonly parts: number;
  /** Writes the share of each part of the work [parts, ...shape] to an address. */
  readonly run: (target: number) => void;
}

/** Adds what the parts of a piece of work each come to, always in the same order. */
export function sumOfParts(backend: BackendWasm, { shape, parts, run }: Sum): TensorInfo {
  const sum = backend.makeOutput(shape, 'float32');
  if (parts === 1) {
    run(addressOf(backend, sum));
    return sum;
  }
  const shares = backend.makeOutput([parts, ...shape], 'float32');
  run(addressOf(backend, shares));
  const length = util.sizeFromShape(shape);
  const pieces = Math.max(1, Math.min(16, Math.floor((parts * length) / PART_LENGTH)));
  runNative(backend, 'addPartialSums', {
    args: [addressOf(backend, shares), parts, length, addressOf(backend, sum), pieces],
    parts: pieces,
  });
  release(backend, shares);
  return sum;
}
