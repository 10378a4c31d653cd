import { layers } from '@tensorflow/tfjs-layers';
import { z } from 'zod';
import { FunctionLayer } from './function-layer.ts';
import type { MakeLayer } from './spec.ts';
import { readConfig } from './spec.ts';

const rate = z.number().min(0).lt(1);
const dropoutSchema = z.looseObject({ rate, noise_shape: z.array(z.int().nullable()).nullish() });
const rateSchema = z.looseObject({ rate });
const noiseSchema = z.looseObject({ stddev: z.number().nonnegative() });

const dropout: MakeLayer = (spec) => {
  const { rate: share, noise_shape: noiseShape } = readConfig(spec, dropoutSchema);
  return layers.dropout({
    name: spec.name,
    rate: share,
    ...(noiseShape && { noiseShape: noiseShape as number[] }),
  });
};

/** Drops whole feature maps. */
const spatialDropout: MakeLayer = (spec) =>
  layers.dropout({
    name: spec.name,
    rate: readConfig(spec, rateSchema).rate,
    noiseShape: [null, 1, 1, null] as unknown as number[],
  });

const depthSchema = z.looseObject({ drop_path_rate: rate });

/** Of ConvNeXt: drops whole samples on their way through a block. */
const stochasticDepth: MakeLayer = (spec) =>
  layers.dropout({
    name: spec.name,
    rate: readConfig(spec, depthSchema).drop_path_rate,
    noiseShape: [null, 1, 1, 1] as unknown as number[],
  });

/** Augmentation is for a first training: fine-tuning sees the images as they are. */
const unchanged: MakeLayer = ({ name, kind }) =>
  new FunctionLayer({ name, kind, compute: ([x]) => x!.clone() });

export const NOISE_LAYERS = {
  AlphaDropout: (spec) => layers.alphaDropout({ name: spec.name, rate: readConfig(spec, rateSchema).rate }),
  Dropout: dropout,
  GaussianDropout: (spec) =>
    layers.gaussianDropout({ name: spec.name, rate: readConfig(spec, rateSchema).rate }),
  GaussianNoise: (spec) =>
    layers.gaussianNoise({ name: spec.name, stddev: readConfig(spec, noiseSchema).stddev }),
  SpatialDropout2D: spatialDropout,
  StochasticDepth: stochasticDepth,
  ActivityRegularization: unchanged,
  Identity: unchanged,
  RandomBrightness: unchanged,
  RandomColorJitter: unchanged,
  RandomContrast: unchanged,
  RandomFlip: unchanged,
  RandomGrayscale: unchanged,
  RandomHue: unchanged,
  RandomRotation: unchanged,
  RandomSaturation: unchanged,
  RandomShear: unchanged,
  RandomTranslation: unchanged,
  RandomZoom: unchanged,
} satisfies Readonly<Record<string, MakeLayer>>;
