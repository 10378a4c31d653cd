import * as tf from '@tensorflow/tfjs-core';
import type { layers } from '@tensorflow/tfjs-layers';
import { inputNameOf } from '../classifier.ts';

type Layer = layers.Layer;

/** What layers read and return while `run` lasts. */
export interface LayerCalls {
  /** By the layer's name. */
  readonly layers: ReadonlyMap<string, Layer>;
  /** Names of layers, or of what they read. */
  readonly names: readonly string[];
  /** Calls each layer once; of one that is called more often the last call counts. */
  readonly run: () => void;
}

/**
 * Values inside a model of tfjs-layers, those of models within it too: each layer of interest keeps what it is called
 * with, or what comes of it.
 *
 * @returns a tensor by each name; the caller disposes
 */
export function recordLayerCalls({ layers: byName, names, run }: LayerCalls): Map<string, tf.Tensor> {
  const wanted = new Set(names);
  const found = new Map<string, tf.Tensor>();
  const keep = (name: string, value: tf.Tensor | tf.Tensor[]) => {
    if (!wanted.has(name)) return;
    found.get(name)?.dispose();
    found.set(name, tf.keep(tf.clone([value].flat()[0]!)));
  };
  const watched = [...byName].filter(([name]) => wanted.has(name) || wanted.has(inputNameOf(name)));
  const calls = watched.map(([, layer]) => Object.getOwnPropertyDescriptor(layer, 'call'));
  for (const [name, layer] of watched) {
    const stock = layer.call;
    layer.call = (inputs, options) => {
      keep(inputNameOf(name), inputs);
      const output = stock.call(layer, inputs, options);
      keep(name, hasFusedRelu(layer) ? stock.call(unread(layer), inputs, options) : output);
      return output;
    };
  }
  try {
    run();
    return new Map([...found].map(([name, kept]) => [name, tf.clone(kept)])); // those a tidy of the caller's disposes
  } finally {
    tf.dispose([...found.values()]);
    watched.forEach(([, layer], place) => {
      Reflect.deleteProperty(layer, 'call'); // that of its class is back
      if (calls[place]) Object.defineProperty(layer, 'call', calls[place]);
    });
  }
}

/** Kernels may do the relu that is the only reader of a batch norm in the same pass. */
function hasFusedRelu(layer: Layer): boolean {
  return layer.getClassName() === 'BatchNormalization';
}

/** The layer as if nothing read it, so that it returns its own output. */
function unread(layer: Layer): Layer {
  return Object.create(layer, { outboundNodes: { value: [] } }) as Layer;
}
