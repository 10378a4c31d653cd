import * as tf from '@tensorflow/tfjs-core';
import type { InputSource } from '../../core/data/types.ts';
import type { Classifier } from '../../core/model/classifier.ts';
import { INFERENCE } from '../../core/model/classifier.ts';

/**
 * What the head reads in place of what the body reads, in inference mode. Each row goes through the body once, when it
 * is first asked for, so the body must rest as long as this is used.
 */
export function makeFeatureSource(model: Classifier, inputs: InputSource): InputSource {
  const width = model.head.kernel.shape[0]!;
  const known = new Map<number, Float32Array>();
  return {
    size: inputs.size,
    sampleShape: [width],
    verify: inputs.verify,
    async batch(rows) {
      const asked = Array.from(rows);
      const missing = [...new Set(asked)].filter((row) => !known.has(row));
      if (missing.length > 0) {
        const values = await featuresOf(model, inputs, missing);
        for (const [place, row] of missing.entries()) {
          known.set(row, values.subarray(place * width, (place + 1) * width));
        }
      }
      const features = new Float32Array(asked.length * width);
      for (const [place, row] of asked.entries()) features.set(known.get(row)!, place * width);
      return tf.tensor2d(features, [asked.length, width]);
    },
  };
}

/** [rows.length · F] */
async function featuresOf(
  model: Classifier,
  inputs: InputSource,
  rows: readonly number[],
): Promise<Float32Array> {
  const batch = await inputs.batch(rows);
  try {
    const features = model.features(batch, INFERENCE);
    const values = features.dataSync() as Float32Array;
    features.dispose();
    return values;
  } finally {
    batch.dispose();
  }
}
