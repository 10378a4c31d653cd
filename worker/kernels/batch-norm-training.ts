import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { engine, type GradConfig, type Tensor, type TensorInfo, tensor1d, util } from '@tensorflow/tfjs-core';
import { type Bounds, channelTensor, gradientSums, normalized, type Passage, passing } from './batch-norm.ts';
import { floats, type KernelCall, release } from './heap.ts';
import { addressOf, runNative } from './native.ts';
import { foldedSum, foldsFor, partsFor } from './parts.ts';
import { doubles } from './reductions.ts';

/** Names of the two kernels. */
export const BATCH_NORM_TRAINING = 'BatchNormTraining';
export const BATCH_NORM_TRAINING_GRADIENT = 'BatchNormTrainingGradient';

/** With bounds where a relu follows. */
interface Attributes extends Partial<Bounds> {
  readonly epsilon: number;
}

/**
 * Batch norm by the statistics of the batch itself, over all but the last axis.
 *
 *   y = (x − mean) · scale / √(variance + ε) + offset,   variance = Σ(x − mean)² / N
 *
 * @param inputs  x [..., C], scale and offset [C]
 * @returns y [..., C], mean [C], variance [C], and what float32 leaves out of the mean [C]: for a mean far above
 *   the deviation that is much, measured by the deviation
 */
export function batchNormTraining({
  inputs: { x, scale, offset },
  attrs: { epsilon, highest },
  backend,
}: KernelCall<Record<'x' | 'scale' | 'offset', TensorInfo>, Attributes>): TensorInfo[] {
  const { means, variances } = momentsOf(backend, x);
  const rounded = Float32Array.from(means);
  const roundedVariances = Float32Array.from(variances);
  const rests = Float32Array.from(means, (mean, channel) => mean - rounded[channel]!);
  const { factors, shifts } = factorsOf(backend, {
    scale,
    offset,
    epsilon,
    variances: roundedVariances,
    rests,
  });
  const bounds = highest === undefined ? undefined : { highest };
  const y = normalized(backend, { x, means: rounded, factors, shifts }, bounds);
  const statistics = [rounded, roundedVariances, rests].map((list) => {
    const tensor = channelTensor(backend, [list]);
    return { ...tensor, shape: [list.length] };
  });
  return [y, ...statistics];
}

/**
 * Of each channel, in float64: from the same float32 forward and backward, where a relu is to let through the same.
 *
 * @param rests  what float32 leaves out of the means
 */
function factorsOf(
  backend: BackendWasm,
  {
    scale,
    offset,
    epsilon,
    variances,
    rests,
  }: Record<'scale' | 'offset', TensorInfo> & Record<'variances' | 'rests', Float32Array> & Attributes,
): Record<'inverses' | 'factors' | 'shifts', Float64Array> {
  const scales = floats(backend, scale);
  const offsets = floats(backend, offset);
  const inverses = new Float64Array(variances).map((variance) => 1 / Math.sqrt(variance + epsilon));
  const factors = inverses.map((inverse, channel) => scales[channel]! * inverse);
  const shifts = factors.map((factor, channel) => offsets[channel]! - rests[channel]! * factor);
  return { inverses, factors, shifts };
}

/** Over all but the last axis, in float64. */
function momentsOf(backend: BackendWasm, x: TensorInfo): Record<'means' | 'variances', Float64Array> {
  const length = util.sizeFromShape(x.shape);
  const folds = foldsFor(length / x.shape.at(-1)!, x.shape.at(-1)!);
  const channels = x.shape.at(-1)! * folds;
  const rows = length / channels;
  const pieces = partsFor(length, rows);
  const moments = backend.makeOutput([4 * pieces * channels], 'float32'); // float64
  const at = addressOf(backend, moments);
  const args = [addressOf(backend, x), at, rows, channels, pieces];
  runNative(backend, 'momentsOfPieces', { args, parts: pieces, scratchBytes: 4 * channels });
  runNative(backend, 'joinMoments', { args: [at, rows, channels, pieces] });
  const values = doubles(backend, moments);
  const means = values.slice(0, channels);
  const squares = values.slice(channels, 2 * channels);
  release(backend, moments);
  return joined({ means, squares, rows, folds });
}

/** Means and variances of lists of `folds` times the channels, each over as many rows. */
function joined({
  means,
  squares,
  rows,
  folds,
}: Record<'means' | 'squares', Float64Array> & Record<'rows' | 'folds', number>) {
  const joint = foldedSum(means, folds).map((sum) => sum / folds);
  const apart = means.map((mean, place) => rows * (mean - joint[place % joint.length]!) ** 2);
  const within = foldedSum(squares, folds);
  const between = foldedSum(apart, folds);
  const variances = within.map((sum, channel) => (sum + between[channel]!) / (rows * folds));
  return { means: joint, variances };
}

/**
 * Gradients of `batchNormTraining`, whose mean and variance move with x. With x̂ = (x − mean) / √(variance + ε) and
 * sums over the N rows:
 *
 *   dscale = Σ dy · x̂,   doffset = Σ dy,   dx = scale / √(variance + ε) · (dy − doffset / N − x̂ · dscale / N)
 *
 * @param inputs  dy, x [..., C], scale, offset, mean, variance, rest [C]
 * @param attrs  `withInput`: is dx asked for?
 * @returns dscale and doffset [2, C], and dx when asked for
 */
export function batchNormTrainingGradient({
  inputs: { dy, x, scale, offset, mean, variance, rest },
  attrs: { epsilon, highest, withInput },
  backend,
}: KernelCall<
  Record<'dy' | 'x' | 'scale' | 'offset' | 'mean' | 'variance' | 'rest', TensorInfo>,
  Attributes & { withInput: boolean }
>): TensorInfo[] {
  const means = floats(backend, mean).slice();
  const rests = floats(backend, rest).slice();
  const variances = floats(backend, variance).slice();
  const { inverses, factors, shifts } = factorsOf(backend, { scale, offset, epsilon, variances, rests });
  const passage = highest === undefined ? undefined : { highest, shifts };
  const { slopes, products } = gradientSums(backend, { dy, x }, { means, factors, passage });
  const byScale = products.map(
    (product, channel) => (product - rests[channel]! * slopes[channel]!) * inverses[channel]!,
  );
  const sums = channelTensor(backend, [byScale, slopes]);
  if (!withInput) return [sums];
  const rows = util.sizeFromShape(x.shape) / means.length;
  const tilts = factors.map((factor, channel) => (factor * inverses[channel]! * byScale[channel]!) / rows);
  const back = factors.map(
    (factor, channel) => (factor * slopes[channel]!) / rows - rests[channel]! * tilts[channel]!,
  );
  return [sums, inputGradient(backend, { dy, x, passage }, [means, factors, tilts, back])];
}

/**
 * dx = dy · factor − ((x − mean) · tilt + shift)
 *
 * @param byChannel  means, factors, tilts, shifts
 */
function inputGradient(
  backend: BackendWasm,
  { dy, x, passage }: Record<'dy' | 'x', TensorInfo> & { passage: Passage | undefined },
  byChannel: readonly ArrayLike<number>[],
): TensorInfo {
  const dx = backend.makeOutput(x.shape, 'float32');
  const length = util.sizeFromShape(x.shape);
  const size = byChannel[0]!.length;
  const folds = foldsFor(length / size, size);
  const rows = length / size / folds;
  const parts = partsFor(length, rows);
  const lists = channelTensor(backend, [...byChannel, passage?.shifts ?? byChannel[0]!], folds);
  const [means, factors, tilts, shifts, shiftsOfY] = [0, 1, 2, 3, 4].map(
    (list) => addressOf(backend, lists) + 4 * size * folds * list,
  );
  const args = [dy, x].map((tensor) => addressOf(backend, tensor));
  args.push(means!, factors!, tilts!, shifts!, addressOf(backend, dx), rows, size * folds, parts);
  args.push(passage ? shiftsOfY! : 0);
  runNative(backend, 'normalizeGradient', { args, floats: passing(passage), parts });
  release(backend, lists);
  return dx;
}

/** Mean and variance are for the running statistics only: nothing flows back from them. */
export const batchNormTrainingGradientConfig: GradConfig = {
  kernelName: BATCH_NORM_TRAINING,
  inputsToSave: ['x', 'scale', 'offset'],
  outputsToSave: [false, true, true, true],
  gradFunc: (dys, saved, attrs) => {
    const [x, scale, offset, mean, variance, rest] = saved as [
      Tensor,
      Tensor,
      Tensor,
      Tensor,
      Tensor,
      Tensor,
    ];
    const inputs = { dy: (dys as Tensor[])[0]!, x, scale, offset, mean, variance, rest };
    let known: Float32Array | undefined;
    const evaluate = (withInput: boolean): Tensor => {
      const results = engine().runKernel(BATCH_NORM_TRAINING_GRADIENT, inputs, { ...attrs, withInput });
      known = (results as Tensor[])[0]!.dataSync() as Float32Array;
      return (results as Tensor[]).at(-1)!;
    };
    const sums = (start: number) => () => {
      if (known === undefined) evaluate(false);
      return tensor1d(known!.slice(start, start + mean.size));
    };
    return { x: () => evaluate(true), scale: sums(0), offset: sums(mean.size) };
  },
};
