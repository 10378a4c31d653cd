import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { addressOf, runNative } from '../../worker/kernels/native.ts';
import { median } from './median.ts';

export interface KernelFigures {
  readonly kernel: string;
  readonly shape: string;
  /** Milliseconds, medians. */
  readonly ours: number;
  /** null where tfjs has none, or a wrong one. */
  readonly stock: number | null;
  /** Of the ceiling's floating-point operations; null where a kernel moves memory instead. */
  readonly share: number | null;
}

interface Case {
  readonly kernel: string;
  readonly shape: string;
  /** Floating-point operations; 0 for a kernel that moves memory. */
  readonly operations: number;
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  readonly attrs: object;
}

type Kernels = ReadonlyMap<string, tf.KernelConfig>;

/** What tfjs registers itself; to be called before `startBackend` replaces some of it. */
export async function stockKernels(): Promise<Kernels> {
  await import('@tensorflow/tfjs-backend-wasm');
  return new Map(tf.getKernelsForBackend('wasm').map((config) => [config.kernelName, config]));
}

/** Wrong in 4.22 (docs/kernels.md), so no peer. */
const WRONG = ['MaxPoolGrad', 'AvgPoolGrad'];

/** Each kernel beside tfjs's own and the ceiling, one after the other in every round, on one thread. */
export function benchKernels(stock: Kernels, repeats: number): KernelFigures[] {
  // tfjs does this for kernels that are registered when a backend starts.
  for (const { setupFunc } of stock.values()) setupFunc?.(tf.backend());
  return [...products(), ...convolutions(), ...depthwise(), ...others()].map((about) =>
    measure(about, { stock, repeats }),
  );
}

function measure(about: Case, { stock, repeats }: { stock: Kernels; repeats: number }): KernelFigures {
  const backend = tf.backend() as BackendWasm;
  const { kernel, shape, operations, attrs } = about;
  const inputs = Object.fromEntries(
    Object.entries(about.inputs).map(([name, sizes]) => [name, tf.randomUniform([...sizes], -1, 1)]),
  );
  const ours = tf.getKernel(kernel, 'wasm')!.kernelFunc;
  const peer = WRONG.includes(kernel) ? undefined : stock.get(kernel)?.kernelFunc;
  const time = (run: tf.KernelFunc) =>
    milliseconds(() => dispose(backend, run({ inputs, backend, attrs: attrs as never })));
  const times = { ours: [] as number[], stock: [] as number[], ceiling: [] as number[] };
  // Before each of both: what runs straight after the other finds its tensors in cache.
  const pause = () => times.ceiling.push(ceilingRate(backend));
  for (let round = 0; round <= repeats; round += 1) {
    pause();
    times.ours.push(time(ours));
    if (peer === undefined) continue;
    pause();
    times.stock.push(time(peer));
  }
  tf.dispose(Object.values(inputs));
  const [own, other] = [median(times.ours.slice(1)), median(times.stock.slice(1))];
  const share = operations / (own * 1e6) / median(times.ceiling.slice(1));
  return { kernel, shape, ours: own, stock: peer ? other : null, share: operations > 0 ? share : null };
}

const ROUNDS = 1e6;
const OPERATIONS_A_ROUND = 96;

/** Giga floating-point operations a second in registers. */
function ceilingRate(backend: BackendWasm): number {
  const result = backend.makeOutput([1], 'float32');
  const args = [ROUNDS, addressOf(backend, result)];
  const time = milliseconds(() => runNative(backend, 'ceiling', { args, floats: [0.5] }));
  backend.disposeData(result.dataId);
  return (ROUNDS * OPERATIONS_A_ROUND) / (time * 1e6);
}

function milliseconds(run: () => void): number {
  const start = performance.now();
  run();
  return performance.now() - start;
}

function dispose(backend: BackendWasm, outputs: tf.TensorInfo | tf.TensorInfo[]): void {
  for (const { dataId } of [outputs].flat()) backend.disposeData(dataId);
}

function products(): Case[] {
  return [64, 512].flatMap((size) =>
    [false, true].flatMap((transposeA) =>
      [false, true].map((transposeB) => ({
        kernel: 'BatchMatMul',
        shape: `${size}³${transposeA ? ', left transposed' : ''}${transposeB ? ', right transposed' : ''}`,
        operations: 2 * size ** 3,
        inputs: { a: [1, size, size], b: [1, size, size] },
        attrs: { transposeA, transposeB },
      })),
    ),
  );
}

/** Side, channels in and out, filter size, stride; batch 64. */
const CONVOLUTIONS = [
  [64, 3, 16, 3, 1],
  [64, 16, 16, 3, 1],
  [32, 32, 32, 3, 1],
  [16, 64, 64, 3, 1],
  [8, 128, 128, 3, 1],
  [64, 16, 32, 3, 2],
  [32, 32, 64, 3, 2],
  [32, 16, 96, 1, 1],
  [16, 24, 144, 1, 1],
  [8, 192, 64, 1, 1],
  [8, 64, 160, 1, 1],
] as const;

const BATCH = 64;

function convolutions(): Case[] {
  return CONVOLUTIONS.flatMap(([side, channels, filters, size, strides]) => {
    const out = Math.ceil(side / strides);
    const x = [BATCH, side, side, channels];
    const dy = [BATCH, out, out, filters];
    const filter = [size, size, channels, filters];
    const attrs = { strides, pad: 'same', dataFormat: 'NHWC', dilations: 1, dimRoundingMode: undefined };
    const about = {
      shape: `${side}×${side}×${channels} → ${filters}, ${size}×${size}${strides > 1 ? `, stride ${strides}` : ''}`,
      operations: 2 * BATCH * out ** 2 * size ** 2 * channels * filters,
    };
    return [
      { ...about, kernel: 'Conv2D', inputs: { x, filter }, attrs },
      { ...about, kernel: 'Conv2DBackpropInput', inputs: { dy, filter }, attrs: { ...attrs, inputShape: x } },
      {
        ...about,
        kernel: 'Conv2DBackpropFilter',
        inputs: { x, dy },
        attrs: { ...attrs, filterShape: filter },
      },
    ];
  });
}

/** Side, channels, stride; 3×3, batch 64. */
const DEPTHWISE = [
  [32, 96, 2],
  [16, 144, 1],
  [8, 192, 1],
] as const;

function depthwise(): Case[] {
  return DEPTHWISE.flatMap(([side, channels, strides]) => {
    const out = Math.ceil(side / strides);
    const x = [BATCH, side, side, channels];
    const dy = [BATCH, out, out, channels];
    const filter = [3, 3, channels, 1];
    const attrs = { strides, pad: 'same', dilations: 1, dimRoundingMode: undefined };
    const about = {
      shape: `${side}×${side}×${channels}, 3×3${strides > 1 ? `, stride ${strides}` : ''}`,
      operations: 2 * BATCH * out ** 2 * 9 * channels,
    };
    const named = (kind: string) => `DepthwiseConv2dNative${kind}`;
    return [
      { ...about, kernel: named(''), inputs: { x, filter }, attrs },
      {
        ...about,
        kernel: named('BackpropInput'),
        inputs: { dy, filter },
        attrs: { ...attrs, inputShape: x },
      },
      {
        ...about,
        kernel: named('BackpropFilter'),
        inputs: { x, dy },
        attrs: { ...attrs, filterShape: filter },
      },
    ];
  });
}

function others(): Case[] {
  const x = [BATCH, 64, 64, 16];
  const half = [BATCH, 32, 32, 16];
  const pool = { filterSize: 2, strides: 2, pad: 'valid', dimRoundingMode: undefined };
  const moves = { shape: '64×64×16', operations: 0 };
  const channel = [16];
  return [
    { ...moves, kernel: 'Add', inputs: { a: x, b: x }, attrs: {} },
    { ...moves, kernel: 'Relu', inputs: { x }, attrs: {} },
    { ...moves, kernel: 'Sum', inputs: { x }, attrs: { axis: [0, 1, 2], keepDims: false } },
    { ...moves, kernel: 'Transpose', inputs: { x }, attrs: { perm: [0, 3, 1, 2] } },
    {
      ...moves,
      kernel: 'FusedBatchNorm',
      inputs: { x, mean: channel, variance: channel, offset: channel, scale: channel },
      attrs: { varianceEpsilon: 1.5 }, // variances are drawn from -1 to 1
    },
    { ...moves, kernel: 'MaxPool', inputs: { x }, attrs: pool },
    { ...moves, kernel: 'MaxPoolGrad', inputs: { dy: half, input: x, output: half }, attrs: pool },
    { ...moves, kernel: 'AvgPoolGrad', inputs: { dy: half, input: x }, attrs: pool },
  ];
}
