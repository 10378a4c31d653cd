import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { FunctionLayer } from './function-layer.ts';
import type { LayerSpec, MakeLayer } from './spec.ts';
import { channelsLast, extent, pair, readConfig } from './spec.ts';

/** Largest side of an image: its matrix has as many columns as the image it comes from. */
const side = extent.max(8192);
const interpolation = z.enum(['bilinear', 'nearest']).default('bilinear');
const upSamplingSchema = z.looseObject({ size: pair, interpolation, data_format: channelsLast });
const never = z.literal(false).nullish();

const resizingSchema = z.looseObject({
  height: side,
  width: side,
  interpolation,
  data_format: channelsLast,
  crop_to_aspect_ratio: never,
  pad_to_aspect_ratio: never,
  antialias: never,
});

type Interpolation = z.infer<typeof interpolation>;
type Size = readonly [number | null, number | null];

const upSampling: MakeLayer = (spec) => {
  const { size, interpolation: kind } = readConfig(spec, upSamplingSchema);
  return resizeLayer(spec, kind, ([height, width]) => [times(height, size[0]), times(width, size[1])]);
};

const resizing: MakeLayer = (spec) => {
  const { height, width, interpolation: kind } = readConfig(spec, resizingSchema);
  return resizeLayer(spec, kind, () => [height, width]);
};

const times = (extent: number | null, factor: number) => (extent === null ? null : extent * factor);

function resizeLayer(spec: LayerSpec, kind: Interpolation, sizeOf: (size: Size) => Size): FunctionLayer {
  return new FunctionLayer({
    name: spec.name,
    kind: spec.kind,
    compute: ([x]) => {
      const image = x as tf.Tensor4D;
      const [height, width] = sizeOf([image.shape[1], image.shape[2]]);
      return resize(image, [height!, width!], kind);
    },
    outputShape: ([input]) => {
      const [batch, height, width, channels] = input as [number, number | null, number | null, number];
      return [batch, ...sizeOf([height, width]), channels];
    },
  });
}

/**
 * Resizes by one product for the rows and one for the columns, as Keras does: centres of pixels are kept in place.
 * The kernels of tfjs have no gradient for that.
 */
function resize(x: tf.Tensor4D, [height, width]: readonly [number, number], kind: Interpolation): tf.Tensor {
  const [batch, rows, columns, channels] = x.shape;
  const byRow = multiply(weightsOf(rows, height, kind), tf.reshape(x, [batch, rows, columns * channels]));
  const byColumn = multiply(
    weightsOf(columns, width, kind),
    tf.reshape(byRow, [batch * height, columns, channels]),
  );
  return tf.reshape(byColumn, [batch, height, width, channels]);
}

/** [n, m] · [B, m, C] → [B, n, C] */
function multiply(matrix: tf.Tensor2D, x: tf.Tensor3D): tf.Tensor {
  return tf.matMul(tf.tile(tf.expandDims(matrix, 0), [x.shape[0], 1, 1]), x);
}

/** [to, from]: how much of each pixel goes into each new one. */
function weightsOf(from: number, to: number, kind: Interpolation): tf.Tensor2D {
  const values = new Float32Array(to * from);
  for (let target = 0; target < to; target += 1) {
    const centre = ((target + 0.5) * from) / to;
    if (kind === 'nearest') {
      values[target * from + Math.min(Math.floor(centre), from - 1)] = 1;
      continue;
    }
    const place = Math.min(Math.max(centre - 0.5, 0), from - 1);
    const low = Math.floor(place);
    const high = Math.min(low + 1, from - 1);
    values[target * from + low]! += 1 - (place - low);
    values[target * from + high]! += place - low;
  }
  return tf.tensor2d(values, [to, from]);
}

export const RESIZE_LAYERS = { Resizing: resizing, UpSampling2D: upSampling };
