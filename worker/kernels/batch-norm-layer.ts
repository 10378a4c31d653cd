import { engine, getBackend, mul, serialization, sub, type Tensor, tidy } from '@tensorflow/tfjs-core';
import { BATCH_NORM_TRAINING } from './batch-norm-training.ts';

interface LayerWeight {
  read(): Tensor;
  write(value: Tensor): unknown;
}

/** What tfjs-layers' BatchNormalization is, as far as `call` needs it. */
interface BatchNormLayer {
  readonly axis: number;
  readonly momentum: number;
  readonly epsilon: number;
  readonly gamma?: LayerWeight | null;
  readonly beta?: LayerWeight | null;
  readonly movingMean: LayerWeight;
  readonly movingVariance: LayerWeight;
  call: LayerCall;
}

type LayerCall = (
  this: BatchNormLayer,
  inputs: Tensor | Tensor[],
  options: { training?: boolean },
) => Tensor | Tensor[];

const replaced = new WeakSet<LayerCall>();

/**
 * Lets every BatchNormalization layer of tfjs-layers run one kernel in training mode while backend wasm runs. Its own
 * `call` composes mean, difference, square and mean again, and their gradients, from a dozen passes over the batch.
 *
 * The class is found where tfjs-layers has registered it, so nothing is loaded that is not loaded yet.
 */
export function replaceBatchNormCall(): void {
  const { classNameMap } = serialization.SerializationMap.getMap();
  const layer = classNameMap.BatchNormalization?.[0].prototype as BatchNormLayer | undefined;
  if (layer === undefined || replaced.has(layer.call)) return;
  const stock = layer.call;
  layer.call = function call(inputs, options) {
    const x = Array.isArray(inputs) ? inputs[0]! : inputs;
    if (options?.training !== true || !isCovered(this, x)) return stock.call(this, inputs, options);
    return normalizeByBatch(this, x);
  };
  replaced.add(layer.call);
}

/** Channels last, scaled and centred; what else there is, tfjs-layers does itself or refuses. */
function isCovered({ axis, gamma, beta }: BatchNormLayer, x: Tensor): boolean {
  const isLast = axis === -1 || axis === x.rank - 1;
  return (
    getBackend() === 'wasm' && isLast && Boolean(gamma && beta) && x.rank >= 2 && x.rank <= 4 && x.size > 0
  );
}

function normalizeByBatch(layer: BatchNormLayer, x: Tensor): Tensor {
  return tidy(() => {
    const inputs = { x, scale: layer.gamma!.read(), offset: layer.beta!.read() };
    const results = engine().runKernel(BATCH_NORM_TRAINING, inputs, { epsilon: layer.epsilon }) as Tensor[];
    const [y, mean, variance] = results as [Tensor, Tensor, Tensor];
    moveTowards(layer.movingMean, mean, layer.momentum);
    moveTowards(layer.movingVariance, variance, layer.momentum);
    return y;
  });
}

/** w − (w − value) · (1 − momentum), rounded as tfjs-layers rounds it */
function moveTowards(weight: LayerWeight, value: Tensor, momentum: number): void {
  const old = weight.read();
  weight.write(sub(old, mul(sub(old, value), 1 - momentum)));
}
