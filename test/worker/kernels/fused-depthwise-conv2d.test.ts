import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectClose, expectNoLeak, noise, valuesOf, valuesOn, withBackend } from '../../helpers/tensors.ts';
import { axis, DEPTHWISE, depthwiseCases, inputs } from './depthwise-cases.ts';
import { dilations, outputsOf, shapes, strides, type WindowCase } from './reference.ts';

interface Fused {
  readonly activation: string;
  readonly biasShape?: readonly number[] | undefined;
  readonly dataFormat?: string;
}

const biasOf = (test: WindowCase) => noise(test.channels * test.outputs, 4);

function kernel(test: WindowCase, { activation, biasShape, dataFormat = 'NHWC' }: Fused) {
  const values = inputs(test);
  const { x, filter } = shapes(test, DEPTHWISE);
  const width = test.channels * test.outputs;
  return () => {
    const optional: tf.NamedTensorMap = {};
    if (biasShape) optional.bias = tf.tensor(biasOf(test), [...biasShape]);
    if (activation === 'prelu') optional.preluActivationWeights = tf.tensor(noise(width, 5), [width]);
    const tensors = { x: tf.tensor(values.x, x), filter: tf.tensor(values.filter, filter), ...optional };
    const attrs = { strides: strides(test), dilations: dilations(test), pad: test.pad, dataFormat };
    return [
      tf.engine().runKernel('FusedDepthwiseConv2D', tensors, {
        ...attrs,
        activation,
        leakyreluAlpha: 0.3,
      }) as tf.Tensor,
    ];
  };
}

const ACTIVATIONS: Readonly<Record<string, (value: number, channel: number) => number>> = {
  linear: (value) => value,
  relu: (value) => Math.max(value, 0),
  relu6: (value) => Math.min(Math.max(value, 0), 6),
  elu: (value) => (value > 0 ? value : Math.expm1(value)),
  leakyrelu: (value) => (value > 0 ? value : 0.3 * value),
  prelu: (value, slope) => (value > 0 ? value : slope * value),
  sigmoid: (value) => 1 / (1 + Math.exp(-value)),
};

const small: WindowCase = {
  images: 2,
  channels: 5,
  outputs: 2,
  pad: 'same',
  rows: axis(5, 3, 2),
  columns: axis(4, 3, 2),
};

describe('fused depthwise convolution', () => {
  withBackend('wasm');

  test('equals the sum of products in float64 plus bias, within the bounds of its activation', () => {
    fc.assert(
      fc.property(
        depthwiseCases,
        fc.constantFrom(...Object.keys(ACTIVATIONS)),
        fc.boolean(),
        (test, activation, hasBias) => {
          const width = test.channels * test.outputs;
          const [actual] = valuesOf(kernel(test, { activation, biasShape: hasBias ? [width] : undefined }));
          const bias = biasOf(test);
          const slopes = noise(width, 5);
          const expected = outputsOf(test, DEPTHWISE, inputs(test)).map((value, index) => {
            const channel = index % width;
            return ACTIVATIONS[activation]!(value + (hasBias ? bias[channel]! : 0), slopes[channel]!);
          });
          expectClose(actual!, expected, 1e-5);
        },
      ),
      { seed: 8, numRuns: 80 },
    );
  });

  test.each(['linear', 'relu', 'relu6', 'prelu'])(
    '%s equals the kernel of backend cpu',
    async (activation) => {
      const options = { activation, biasShape: [10] };
      const [actual] = valuesOf(kernel(small, options));
      const [ofCpu] = await valuesOn('cpu', kernel(small, options));
      expectClose(actual!, ofCpu!, 1e-5);
    },
  );

  test.each(['linear', 'relu', 'relu6'])('%s keeps NaN', (activation) => {
    const x = tf.fill([1, 1, 1, 5], Number.NaN);
    const attrs = { strides: [1, 1], dilations: [1, 1], pad: 'same', dataFormat: 'NHWC', activation };
    const inputs = { x, filter: tf.ones([1, 1, 5, 1]) };
    const [actual] = valuesOf(() => [
      tf.engine().runKernel('FusedDepthwiseConv2D', inputs, attrs) as tf.Tensor,
    ]);
    expect([...actual!]).toEqual(Array.from({ length: 5 }, () => Number.NaN));
    tf.dispose(inputs);
  });

  test.each(['relu6', 'elu'])('leaves neither a tensor nor memory behind with %s', async (activation) => {
    await expectNoLeak(() => valuesOf(kernel(small, { activation, biasShape: [10] })));
  });

  test.each([
    ['an activation that it does not know', { activation: 'gelu' }, 'received gelu'],
    ['a bias of another shape', { activation: 'relu', biasShape: [1, 10] }, 'bias, expected shape [10]'],
    ['images whose channels come first', { activation: 'relu', dataFormat: 'NCHW' }, 'NCHW'],
  ])('refuses %s', (_, options, message) => {
    const buffers = tf.engine().backend.numDataIds();
    expect(() => tf.tidy(kernel(small, options))).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED_MODEL', message: expect.stringContaining(message) }),
    );
    expect(tf.engine().backend.numDataIds()).toBe(buffers);
  });
});
