import { layers } from '@tensorflow/tfjs-layers';
import { z } from 'zod';
import { activation, activationId } from './activations.ts';
import type { MakeLayer } from './spec.ts';
import { extent, readConfig } from './spec.ts';

const denseSchema = z.looseObject({ units: extent, activation, use_bias: z.boolean().default(true) });

const dense: MakeLayer = (spec) => {
  const { units, activation: name, use_bias: useBias } = readConfig(spec, denseSchema);
  return layers.dense({
    name: spec.name,
    units,
    useBias,
    activation: activationId(spec, name) as 'linear',
    kernelInitializer: spec.weights.next(),
    ...(useBias && { biasInitializer: spec.weights.next() }),
  });
};

export const DENSE_LAYERS = { Dense: dense };
