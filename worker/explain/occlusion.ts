import { setImmediate } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs-core';
import type { InputSource } from '../../core/data/types.ts';
import { InterruptedError } from '../../core/errors.ts';
import type { OcclusionGrid } from '../../core/jobs/explanation.ts';
import type { Classifier } from '../../core/model/classifier.ts';
import { INFERENCE } from '../../core/model/classifier.ts';
import type { ExplainOptions } from './options.ts';

/** Where patches lie on an image, in pixels. */
export interface Patches {
  readonly height: number;
  readonly width: number;
  readonly patch: { readonly height: number; readonly width: number };
  readonly tops: readonly number[];
  readonly lefts: readonly number[];
  /** Axes of a batch. */
  readonly axes: { readonly height: number; readonly width: number };
}

/**
 * Patches at even distances from edge to edge; null when the model reads no images.
 *
 * @param sampleShape  of one input, without the batch axis
 */
export function patchesOf(
  { mirrorAxes }: Pick<Classifier, 'mirrorAxes'>,
  sampleShape: readonly number[],
  { occlusionPlaces, occlusionPatch }: Pick<ExplainOptions, 'occlusionPlaces' | 'occlusionPatch'>,
): Patches | null {
  const [widthAxis, heightAxis] = mirrorAxes;
  if (widthAxis === undefined || heightAxis === undefined) return null;
  const along = (axis: number) => {
    const side = sampleShape[axis - 1]!;
    const patch = Math.max(1, Math.round(side * occlusionPatch));
    const room = side - patch;
    const count = Math.min(occlusionPlaces, room + 1);
    const starts = Array.from({ length: count }, (_, place) =>
      count === 1 ? 0 : Math.round((place * room) / (count - 1)),
    );
    return { side, patch, starts };
  };
  const vertical = along(heightAxis);
  const horizontal = along(widthAxis);
  return {
    height: vertical.side,
    width: horizontal.side,
    patch: { height: vertical.patch, width: horizontal.patch },
    tops: vertical.starts,
    lefts: horizontal.starts,
    axes: { height: heightAxis, width: widthAxis },
  };
}

export interface OcclusionInput {
  readonly model: Classifier;
  readonly inputs: InputSource;
  readonly patches: Patches;
  /** Rows of each group. */
  readonly rowsOf: readonly (readonly number[])[];
  readonly onImage?: (() => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface OcclusionResult {
  /** By group; null without images. */
  readonly grids: readonly (OcclusionGrid | null)[];
  /** Standard deviation of the logits of the whole images. */
  readonly deviation: number;
}

/**
 * How much the logit falls when a patch of an image is covered by the mean colour of these images, averaged over the
 * images of each group (Zeiler and Fergus, 2014).
 */
export async function occlude(input: OcclusionInput): Promise<OcclusionResult> {
  const { model, inputs, patches, rowsOf, onImage, signal } = input;
  const masks = patchMasks(patches, inputs.sampleShape.length + 1);
  const cover = await meanColour(inputs, rowsOf.flat(), patches);
  const logits: number[] = [];
  try {
    const grids: (OcclusionGrid | null)[] = [];
    for (const rows of rowsOf) {
      const sums = new Float64Array(patches.tops.length * patches.lefts.length);
      for (const row of rows) {
        await setImmediate(); // lets Ctrl-C and the progress bar through
        if (signal?.aborted) throw new InterruptedError('the explanation was stopped');
        const image = await inputs.batch([row]);
        const { whole, covered } = logitsWithout(model, { image, masks, cover });
        image.dispose();
        logits.push(whole);
        covered.forEach((logit, place) => {
          sums[place]! += (whole - logit) / rows.length;
        });
        onImage?.();
      }
      grids.push(rows.length === 0 ? null : toGrid(sums, patches.lefts.length));
    }
    return { grids, deviation: deviationOf(logits) };
  } finally {
    masks.dispose();
    cover.dispose();
  }
}

/** [P, …] 1 under each patch, with 1 channel; P by rows from the top. */
function patchMasks({ height, width, patch, tops, lefts, axes }: Patches, rank: number): tf.Tensor {
  const places = tops.flatMap((top) => lefts.map((left) => ({ top, left })));
  const values = new Float32Array(places.length * height * width);
  for (const [index, { top, left }] of places.entries()) {
    for (let y = top; y < top + patch.height; y += 1) {
      const start = (index * height + y) * width + left;
      values.fill(1, start, start + patch.width);
    }
  }
  const shape = Array.from({ length: rank }, () => 1);
  shape[0] = places.length;
  shape[axes.height] = height;
  shape[axes.width] = width;
  return tf.tensor(values, shape);
}

const BATCH_SIZE = 64;
/** Numbers in a batch of covered images at most: 64 MiB. */
const MOST_VALUES = 2 ** 24;

/** Mean of each channel over the images, [1, …] with extent 1 along height and width. */
async function meanColour(
  inputs: InputSource,
  rows: readonly number[],
  { axes }: Patches,
): Promise<tf.Tensor> {
  let sum: tf.Tensor | null = null;
  for (let start = 0; start < rows.length; start += BATCH_SIZE) {
    const batch = await inputs.batch(rows.slice(start, start + BATCH_SIZE));
    const part = tf.tidy(() => tf.sum(tf.mean(batch, [axes.height, axes.width], true), 0, true));
    const next: tf.Tensor = sum === null ? part : tf.add(sum, part);
    tf.dispose(sum === null ? [batch] : [batch, sum, part]);
    sum = next;
  }
  const mean = tf.div(sum!, rows.length);
  sum!.dispose();
  return mean;
}

interface Covering {
  /** [1, …] */
  readonly image: tf.Tensor;
  /** [P, …] */
  readonly masks: tf.Tensor;
  /** [1, …] */
  readonly cover: tf.Tensor;
}

/** Logit of the image, and of it with each patch covered. */
function logitsWithout(model: Classifier, { image, masks, cover }: Covering) {
  const read = (compute: () => tf.Tensor) => {
    const logits = tf.tidy(compute);
    const values = logits.dataSync().slice() as Float32Array;
    logits.dispose();
    return values;
  };
  const [whole] = read(() => model.logits(image, INFERENCE));
  const places = masks.shape[0]!;
  const atOnce = Math.max(1, Math.min(BATCH_SIZE, Math.floor(MOST_VALUES / image.size)));
  const covered: number[] = [];
  for (let start = 0; start < places; start += atOnce) {
    const count = Math.min(atOnce, places - start);
    covered.push(
      ...read(() => {
        const some = tf.slice(masks, [start], [count]);
        return model.logits(tf.add(image, tf.mul(some, tf.sub(cover, image))), INFERENCE);
      }),
    );
  }
  return { whole: whole!, covered };
}

function toGrid(values: Float64Array, columns: number): OcclusionGrid {
  return Array.from({ length: values.length / columns }, (_, row) =>
    Array.from(values.subarray(row * columns, (row + 1) * columns)),
  );
}

function deviationOf(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}
