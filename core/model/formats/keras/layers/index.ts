import { CONVOLUTION_LAYERS } from './convolutions.ts';
import { DENSE_LAYERS } from './dense.ts';
import { MERGE_LAYERS } from './merges.ts';
import { NOISE_LAYERS } from './noise.ts';
import { NORMALIZATION_LAYERS } from './normalizations.ts';
import { POOL_LAYERS } from './pools.ts';
import { RECTIFIER_LAYERS } from './rectifiers.ts';
import { RESIZE_LAYERS } from './resize.ts';
import { SCALING_LAYERS } from './scaling.ts';
import { SHAPE_LAYERS } from './shapes.ts';
import type { MakeLayer } from './spec.ts';

/** How each layer of Keras is made, by its class. */
export const KERAS_LAYERS: Readonly<Record<string, MakeLayer>> = {
  ...CONVOLUTION_LAYERS,
  ...DENSE_LAYERS,
  ...MERGE_LAYERS,
  ...NOISE_LAYERS,
  ...NORMALIZATION_LAYERS,
  ...POOL_LAYERS,
  ...RECTIFIER_LAYERS,
  ...RESIZE_LAYERS,
  ...SCALING_LAYERS,
  ...SHAPE_LAYERS,
};
