import * as tf from '@tensorflow/tfjs-core';
import { InterruptedError } from '../../core/errors.ts';
import type { Classifier, Normalization } from '../../core/model/classifier.ts';
import type { TrainingSet } from '../training/batch.ts';
import { loadBatch } from '../training/batch.ts';
import { sliceBatches } from '../training/sampler.ts';
import type { Method } from './method.ts';

const BATCH_SIZE = 64;

export const batchNorm: Method = {
  name: 'batch-norm',
  about: 'Running statistics of batch normalisation are estimated anew on the tune part; no weight moves.',
  source: 'control: whether other statistics are enough (AdaBN, arXiv 1603.04779)',
  expectedEpochs: () => 4,
  propose: async ({ model, tune, judge, signal }) => {
    if (model.normalizations.length === 0) {
      return {
        kind: 'not-applicable',
        reason: 'the model has no batch normalisation, or its file has it folded into other layers',
      };
    }
    await estimateStatistics(model, tune, signal);
    const about = { kind: 'control', id: 'batch-norm', settings: {}, percentile: null, curve: [] } as const;
    return { kind: 'candidates', candidates: [await judge.asItStands(about)] };
  },
};

/**
 * Gives every normalisation the mean and the variance of what it reads over all rows of the set, in forward order, so
 * that each sees inputs that were normalised by the new statistics of those before it.
 */
export async function estimateStatistics(
  model: Classifier,
  set: TrainingSet,
  signal?: AbortSignal,
): Promise<void> {
  for (const normalization of model.normalizations) {
    const { means, variances } = await momentsOf(model, set, { normalization, signal });
    tf.tidy(() => {
      normalization.mean.variable.assign(tf.tensor1d(Float32Array.from(means)));
      normalization.variance.variable.assign(tf.tensor1d(Float32Array.from(variances)));
    });
  }
}

/** Per channel [C], summed up in float64. */
async function momentsOf(
  model: Classifier,
  set: TrainingSet,
  { normalization, signal }: { normalization: Normalization; signal: AbortSignal | undefined },
) {
  const channels = normalization.mean.variable.size;
  const sums = { count: 0, values: new Float64Array(channels), squares: new Float64Array(channels) };
  for (const rows of sliceBatches(set.rows, BATCH_SIZE)) {
    if (signal?.aborted) throw new InterruptedError('estimating statistics was stopped');
    const { inputs } = await loadBatch(set, rows);
    const columns = tf.tidy(() => columnsOf(model, inputs, normalization)); // [B · positions, C]
    inputs.dispose();
    addColumns(sums, columns.dataSync() as Float32Array, channels);
    columns.dispose();
  }
  const means = sums.values.map((sum) => sum / sums.count);
  const variances = sums.squares.map((sum, channel) => Math.max(0, sum / sums.count - means[channel]! ** 2));
  return { means, variances };
}

function columnsOf(model: Classifier, inputs: tf.Tensor, { input, channelAxis, mean }: Normalization) {
  const values = model.activations(inputs, [input]).get(input)!;
  const others = values.shape.flatMap((_, axis) => (axis === channelAxis ? [] : [axis]));
  return tf.reshape(tf.transpose(values, [...others, channelAxis]), [-1, mean.variable.size]);
}

function addColumns(
  sums: { count: number; readonly values: Float64Array; readonly squares: Float64Array },
  entries: Float32Array,
  channels: number,
): void {
  for (let start = 0; start < entries.length; start += channels) {
    for (let channel = 0; channel < channels; channel += 1) {
      const entry = entries[start + channel]!;
      sums.values[channel]! += entry;
      sums.squares[channel]! += entry * entry;
    }
  }
  sums.count += entries.length / channels;
}
