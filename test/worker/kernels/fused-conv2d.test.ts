import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { expectClose, expectNoLeak, noise, valuesOf, valuesOn, withBackend } from '../../helpers/tensors.ts';
import { convolution, inputs, LARGE, PLAIN } from './convolution-cases.ts';
import { outputsOf, shapes, strides, type WindowCase } from './reference.ts';

const ACTIVATIONS = ['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu', 'prelu'] as const;

const small = convolution([2, 5, 11], { size: 5, taps: 3 });

function kernel(
  test: WindowCase,
  {
    activation,
    bias = test.outputs,
    dataFormat = 'NHWC',
  }: { activation: string; bias?: number; dataFormat?: string },
) {
  const values = inputs(test);
  const { x, filter } = shapes(test, PLAIN);
  return () => {
    const optional: tf.NamedTensorMap = {};
    if (bias > 0) optional.bias = tf.tensor1d(noise(bias, 4));
    if (activation === 'prelu') optional.preluActivationWeights = tf.tensor1d(noise(test.outputs, 5));
    return [
      tf.engine().runKernel(
        'FusedConv2D',
        { x: tf.tensor(values.x, x), filter: tf.tensor(values.filter, filter), ...optional },
        {
          strides: strides(test),
          dilations: 1,
          pad: test.pad,
          dataFormat,
          activation,
          leakyreluAlpha: 0.3,
        },
      ) as tf.Tensor,
    ];
  };
}

describe('convolution with bias and activation', () => {
  withBackend('wasm');

  test.each(ACTIVATIONS)(
    'has the values of backend cpu under %s, with and without bias',
    async (activation) => {
      for (const bias of [0, small.outputs]) {
        const [actual] = valuesOf(kernel(small, { activation, bias }));
        const [ofCpu] = await valuesOn('cpu', kernel(small, { activation, bias }));
        expectClose(actual!, ofCpu!, 1e-5);
      }
    },
  );

  test.each(LARGE)('equals the bounded sum of products and bias in float64: %s', (_, test) => {
    const bias = noise(test.outputs, 4);
    const expected = outputsOf(test, PLAIN, inputs(test)).map((value, index) =>
      Math.min(6, Math.max(0, value + bias[index % test.outputs]!)),
    );
    expectClose(valuesOf(kernel(test, { activation: 'relu6' }))[0]!, expected, 1e-5);
  });

  test('refuses a bias of another length and prints both', () => {
    expect(() => tf.tidy(kernel(small, { activation: 'relu', bias: 3 }))).toThrow(
      expect.objectContaining({
        code: 'SHAPE_MISMATCH',
        message: 'FusedConv2D: bias, expected [11], received [3]',
      }),
    );
  });

  test('refuses images whose channels come first', () => {
    expect(() => tf.tidy(kernel(small, { activation: 'relu', dataFormat: 'NCHW' }))).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED_MODEL', message: expect.stringContaining('FusedConv2D') }),
    );
  });

  test.each(['relu', 'sigmoid'])('leaves neither a tensor nor memory behind under %s', async (activation) => {
    await expectNoLeak(() => valuesOf(kernel(small, { activation })));
  });
});
