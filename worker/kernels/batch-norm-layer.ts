import { engine, getBackend, mul, sub, type Tensor, tidy } from '@tensorflow/tfjs-core';
import { BATCH_NORM_RELU } from './batch-norm.ts';
import { BATCH_NORM_TRAINING } from './batch-norm-training.ts';
import { boundAfter, type GraphLayer, replaceCall } from './layer-graph.ts';

interface LayerWeight {
  read(): Tensor;
  write(value: Tensor): unknown;
}

/** What tfjs-layers' BatchNormalization is, as far as `call` needs it. */
interface BatchNormLayer extends GraphLayer {
  readonly axis: number;
  readonly momentum: number;
  readonly epsilon: number;
  readonly gamma?: LayerWeight | null;
  readonly beta?: LayerWeight | null;
  readonly movingMean: LayerWeight;
  readonly movingVariance: LayerWeight;
}

const rectified = new WeakSet<Tensor>();

/** Has the relu that follows been done already? */
export const isRectified = (tensor: Tensor): boolean => rectified.has(tensor);

/**
 * Lets every BatchNormalization layer of tfjs-layers run one kernel while backend wasm runs: in training mode, whose
 * own `call` composes mean, difference, square and mean again, and their gradients, from a dozen passes over the
 * batch; and where its only reader is a relu, which is then done in the same pass.
 */
export function replaceBatchNormCall(): void {
  replaceCall<BatchNormLayer>(
    'BatchNormalization',
    (stock) =>
      function call(inputs, options) {
        return normalized(this, inputs, options) ?? stock.call(this, inputs, options);
      },
  );
}

/** null where tfjs-layers is to do it. */
function normalized(
  layer: BatchNormLayer,
  inputs: Tensor | Tensor[],
  options: { readonly training?: boolean },
): Tensor | null {
  const x = Array.isArray(inputs) ? inputs[0]! : inputs;
  const isTraining = options?.training === true;
  const highest = boundAfter(layer);
  if (!isCovered(layer, x) || (!isTraining && highest === null)) return null;
  const y = (isTraining ? byBatch : byStatistics)(layer, x, highest === null ? {} : { highest });
  if (highest !== null) rectified.add(y);
  return y;
}

/** Channels last, scaled and centred; what else there is, tfjs-layers does itself or refuses. */
function isCovered({ axis, gamma, beta }: BatchNormLayer, x: Tensor): boolean {
  const isLast = axis === -1 || axis === x.rank - 1;
  return (
    getBackend() === 'wasm' && isLast && Boolean(gamma && beta) && x.rank >= 2 && x.rank <= 4 && x.size > 0
  );
}

interface Bounds {
  readonly highest?: number;
}

function byStatistics(layer: BatchNormLayer, x: Tensor, bounds: Bounds): Tensor {
  const { gamma, beta, movingMean, movingVariance, epsilon } = layer;
  const inputs = {
    x,
    scale: gamma!.read(),
    offset: beta!.read(),
    mean: movingMean.read(),
    variance: movingVariance.read(),
  };
  return engine().runKernel(BATCH_NORM_RELU, inputs, { varianceEpsilon: epsilon, ...bounds }) as Tensor;
}

function byBatch(layer: BatchNormLayer, x: Tensor, bounds: Bounds): Tensor {
  return tidy(() => {
    const inputs = { x, scale: layer.gamma!.read(), offset: layer.beta!.read() };
    const attrs = { epsilon: layer.epsilon, ...bounds };
    const results = engine().runKernel(BATCH_NORM_TRAINING, inputs, attrs) as Tensor[];
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
