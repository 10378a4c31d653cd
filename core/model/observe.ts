import * as tf from '@tensorflow/tfjs-core';
import type { Classifier, Normalization } from './classifier.ts';
import { INFERENCE } from './classifier.ts';
import { eachBatch, type PredictOptions, type Rows, read } from './predict.ts';

/** Channels that are looked at of one layer, and about as many of all; evenly spaced. */
export const MOST_CHANNELS = { layer: 128, model: 2048 } as const;
const FEWEST_CHANNELS = 16;

/** Numbers that all normalisations may read of one batch: 256 MiB. */
const MOST_ENTRIES = 2 ** 26;
const MOST_SAMPLES = 64;

/**
 * What a batch normalisation reads, summed up by sample and channel in units of its running statistics:
 * u = (x − running mean) / √(running variance + ε), so that the training data as a whole have mean 0.
 */
export interface ChannelMoments {
  /** Name of the layer. */
  readonly layer: string;
  /** C, at most MOST_CHANNELS.layer */
  readonly channels: number;
  /** [C] deviations of the training data: 1 but for channels that vary no more than √ε */
  readonly deviations: Float32Array;
  /** [N · C] means of u over the places of a sample */
  readonly means: Float32Array;
  /** [N · C] means of u² */
  readonly squares: Float32Array;
}

/** What one pass over samples shows of the model. */
export interface Observation {
  /** N */
  readonly size: number;
  /** F */
  readonly width: number;
  /** [N · F] what the head reads */
  readonly features: Float32Array;
  /** [N] */
  readonly logits: Float32Array;
  /** In forward order; none where the model has no batch normalisation. */
  readonly normalizations: readonly ChannelMoments[];
}

/**
 * Features, logits and what batch normalisations read, by one forward pass in inference mode.
 *
 * @param options  without a batch size the batches are as large as the activations allow
 * @returns in the order of `source.rows`
 * @throws NonFiniteError when a feature, a logit or an activation is NaN or infinite
 */
export async function observe(source: Rows, options: PredictOptions = {}): Promise<Observation> {
  const { model, rows } = source;
  const size = rows.length;
  const width = model.head.kernel.shape[0]!;
  const { length } = model.normalizations;
  const places = model.normalizations.map((own) => chosenPlaces(own, length));
  const seen = {
    features: new Float32Array(size * width),
    logits: new Float32Array(size),
    normalizations: model.normalizations.map((own, place) => emptyMoments(own, size, places[place]!)),
  };
  const batchSize = options.batchSize ?? batchSizeOf(model);
  await eachBatch(source, { ...options, batchSize }, (batch, start) => {
    const values = tf.tidy(() => look(model, batch, places));
    seen.features.set(read(values.features, 'features'), start * width);
    seen.logits.set(read(values.logits, 'logits'), start);
    values.moments.forEach((moments, place) => {
      const { channels, means, squares } = seen.normalizations[place]!;
      means.set(read(moments.means, 'activations'), start * channels);
      squares.set(read(moments.squares, 'activations'), start * channels);
    });
  });
  return { size, width, ...seen };
}

function emptyMoments(
  { layer, variance, epsilon }: Normalization,
  size: number,
  places: readonly number[],
): ChannelMoments {
  const all = variance.variable.dataSync();
  const channels = places.length;
  const [means, squares] = [new Float32Array(size * channels), new Float32Array(size * channels)];
  const deviations = Float32Array.from(places, (place) => Math.sqrt(all[place]! / (all[place]! + epsilon)));
  return { layer, channels, deviations, means, squares };
}

function batchSizeOf({ normalizations, bodyOutputs }: Classifier): number {
  const shapes = new Map(bodyOutputs.map(({ name, shape }) => [name, shape]));
  const entries = normalizations.reduce(
    (sum, { layer }) =>
      sum + shapes.get(layer)!.reduce<number>((product, extent) => product * (extent ?? 1), 1),
    1,
  );
  return Math.max(1, Math.min(MOST_SAMPLES, Math.floor(MOST_ENTRIES / entries)));
}

/** @param places  of the channels of each normalisation that are looked at */
function look(model: Classifier, batch: tf.Tensor, places: readonly number[][]) {
  const last = model.bodyOutputs.at(-1)?.name;
  if (last === undefined) {
    const features = model.features(batch, INFERENCE);
    return { features, logits: model.headLogits(features), moments: [] };
  }
  const names = [last, ...model.normalizations.map(({ input }) => input)];
  const found = model.activations(batch, names);
  const features = found.get(last) as tf.Tensor2D; // [B, F]
  const moments = model.normalizations.map((own, layer) => {
    const { means, squares } = momentsOf(found.get(own.input)!, own);
    const chosen = tf.tensor1d(places[layer]!, 'int32');
    return { means: tf.gather(means, chosen, 1), squares: tf.gather(squares, chosen, 1) };
  });
  return { features: tf.clone(features), logits: model.headLogits(features), moments };
}

/** x [B, …, C, …] → means and mean squares of u over all axes but those of batch and channels [B, C] */
function momentsOf(x: tf.Tensor, { channelAxis, mean, variance, epsilon }: Normalization) {
  const others = x.shape.map((_, axis) => axis).filter((axis) => axis !== 0 && axis !== channelAxis);
  const last = tf.reshape(tf.transpose(x, [0, ...others, channelAxis]), [
    x.shape[0]!,
    -1,
    mean.variable.size,
  ]);
  const deviation = tf.sqrt(tf.add(variance.variable, epsilon));
  const u = tf.div(tf.sub(last, mean.variable), deviation); // [B, places, C]
  return { means: tf.mean(u, 1), squares: tf.mean(tf.square(u), 1) };
}

/** Channels of a layer that are looked at, when `layers` share the model's number of them. */
function chosenPlaces({ variance }: Normalization, layers: number): number[] {
  const channels = variance.variable.size;
  const share = Math.floor(MOST_CHANNELS.model / layers);
  const count = Math.min(channels, MOST_CHANNELS.layer, Math.max(share, FEWEST_CHANNELS));
  return Array.from({ length: count }, (_, place) => Math.floor((place * channels) / count));
}
