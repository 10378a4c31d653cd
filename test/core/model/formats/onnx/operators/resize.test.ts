import { describe, expect, test } from 'vitest';
import type { AttributeValue, MadeModel } from '../../../../../helpers/onnx.ts';
import { expectLikeRuntime, madeModel, madeTensor, networkOf } from '../../../../../helpers/onnx.ts';
import { withBackend } from '../../../../../helpers/tensors.ts';

type Attributes = Readonly<Record<string, AttributeValue>>;
const SHAPE = [1, 2, 4, 5];

function resized(
  attributes: Attributes,
  { scales, sizes }: { scales?: number[]; sizes?: number[] },
): MadeModel {
  const inputs = ['x', '', scales ? 'scales' : '', ...(sizes ? ['sizes'] : [])];
  return {
    nodes: [{ op: 'Resize', inputs, attributes }],
    initializers: [
      ...(scales ? [madeTensor('scales', [scales.length], scales)] : []),
      ...(sizes ? [madeTensor('sizes', [sizes.length], sizes, 'int64')] : []),
    ],
    input: [1, 2, 4, 5],
  };
}

describe('Resize gives what onnxruntime gives', () => {
  withBackend('wasm');

  test.each<[string, Attributes, { scales?: number[]; sizes?: number[] }]>([
    ['nearest', { mode: 'nearest' }, { scales: [1, 1, 2, 3] }],
    [
      'nearest, as PyTorch does',
      { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' },
      { scales: [1, 1, 2, 2] },
    ],
    ['nearest, smaller', { mode: 'nearest', nearest_mode: 'ceil' }, { sizes: [1, 2, 3, 2] }],
    ['nearest, half up', { mode: 'nearest', nearest_mode: 'round_prefer_ceil' }, { sizes: [1, 2, 3, 4] }],
    ['linear', { mode: 'linear' }, { scales: [1, 1, 2, 2.5] }],
    [
      'linear, smaller',
      { mode: 'linear', coordinate_transformation_mode: 'pytorch_half_pixel' },
      { sizes: [1, 2, 1, 3] },
    ],
    [
      'linear, corners kept',
      { mode: 'linear', coordinate_transformation_mode: 'align_corners' },
      { sizes: [1, 2, 7, 8] },
    ],
    ['cubic', { mode: 'cubic', cubic_coeff_a: -0.75 }, { sizes: [1, 2, 7, 9] }],
    ['as it is', { mode: 'linear' }, { scales: [1, 1, 1, 1] }],
  ])('%s', async (_, attributes, ends) => {
    await expectLikeRuntime(resized(attributes, ends), SHAPE);
  });

  test('of some axes', async () => {
    await expectLikeRuntime(
      { ...resized({ mode: 'linear', axes: [2, 3] }, { sizes: [6, 3] }), opset: 18 },
      SHAPE,
    );
  });
});

describe('Resize refuses', () => {
  withBackend('wasm');

  test.each<[string, Attributes, { scales?: number[]; sizes?: number[] }, RegExp]>([
    [
      'other coordinates',
      { coordinate_transformation_mode: 'tf_crop_and_resize' },
      { sizes: SHAPE },
      /received tf_crop_and_resize/,
    ],
    ['antialias', { antialias: 1 }, { sizes: SHAPE }, /expected no antialias/],
    [
      'another mode',
      { mode: 'area' },
      { sizes: [1, 2, 8, 8] },
      /expected mode nearest, linear or cubic, received area/,
    ],
    ['another rounding', { nearest_mode: 'up' }, { sizes: [1, 2, 8, 8] }, /expected a known nearest_mode/],
    [
      'a policy of aspect',
      { keep_aspect_ratio_policy: 'not_larger' },
      { sizes: SHAPE },
      /received not_larger/,
    ],
    ['too few sizes', {}, { sizes: [8, 8] }, /one scale or size above 0 for each axis/],
    ['endless sizes', {}, { sizes: [1, 2, 2 ** 40, 8] }, /at most 8 axes and/],
  ])('%s', (_, attributes, ends, message) => {
    const network = networkOf(madeModel(resized(attributes, ends)));
    expect(() => network.trace(SHAPE)).toThrow(message);
    network.dispose();
  });
});
