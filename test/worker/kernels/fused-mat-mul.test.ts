import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { expectClose, expectNoLeak, noise, valuesOf, valuesOn, withBackend } from '../../helpers/tensors.ts';

const ACTIVATIONS = ['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu', 'prelu'] as const;

interface Factors {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  readonly stack?: number;
}

const ROWS = 5;
const INNER = 60;
const COLUMNS = 11;

/** An inner axis and, transposed or stacked, factors with which stock adds the bias more than once. */
function multiply(activation: (typeof ACTIVATIONS)[number], factors: Factors = {}): () => tf.Tensor[] {
  const { transposeA = false, transposeB = false, stack = 1 } = factors;
  return () => {
    const a = transposeA ? [stack, INNER, ROWS] : [stack, ROWS, INNER];
    const b = transposeB ? [stack, COLUMNS, INNER] : [stack, INNER, COLUMNS];
    return [
      tf.fused.matMul({
        a: tf.tensor(noise(stack * ROWS * INNER, 1), a),
        b: tf.tensor(noise(stack * INNER * COLUMNS, 2), b),
        transposeA,
        transposeB,
        bias: tf.tensor1d(noise(COLUMNS, 3)),
        activation,
        leakyreluAlpha: 0.3,
        preluActivationWeights: tf.tensor1d(noise(COLUMNS, 4)),
      }),
    ];
  };
}

describe('matrix product with bias and activation', () => {
  withBackend('wasm');

  test.each(ACTIVATIONS)('has the values of backend cpu under %s', async (activation) => {
    const actual = valuesOf(multiply(activation));
    const ofCpu = await valuesOn('cpu', multiply(activation));
    expectClose(actual[0]!, ofCpu[0]!, 1e-5);
  });

  test.each([
    { transposeA: true },
    { transposeB: true },
    { transposeA: true, transposeB: true },
    { stack: 3 },
  ])('adds the bias once: %j', async (factors) => {
    const actual = valuesOf(multiply('relu', factors));
    const ofCpu = await valuesOn('cpu', multiply('relu', factors));
    expectClose(actual[0]!, ofCpu[0]!, 1e-5);
  });

  test('has the gradients of backend cpu', async () => {
    const gradients = () =>
      tf.grads((a, b, bias) =>
        tf.fused.matMul({
          a: a as tf.Tensor2D,
          b: b as tf.Tensor2D,
          bias: bias as tf.Tensor1D,
          activation: 'relu',
        }),
      )([tf.tensor(noise(35, 1), [5, 7]), tf.tensor(noise(21, 2), [7, 3]), tf.tensor1d(noise(3, 3))]);
    const actual = valuesOf(gradients);
    const ofCpu = await valuesOn('cpu', gradients);
    actual.forEach((values, index) => {
      expectClose(values, ofCpu[index]!, 1e-5);
    });
  });

  test('lets NaN through a bound', () => {
    const [result] = valuesOf(() => [
      tf.fused.matMul({ a: tf.tensor2d([[Number.NaN]]), b: tf.tensor2d([[1]]), activation: 'relu6' }),
    ]);
    expect(result![0]).toBeNaN();
  });

  test('refuses a bias of another length and prints both', () => {
    const attempt = () =>
      tf
        .engine()
        .runKernel(
          '_FusedMatMul',
          { a: tf.zeros([1, 2, 3]), b: tf.zeros([1, 3, 4]), bias: tf.zeros([1]) },
          { transposeA: false, transposeB: false, activation: 'linear' },
        ) as tf.Tensor;
    expect(() => tf.tidy(attempt)).toThrow(
      expect.objectContaining({
        code: 'SHAPE_MISMATCH',
        message: 'matMul: bias, expected [4], received [1]',
      }),
    );
  });

  test.each(['relu', 'sigmoid'] as const)(
    'leaves neither a tensor nor memory behind under %s',
    async (activation) => {
      await expectNoLeak(() => valuesOf(multiply(activation)));
    },
  );
});
