import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import { z } from 'zod';
import { FunctionLayer } from './function-layer.ts';
import type { LayerSpec, MakeLayer } from './spec.ts';
import { channelsLast, pair, readConfig } from './spec.ts';

const poolSchema = z.looseObject({
  pool_size: pair,
  strides: pair.nullish(),
  padding: z.enum(['valid', 'same']),
  data_format: channelsLast,
});

const globalSchema = z.looseObject({ data_format: channelsLast, keepdims: z.boolean().nullish() });

function poolOptions(spec: LayerSpec) {
  const config = readConfig(spec, poolSchema);
  const { pool_size: poolSize, strides, padding } = config;
  return { name: spec.name, poolSize, strides: strides ?? poolSize, padding };
}

const globalPool =
  (make: (options: { name: string }) => layers.Layer, reduce: typeof tf.mean): MakeLayer =>
  (spec) => {
    const { name, kind } = spec;
    if (!readConfig(spec, globalSchema).keepdims) return make({ name });
    return new FunctionLayer({
      name,
      kind,
      compute: ([x]) => reduce(x!, [1, 2], true),
      outputShape: ([input]) => [input![0]!, 1, 1, input!.at(-1)!],
    });
  };

export const POOL_LAYERS = {
  AveragePooling2D: (spec) => layers.averagePooling2d(poolOptions(spec)),
  MaxPooling2D: (spec) => layers.maxPooling2d(poolOptions(spec)),
  GlobalAveragePooling2D: globalPool(layers.globalAveragePooling2d, tf.mean),
  GlobalMaxPooling2D: globalPool(layers.globalMaxPooling2d, tf.max),
} satisfies Readonly<Record<string, MakeLayer>>;
