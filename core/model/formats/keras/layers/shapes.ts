import { layers } from '@tensorflow/tfjs-layers';
import { z } from 'zod';
import type { MakeLayer } from './spec.ts';
import { channelsLast, extent, margins, readConfig } from './spec.ts';

const flattenSchema = z.looseObject({ data_format: channelsLast });
const reshapeSchema = z.looseObject({ target_shape: z.array(z.union([extent, z.literal(-1)])) });
const permuteSchema = z.looseObject({ dims: z.array(extent) });
const paddingSchema = z.looseObject({ padding: margins, data_format: channelsLast });
const croppingSchema = z.looseObject({ cropping: margins, data_format: channelsLast });

const flatten: MakeLayer = (spec) => {
  readConfig(spec, flattenSchema);
  return layers.flatten({ name: spec.name });
};

export const SHAPE_LAYERS = {
  Cropping2D: (spec) =>
    layers.cropping2D({ name: spec.name, cropping: readConfig(spec, croppingSchema).cropping }),
  Flatten: flatten,
  Permute: (spec) => layers.permute({ name: spec.name, dims: readConfig(spec, permuteSchema).dims }),
  Reshape: (spec) =>
    layers.reshape({ name: spec.name, targetShape: readConfig(spec, reshapeSchema).target_shape }),
  ZeroPadding2D: (spec) =>
    layers.zeroPadding2d({ name: spec.name, padding: readConfig(spec, paddingSchema).padding }),
} satisfies Readonly<Record<string, MakeLayer>>;
