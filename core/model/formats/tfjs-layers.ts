import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import { UnsupportedModelError } from '../../errors.ts';
import type { Classifier, LoadOptions } from '../classifier.ts';
import { classifierOf, withoutLeak } from './layers-classifier.ts';
import type { LayersModelFiles } from './tfjs-layers-files.ts';
import { readLayersModel, writeLayersModel } from './tfjs-layers-files.ts';

/**
 * Loads a tfjs LayersModel (Sequential or Functional) from disk, without tfjs-node.
 *
 * @param location  folder with a model.json, or the model.json itself
 * @returns the classifier; the caller disposes it
 * @throws UnsupportedModelError when a layer class is unknown or no dense head is found
 * @throws InvalidInputError when a file is damaged, or the positive class is not one of the head's
 * @throws NonFiniteError when a weight is NaN or infinite
 */
export async function loadTfjsLayers(location: string, options: LoadOptions = {}): Promise<Classifier> {
  const files = await readLayersModel(location);
  const model = await restoreModel(files);
  return classifierOf(
    {
      format: 'tfjs-layers',
      sources: files.sources,
      model,
      notes: notesOn(files),
      save: (folder, changed) => writeLayersModel(folder, files, byFileName(files, changed)),
    },
    options,
  );
}

function notesOn({ weights }: LayersModelFiles): string[] {
  const widths = new Set(weights.flatMap(({ spec: { quantization } }) => quantization?.dtype ?? []));
  if (widths.size === 0) return [];
  return [
    `The file holds quantised weights (${[...widths].join(', ')}), which are computed in float32: tensors with a weight that was tuned come back in float32, all others as they were.`,
  ];
}

async function restoreModel({ json, weights }: LayersModelFiles): Promise<LayersModel> {
  if (json.format === 'graph-model') {
    throw new UnsupportedModelError(
      'model format: expected "layers-model", received "graph-model", which is frozen and cannot be tuned',
    );
  }
  try {
    return await withoutLeak(() =>
      loadLayersModel(
        tf.io.fromMemory({
          modelTopology: json.modelTopology,
          weightSpecs: weights.map(({ spec }) => spec as tf.io.WeightsManifestEntry),
          // a copy: small buffers share a pool, whose memory starts with other bytes
          weightData: new Uint8Array(Buffer.concat(weights.map(({ bytes }) => bytes))).buffer,
        }),
      ),
    );
  } catch (cause) {
    throw new UnsupportedModelError(whyUnsupported(cause), {}, { cause });
  }
}

function whyUnsupported(cause: unknown): string {
  const reason = cause instanceof Error ? cause.message.split('\n')[0]! : 'unknown reason';
  const unknown = /^Unknown layer: (\S+?)\.? /.exec(`${reason} `)?.[1];
  if (unknown !== undefined) return `model layer class "${unknown}": expected a class of tfjs-layers`;
  return `model topology and weights do not fit together: ${reason}`;
}

/** Files of TensorFlow 2 name a cell between layer and weight (`lstm/lstm_cell/kernel`); tfjs drops it. */
function byFileName(
  { weights }: LayersModelFiles,
  values: ReadonlyMap<string, Float32Array>,
): Map<string, Float32Array> {
  const entries = weights.flatMap(({ spec: { name } }) => {
    const parts = name.split('/');
    const found = values.get(name) ?? values.get([...parts.slice(0, -2), parts.at(-1)].join('/'));
    return found ? [[name, found] as const] : [];
  });
  return new Map(entries);
}
