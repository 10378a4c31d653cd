import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import {
  engine,
  FusedBatchNorm,
  type FusedBatchNormAttrs,
  type FusedBatchNormInputs,
  type Tensor,
  type TensorInfo,
  tensor1d,
  util,
} from '@tensorflow/tfjs-core';
import type { WasmGradient } from './gradients.ts';
import { floats, type KernelCall, release } from './heap.ts';
import { addressOf, runNative } from './native.ts';
import { foldedSum, foldsFor, partsFor } from './parts.ts';
import { doubles } from './reductions.ts';
import { runStock } from './stock.ts';

/** Name of the kernel of all its gradients. */
export const BATCH_NORM_GRADIENT = 'FusedBatchNormGradient';

type Inputs = KernelCall<FusedBatchNormInputs, unknown>['inputs'];

/**
 * Batch norm by given statistics, of which there is one for each channel.
 *
 *   y = (x − mean) · scale / √(variance + ε) + offset
 *
 * @param inputs  x [..., C], the others [C], scale and offset may be absent; other shapes are left to stock
 */
export function fusedBatchNorm(call: KernelCall<FusedBatchNormInputs, FusedBatchNormAttrs>): TensorInfo {
  const { inputs, attrs, backend } = call;
  const { x, mean } = inputs;
  if (!isByChannel(inputs)) return runStock(FusedBatchNorm, call);
  const factors = factorsOf(backend, inputs, attrs.varianceEpsilon);
  const shifts = offsetsOf(backend, inputs);
  return normalized(backend, { x, means: floats(backend, mean).slice(), factors, shifts });
}

const isByChannel = ({ x, mean }: Inputs): boolean =>
  mean.shape.length === 1 && util.sizeFromShape(x.shape) > 0;

/** scale / √(variance + ε) of each channel. */
function factorsOf(
  backend: BackendWasm,
  { variance, scale }: Pick<Inputs, 'variance' | 'scale'>,
  epsilon: number,
): Float64Array {
  const scales = scale && floats(backend, scale);
  return new Float64Array(floats(backend, variance)).map(
    (value, channel) => (scales?.[channel] ?? 1) / Math.sqrt(value + epsilon),
  );
}

const offsetsOf = (backend: BackendWasm, { offset, mean }: Inputs): ArrayLike<number> =>
  offset ? floats(backend, offset).slice() : new Float32Array(mean.shape[0]!);

/** (x − mean) · factor + shift, each of the three by channel. */
export function normalized(
  backend: BackendWasm,
  {
    x,
    means,
    factors,
    shifts,
  }: { x: TensorInfo } & Record<'means' | 'factors' | 'shifts', ArrayLike<number>>,
): TensorInfo {
  const y = backend.makeOutput(x.shape, 'float32');
  const length = util.sizeFromShape(x.shape);
  const folds = foldsFor(length / means.length, means.length);
  const channels = means.length * folds;
  const rows = length / channels;
  const byChannel = channelTensor(backend, [means, factors, shifts], folds);
  const parts = partsFor(length, rows);
  const at = addressOf(backend, byChannel);
  const args = [addressOf(backend, x), at, at + 4 * channels, at + 8 * channels, addressOf(backend, y)];
  runNative(backend, 'normalize', { args: [...args, rows, channels, parts], parts });
  release(backend, byChannel);
  return y;
}

/**
 * Lists of numbers, one for each channel, each so many times, one after the other; the caller releases it.
 *
 * @param lists  no views of the heap, which may grow here
 */
export function channelTensor(
  backend: BackendWasm,
  lists: readonly ArrayLike<number>[],
  times = 1,
): TensorInfo {
  const length = lists[0]!.length;
  const tensor = backend.makeOutput([lists.length, length * times], 'float32');
  const values = floats(backend, tensor);
  lists.forEach((list, index) => {
    for (let time = 0; time < times; time += 1) values.set(list, (index * times + time) * length);
  });
  return tensor;
}

/** By channel, in float64. */
interface Sums {
  /** Σ dy */
  readonly slopes: Float64Array;
  /** Σ dy · (x − mean) */
  readonly products: Float64Array;
}

/**
 * Sums over all but the last axis.
 *
 * @param means  of each channel, as float32
 * @param into  where dy · factor is to be written, with the factors
 */
export function gradientSums(
  backend: BackendWasm,
  { dy, x, means }: { dy: TensorInfo; x: TensorInfo; means: ArrayLike<number> },
  into?: { dx: TensorInfo; factors: ArrayLike<number> },
): Sums {
  const length = util.sizeFromShape(x.shape);
  const folds = foldsFor(length / means.length, means.length);
  const channels = means.length * folds;
  const rows = length / channels;
  const pieces = partsFor(2 * length, rows);
  const byChannel = channelTensor(backend, [means, into?.factors ?? means], folds);
  const sums = backend.makeOutput([4 * pieces * channels], 'float32'); // float64
  const at = addressOf(backend, byChannel);
  const places = [dy, x].map((tensor) => addressOf(backend, tensor));
  const dx = into ? addressOf(backend, into.dx) : 0;
  const args = [...places, at, at + 4 * channels, dx, addressOf(backend, sums), rows, channels, pieces];
  runNative(backend, 'normalizeSums', { args, parts: pieces });
  runNative(backend, 'addPieces', { args: [addressOf(backend, sums), 1, pieces, 2 * channels] });
  const values = doubles(backend, sums);
  const slopes = foldedSum(values.slice(0, channels), folds);
  const products = foldedSum(values.slice(channels, 2 * channels), folds);
  release(backend, byChannel, sums);
  return { slopes, products };
}

/**
 * Gradients of `fusedBatchNorm` in one pass over dy and x.
 *
 *   dx = dy · scale / √(variance + ε)
 *
 * @param inputs  dy, x [..., C], mean, variance, scale [C]
 * @param attrs  `withInput`: is dx asked for?
 * @returns Σ dy and Σ dy · (x − mean) [2, C], and dx when asked for
 */
export function fusedBatchNormGradient({
  inputs,
  attrs: { varianceEpsilon, withInput },
  backend,
}: KernelCall<
  Record<'dy', TensorInfo> & FusedBatchNormInputs,
  FusedBatchNormAttrs & { withInput: boolean }
>) {
  const factors = factorsOf(backend, inputs, varianceEpsilon);
  const means = floats(backend, inputs.mean).slice();
  const dx = withInput ? [backend.makeOutput(inputs.x.shape, 'float32')] : [];
  const sums = gradientSums(
    backend,
    { dy: inputs.dy, x: inputs.x, means },
    withInput ? { dx: dx[0]!, factors } : undefined,
  );
  return [channelTensor(backend, [sums.slopes, sums.products]), ...dx];
}

/**
 * The sums are found along with dx, if that is asked for first, and kept as numbers: tfjs disposes every tensor that
 * one gradient makes before it asks for the next.
 */
export const batchNormGradient: WasmGradient = (dy, saved, attrs) => {
  const [x, mean, variance, scale] = saved as [Tensor, Tensor, Tensor, Tensor?];
  if (mean.rank !== 1 || x.size === 0) return null;
  const { varianceEpsilon } = attrs as unknown as FusedBatchNormAttrs;
  let known: Float32Array | undefined;
  const evaluate = (withInput: boolean): Tensor => {
    const inputs = { dy, x, mean, variance, ...(scale && { scale }) };
    const results = engine().runKernel(BATCH_NORM_GRADIENT, inputs, { varianceEpsilon, withInput });
    known = (results as Tensor[])[0]!.dataSync() as Float32Array;
    return (results as Tensor[]).at(-1)!;
  };
  const byChannel =
    (formula: (sums: Record<'slope' | 'product' | 'inverse' | 'scale', number>) => number) => () => {
      if (known === undefined) evaluate(false);
      const sums = known!;
      const scales = scale?.dataSync();
      const values = variance.dataSync().map((value, channel) =>
        formula({
          slope: sums[channel]!,
          product: sums[mean.size + channel]!,
          inverse: 1 / Math.sqrt(value + varianceEpsilon),
          scale: scales?.[channel] ?? 1,
        }),
      );
      return tensor1d(values);
    };
  return {
    x: () => evaluate(true),
    mean: byChannel(({ slope, inverse, scale }) => -slope * inverse * scale),
    variance: byChannel(({ product, inverse, scale }) => -0.5 * product * inverse ** 3 * scale),
    scale: byChannel(({ product, inverse }) => product * inverse),
    offset: byChannel(({ slope }) => slope),
  };
};
