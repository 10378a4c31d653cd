import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import { z } from 'zod';
import { FunctionLayer } from './function-layer.ts';
import type { MakeLayer } from './spec.ts';
import { axis, readConfig } from './spec.ts';

const concatenateSchema = z.looseObject({ axis: axis.default(-1) });

export const MERGE_LAYERS = {
  Add: ({ name }) => layers.add({ name }),
  Average: ({ name }) => layers.average({ name }),
  Concatenate: (spec) =>
    layers.concatenate({ name: spec.name, axis: readConfig(spec, concatenateSchema).axis }),
  Maximum: ({ name }) => layers.maximum({ name }),
  Minimum: ({ name }) => layers.minimum({ name }),
  Multiply: ({ name }) => layers.multiply({ name }),
  Subtract: ({ name, kind }) => new FunctionLayer({ name, kind, compute: ([a, b]) => tf.sub(a!, b!) }),
} satisfies Readonly<Record<string, MakeLayer>>;
