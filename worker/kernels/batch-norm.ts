import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import {
  engine,
  FusedBatchNorm,
  type FusedBatchNormAttrs,
  type FusedBatchNormInputs,
  type GradConfig,
  type NamedAttrMap,
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
import { EVERYTHING, nextFloat, type Range } from './relu.ts';
import { runStock } from './stock.ts';

/** Name of the kernel that does a relu as well. */
export const BATCH_NORM_RELU = 'BatchNormRelu';
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

/** Batch norm by given statistics and the relu after it, in one pass; all inputs are there. */
export function batchNormRelu({
  inputs,
  attrs: { varianceEpsilon, highest },
  backend,
}: KernelCall<FusedBatchNormInputs, FusedBatchNormAttrs & Bounds>): TensorInfo {
  const factors = factorsOf(backend, inputs, varianceEpsilon);
  const shifts = offsetsOf(backend, inputs);
  const means = floats(backend, inputs.mean).slice();
  return normalized(backend, { x: inputs.x, means, factors, shifts }, { highest });
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

/** A relu that follows batch norm and is done with it: the range of what it returns. */
export type Bounds = Pick<Range, 'highest'>;

/** (x − mean) · factor + shift, each of the three by channel, within the bounds of a relu if one follows. */
export function normalized(
  backend: BackendWasm,
  {
    x,
    means,
    factors,
    shifts,
  }: { x: TensorInfo } & Record<'means' | 'factors' | 'shifts', ArrayLike<number>>,
  bounds?: Bounds,
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
  const { lowest, highest } = bounds ? { lowest: 0, ...bounds } : EVERYTHING;
  runNative(backend, 'normalize', {
    args: [...args, rows, channels, parts],
    floats: [lowest, highest],
    parts,
  });
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

/** What of y let dy through, for the gradient of a relu that followed. */
export interface Passage extends Bounds {
  readonly shifts: ArrayLike<number>;
}

/** Floats of the kernels: the lowest and highest y that let dy through. tfjs's gradient of relu is 0 at 0. */
export const passing = (passage: Passage | undefined): number[] =>
  passage ? [nextFloat(0, 1), passage.highest] : [];

/**
 * Sums over all but the last axis.
 *
 * @param byChannel  means and factors of each channel, as float32, and shifts where a relu followed
 * @param dx  where dy · factor is to be written, if at all
 */
export function gradientSums(
  backend: BackendWasm,
  { dy, x, dx }: { dy: TensorInfo; x: TensorInfo; dx?: TensorInfo | undefined },
  {
    means,
    factors,
    passage,
  }: Record<'means' | 'factors', ArrayLike<number>> & { passage: Passage | undefined },
): Sums {
  const length = util.sizeFromShape(x.shape);
  const folds = foldsFor(length / means.length, means.length);
  const channels = means.length * folds;
  const rows = length / channels;
  const pieces = partsFor(2 * length, rows);
  const byChannel = channelTensor(backend, [means, factors, passage?.shifts ?? means], folds);
  const sums = backend.makeOutput([4 * pieces * channels], 'float32'); // float64
  const [ofMeans, ofFactors, ofShifts] = [0, 1, 2].map(
    (list) => addressOf(backend, byChannel) + 4 * channels * list,
  );
  const places = [dy, x].map((tensor) => addressOf(backend, tensor));
  const args = [...places, ofMeans!, ofFactors!, dx ? addressOf(backend, dx) : 0, addressOf(backend, sums)];
  args.push(rows, channels, pieces, passage ? ofShifts! : 0);
  runNative(backend, 'normalizeSums', { args, floats: passing(passage), parts: pieces });
  runNative(backend, 'addPieces', { args: [addressOf(backend, sums), 1, pieces, 2 * channels] });
  const values = doubles(backend, sums);
  const slopes = foldedSum(values.slice(0, channels), folds);
  const products = foldedSum(values.slice(channels, 2 * channels), folds);
  release(backend, byChannel, sums);
  return { slopes, products };
}

type GradientAttributes = FusedBatchNormAttrs & Partial<Bounds> & { readonly withInput: boolean };

/**
 * Gradients of `fusedBatchNorm` or `batchNormRelu` in one pass over dy and x.
 *
 *   dx = dy · scale / √(variance + ε)
 *
 * @param inputs  dy, x [..., C], mean, variance, scale, and offset where a relu followed [C]
 * @param attrs  `withInput`: is dx asked for?
 * @returns Σ dy and Σ dy · (x − mean) [2, C], and dx when asked for
 */
export function fusedBatchNormGradient({
  inputs,
  attrs: { varianceEpsilon, withInput, highest },
  backend,
}: KernelCall<Record<'dy', TensorInfo> & FusedBatchNormInputs, GradientAttributes>): TensorInfo[] {
  const factors = factorsOf(backend, inputs, varianceEpsilon);
  const means = floats(backend, inputs.mean).slice();
  const passage = highest === undefined ? undefined : { highest, shifts: offsetsOf(backend, inputs) };
  const dx = withInput ? backend.makeOutput(inputs.x.shape, 'float32') : undefined;
  const sums = gradientSums(backend, { ...inputs, dx }, { means, factors, passage });
  return [channelTensor(backend, [sums.slopes, sums.products]), ...(dx ? [dx] : [])];
}

/** As tfjs's own, and with what a relu that followed needs. */
export const batchNormReluGradientConfig: GradConfig = {
  kernelName: BATCH_NORM_RELU,
  inputsToSave: ['x', 'mean', 'variance', 'scale', 'offset'],
  gradFunc: (dy, saved, attrs) => batchNormGradient(dy as Tensor, saved, attrs)!,
};

/**
 * The sums are found along with dx, if that is asked for first, and kept as numbers: tfjs disposes every tensor that
 * one gradient makes before it asks for the next.
 */
export function batchNormGradient(
  dy: Tensor,
  saved: readonly Tensor[],
  attrs: NamedAttrMap,
): ReturnType<WasmGradient> {
  const [x, mean, variance, scale, offset] = saved as [Tensor, Tensor, Tensor, Tensor?, Tensor?];
  if (mean.rank !== 1 || x.size === 0) return null;
  const { varianceEpsilon } = attrs as unknown as FusedBatchNormAttrs;
  let known: Float32Array | undefined;
  const evaluate = (withInput: boolean): Tensor => {
    const inputs = { dy, x, mean, variance, ...(scale && { scale }), ...(offset && { offset }) };
    const results = engine().runKernel(BATCH_NORM_GRADIENT, inputs, { ...attrs, withInput });
    known = (results as Tensor[])[0]!.dataSync() as Float32Array;
    return (results as Tensor[]).at(-1)!;
  };
  const byChannel = (formula: (sums: ChannelSums) => number) => () => {
    if (known === undefined) evaluate(false);
    const scales = scale?.dataSync();
    const values = variance.dataSync().map((value, channel) =>
      formula({
        slope: known![channel]!,
        product: known![mean.size + channel]!,
        inverse: 1 / Math.sqrt(value + varianceEpsilon),
        scale: scales?.[channel] ?? 1,
      }),
    );
    return tensor1d(values);
  };
  return {
    x: () => evaluate(true),
    mean: byChannel(({ slope, inverse, scale: factor }) => -slope * inverse * factor),
    variance: byChannel(({ product, inverse, scale: factor }) => -0.5 * product * inverse ** 3 * factor),
    scale: byChannel(({ product, inverse }) => product * inverse),
    offset: byChannel(({ slope }) => slope),
  };
}

type ChannelSums = Record<'slope' | 'product' | 'inverse' | 'scale', number>;
