import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { kernelCalls } from '../../helpers/kernels.ts';
import { expectClose, expectNoLeak, noise, valuesOf, valuesOn, withBackend } from '../../helpers/tensors.ts';

type Call = Parameters<typeof tf.fused.conv2d>[0];
type Activation = NonNullable<Call['activation']>;

const extent = fc.integer({ min: 3, max: 9 });
const channels = fc.integer({ min: 1, max: 6 });
const calls = fc.record({
  images: fc.tuple(fc.integer({ min: 1, max: 3 }), extent, extent, channels),
  filter: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }), channels),
  strides: fc.integer({ min: 1, max: 3 }),
  pad: fc.constantFrom('same' as const, 'valid' as const),
  hasBias: fc.boolean(),
  activation: fc.constantFrom<Activation>('linear', 'relu'),
});
type Drawn = typeof calls extends fc.Arbitrary<infer Value> ? Value : never;

const ONE: Drawn = {
  images: [2, 6, 5, 3],
  filter: [3, 3, 4],
  strides: 1,
  pad: 'same',
  hasBias: true,
  activation: 'relu',
};

/** Images, filter and, if there is one, bias. */
function inputsOf({ images, filter, hasBias }: Drawn): tf.Tensor[] {
  const [height, width, outChannels] = filter;
  const filterShape = [height, width, images[3], outChannels] as const;
  const shapes = [images, filterShape, ...(hasBias ? [[outChannels]] : [])];
  return shapes.map((shape, place) => tf.tensor(noise(tf.util.sizeFromShape([...shape]), place), [...shape]));
}

function convolve({ strides, pad, activation }: Drawn, [x, filter, bias]: tf.Tensor[]): tf.Tensor {
  const inputs = { x: x as tf.Tensor4D, filter: filter as tf.Tensor4D, ...(bias && { bias }) };
  return tf.fused.conv2d({ ...inputs, strides, pad, activation });
}

/** The result while a tape is recorded, then the gradient of a sum of its entries, each with a weight of its own. */
function withGradients(drawn: Drawn): tf.Tensor[] {
  const kept: tf.Tensor[] = [];
  const gradients = tf.grads((...inputs) => {
    const y = convolve(drawn, inputs);
    kept.push(tf.keep(tf.clone(y)));
    return tf.sum(tf.mul(y, tf.tensor(noise(y.size, 9), y.shape)));
  })(inputsOf(drawn));
  return [...kept, ...gradients];
}

describe('a fused convolution on a tape', () => {
  withBackend('wasm');

  test('has the results and gradients of tfjs', async () => {
    await fc.assert(
      fc.asyncProperty(calls, async (drawn) => {
        fc.pre(
          drawn.pad === 'same' || drawn.images.slice(1, 3).every((size, axis) => size >= drawn.filter[axis]!),
        );
        const [ours, theirs] = [
          valuesOf(() => withGradients(drawn)),
          await valuesOn('cpu', () => withGradients(drawn)),
        ];
        expect(ours).toHaveLength(drawn.hasBias ? 4 : 3);
        for (const [place, values] of ours.entries()) expectClose(values, theirs[place]!, 1e-4);
      }),
      { numRuns: 40 },
    );
  });

  test('has the very result that it has without a tape', () => {
    const [taped] = valuesOf(() => withGradients(ONE));
    expect(taped).toEqual(valuesOf(() => [convolve(ONE, inputsOf(ONE))])[0]);
  });

  test('computes only the gradients that are asked for', async () => {
    const gradientOf = (asked: number) => () =>
      tf.tidy(() => {
        const inputs = inputsOf(ONE);
        tf.grad((input) => convolve(ONE, inputs.with(asked, input)))(inputs[asked]!);
      });
    const countsOf = async (asked: number) => {
      const calls = await kernelCalls(gradientOf(asked));
      return ['FusedConv2D', 'Conv2DBackpropInput', 'Conv2DBackpropFilter', 'Sum'].map(
        (name) => calls[name] ?? 0,
      );
    };
    expect(await countsOf(0)).toEqual([1, 1, 0, 0]);
    expect(await countsOf(1)).toEqual([1, 0, 1, 0]);
    expect(await countsOf(2)).toEqual([1, 0, 0, 1]);
  });

  test('leaves no tensor', async () => {
    await expectNoLeak(() => tf.dispose(tf.tidy(() => withGradients(ONE))));
  });

  test.each<Activation>(['elu', 'sigmoid'])('leaves %s to tfjs', async (activation) => {
    const run = () => withGradients({ ...ONE, activation });
    const [ours, theirs] = [valuesOf(run), await valuesOn('cpu', run)];
    for (const [place, values] of ours.entries()) expectClose(values, theirs[place]!, 1e-4);
  });
});
