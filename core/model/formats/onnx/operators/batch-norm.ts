import type { Tensor, Tensor1D, Tensor4D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { ForwardMode } from '../../../classifier.ts';
import type { Call, Operator } from '../call.ts';
import { malformed, slotAt, unsupported } from '../call.ts';
import { channelsLast, range } from '../shapes.ts';
import type { Slot } from '../values.ts';

/**
 * Kernels that backend wasm has beyond those of tfjs: batch norm with the relu behind it, and by the statistics of
 * the batch itself, each in one pass where tfjs's operations take several.
 */
export const BATCH_NORM_KERNELS = { relu: 'BatchNormRelu', training: 'BatchNormTraining' } as const;

/** Batch norm, and the relu behind it where nothing else reads what it gives. */
export const BATCH_NORM: Readonly<Record<string, Operator>> = {
  BatchNormalization: (call) => [batchNorm(call)],
};

function batchNorm(call: Call): Slot {
  const { lowering, node } = call;
  if (node.attributes.int('training_mode', 0) === 1) {
    throw unsupported(call, 'expected a model in inference mode, received one exported in training mode');
  }
  const slot = withChannelsLast(call);
  if (slot.shape.length > 4)
    throw unsupported(call, `expected at most 4 axes, received ${slot.shape.length}`);
  const perChannel = [1, 2, 3, 4].map((place) => channelsAt(call, place, slot.shape[1]!));
  const settings: Settings = {
    epsilon: node.attributes.float('epsilon', 1e-5),
    momentum: node.attributes.float('momentum', 0.9),
    isRectified: call.isRectified,
  };
  const { shape, order } = slot;
  return lowering.emit(node.op, [slot, ...perChannel], {
    shape,
    order,
    run: ([x, scale, offset, mean, variance], mode) =>
      normalize({ x, scale, offset, mean, variance } as Inputs, mode, settings),
  });
}

/** The axis of channels, which the file calls 1, is the last in memory. */
function withChannelsLast(call: Call): Slot {
  const slot = slotAt(call, 0);
  if (slot.shape.length < 2) {
    throw malformed(call, `expected [batch, channels, …], received [${slot.shape.join(', ')}]`);
  }
  return slot.order.at(-1) === 1 ? slot : call.lowering.ordered(slot, channelsLast(slot.shape.length));
}

function channelsAt(call: Call, place: number, count: number): Slot {
  const slot = slotAt(call, place);
  if (slot.shape.join() === `${count}`) return slot;
  throw malformed(call, `expected ${count} entries at place ${place}, received [${slot.shape.join(', ')}]`);
}

/** x [..., C], the others [C] */
type Inputs = Readonly<Record<'x' | 'scale' | 'offset' | 'mean' | 'variance', Tensor>>;

interface Settings {
  readonly epsilon: number;
  readonly momentum: number;
  readonly isRectified: boolean;
}

/** In training mode by the batch's own statistics, and the running ones move towards them. */
function normalize(inputs: Inputs, mode: ForwardMode, settings: Settings): Tensor {
  if (!mode.training) return byStatistics(inputs, settings);
  const { y, mean, variance } = byBatch(inputs, settings);
  move(inputs.mean, mean, settings.momentum);
  move(inputs.variance, variance, settings.momentum);
  return y;
}

const hasKernel = (name: string) => tf.getKernel(name, tf.getBackend()) !== undefined;

function byStatistics(inputs: Inputs, { epsilon, isRectified }: Settings): Tensor {
  if (isRectified && hasKernel(BATCH_NORM_KERNELS.relu)) {
    const attrs = { varianceEpsilon: epsilon, highest: Number.POSITIVE_INFINITY };
    return tf.engine().runKernel(BATCH_NORM_KERNELS.relu, { ...inputs }, attrs) as Tensor;
  }
  const { x, scale, offset, mean, variance } = inputs;
  const [center, spread] = [mean as Tensor1D, variance as Tensor1D];
  const y = tf.batchNorm(x as Tensor4D, center, spread, offset as Tensor1D, scale as Tensor1D, epsilon);
  return isRectified ? tf.relu(y) : y;
}

function byBatch(inputs: Inputs, settings: Settings): { y: Tensor; mean: Tensor; variance: Tensor } {
  const { x, scale, offset } = inputs;
  if (hasKernel(BATCH_NORM_KERNELS.training)) {
    const bounds = settings.isRectified ? { highest: Number.POSITIVE_INFINITY } : {};
    const attrs = { epsilon: settings.epsilon, ...bounds };
    const results = tf.engine().runKernel(BATCH_NORM_KERNELS.training, { x, scale, offset }, attrs);
    const [y, mean, variance] = results as [Tensor, Tensor, Tensor];
    return { y, mean, variance };
  }
  const { mean, variance } = tf.moments(x, range(x.rank - 1));
  return { y: byStatistics({ ...inputs, mean, variance }, settings), mean, variance };
}

/** running ← running − (1 − momentum) · (running − batch) */
function move(running: Tensor, batch: Tensor, momentum: number): void {
  if (!(running instanceof tf.Variable)) return; // statistics that the file computes stay as they are
  running.assign(tf.sub(running, tf.mul(tf.sub(running, batch), 1 - momentum)));
}
