import { setImmediate } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs-core';
import type { InputSource } from '../../core/data/types.ts';
import { InterruptedError } from '../../core/errors.ts';
import type { Classifier, LayerOutput } from '../../core/model/classifier.ts';

/** A layer with a kernel, and the output at which its channels are read. */
export interface Reading {
  readonly layer: string;
  readonly output: LayerOutput;
}

/** Channels of one output over rows: the mean and the maximum over all places, the value itself without places. */
export interface Pooled {
  readonly channels: number;
  /** [N · C] */
  readonly mean: Float32Array;
  /** [N · C]; null where there are no places */
  readonly max: Float32Array | null;
}

/**
 * Where channels are read: for each kernel the last output before the next one that has its channels, which is
 * behind its normalisation and activation. At most `most` of them, spread evenly over the depth.
 */
export function readingsOf(model: Pick<Classifier, 'body' | 'bodyOutputs'>, most: number): Reading[] {
  const places = new Map(model.bodyOutputs.map(({ name }, place) => [name, place]));
  const kernels = model.body.filter(
    ({ layer, shape }) => (shape.length === 2 || shape.length === 4) && places.has(layer),
  );
  const layers = [...new Set(kernels.map(({ layer }) => layer))];
  const starts = layers.map((layer) => places.get(layer)!);
  const all = layers.map((layer, index) => {
    const own = model.bodyOutputs.slice(starts[index], starts[index + 1]);
    const channels = widthOf(own[0]!);
    const output = own.findLast(
      (candidate) => candidate.shape.length === own[0]!.shape.length && widthOf(candidate) === channels,
    );
    return { layer, output: output! };
  });
  return evenly(all, most);
}

/** Channels of an output. */
function widthOf({ shape, channelAxis }: LayerOutput): number | null {
  return shape[channelAxis] ?? null;
}

/** The first, the last and others at even distances between them. */
function evenly<T>(items: readonly T[], most: number): T[] {
  if (items.length <= most) return [...items];
  if (most === 1) return [items.at(-1)!];
  return Array.from(
    { length: most },
    (_, place) => items[Math.round((place * (items.length - 1)) / (most - 1))]!,
  );
}

export interface PoolInput {
  readonly model: Classifier;
  readonly inputs: InputSource;
  readonly rows: readonly number[];
  readonly outputs: readonly LayerOutput[];
  readonly onRows?: ((rows: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

const BATCH_SIZE = 64;

/** Pooled channels of each output over the rows, in their order, by the output's name. */
export async function poolOutputs({
  model,
  inputs,
  rows,
  outputs,
  onRows,
  signal,
}: PoolInput): Promise<Map<string, Pooled>> {
  const parts = new Map(outputs.map(({ name }) => [name, [] as Pooled[]]));
  for (let start = 0; start < rows.length; start += BATCH_SIZE) {
    await setImmediate(); // lets Ctrl-C and the progress bar through
    if (signal?.aborted) throw new InterruptedError('the explanation was stopped');
    const batchRows = rows.slice(start, start + BATCH_SIZE);
    const batch = await inputs.batch(batchRows);
    const names = outputs.map(({ name }) => name);
    const values = model.activations(batch, names);
    for (const output of outputs) parts.get(output.name)!.push(pool(values.get(output.name)!, output));
    tf.dispose([batch, ...values.values()]);
    onRows?.(batchRows.length);
  }
  return new Map([...parts].map(([name, pooled]) => [name, join(pooled)]));
}

/** [B, …places, C] in any order of axes → [B · C] */
function pool(values: tf.Tensor, { channelAxis }: LayerOutput): Pooled {
  const channels = values.shape[channelAxis]!;
  const places = values.shape.flatMap((_, axis) => (axis === 0 || axis === channelAxis ? [] : [axis]));
  const read = (reduce: () => tf.Tensor) => {
    const reduced = tf.tidy(reduce);
    const copy = (reduced.dataSync() as Float32Array).slice();
    if (reduced !== values) reduced.dispose();
    return copy;
  };
  if (places.length === 0) return { channels, mean: read(() => values), max: null };
  return { channels, mean: read(() => tf.mean(values, places)), max: read(() => tf.max(values, places)) };
}

function join(parts: readonly Pooled[]): Pooled {
  const concatenate = (arrays: readonly Float32Array[]) => {
    const joined = new Float32Array(arrays.reduce((length, array) => length + array.length, 0));
    let offset = 0;
    for (const array of arrays) {
      joined.set(array, offset);
      offset += array.length;
    }
    return joined;
  };
  const maxima = parts.flatMap(({ max }) => (max === null ? [] : [max]));
  return {
    channels: parts[0]?.channels ?? 0,
    mean: concatenate(parts.map(({ mean }) => mean)),
    max: maxima.length === 0 ? null : concatenate(maxima),
  };
}
