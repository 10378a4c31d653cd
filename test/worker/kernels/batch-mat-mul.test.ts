import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { startBackend } from '../../../worker/backend.ts';
import { expectClose, expectNoLeak, noise, valuesOf, valuesOn, withBackend } from '../../helpers/tensors.ts';

const products = fc.record({
  stackOfA: fc.constantFrom([], [1], [3], [1, 1], [2, 2]),
  stackOfB: fc.constantFrom('same', 'one', 'none'),
  rows: fc.integer({ min: 1, max: 20 }),
  inner: fc.integer({ min: 1, max: 60 }),
  columns: fc.integer({ min: 1, max: 20 }),
  transposeA: fc.boolean(),
  transposeB: fc.boolean(),
});

const TRANSPOSITIONS = [
  [false, false],
  [false, true],
  [true, false],
  [true, true],
] as const;

type Product = typeof products extends fc.Arbitrary<infer T> ? T : never;

function shapesOf({ stackOfA, stackOfB, rows, inner, columns, transposeA, transposeB }: Product) {
  const stack = { same: stackOfA, one: [1], none: [] as number[] }[stackOfB];
  return {
    a: [...stackOfA, ...(transposeA ? [inner, rows] : [rows, inner])],
    b: [...stack, ...(transposeB ? [columns, inner] : [inner, columns])],
  };
}

const size = (shape: readonly number[]) => shape.reduce((product, extent) => product * extent, 1);

function multiply(product: Product) {
  const { a, b } = shapesOf(product);
  const { transposeA, transposeB } = product;
  return () => [
    tf
      .engine()
      .runKernel(
        'BatchMatMul',
        { a: tf.tensor(noise(size(a), 1), a), b: tf.tensor(noise(size(b), 2), b) },
        { transposeA, transposeB },
      ) as tf.Tensor,
  ];
}

/** Σ_j a[i, j] · b[j, k] for each matrix of the stack, in float64. */
function reference(product: Product): Float64Array {
  const { rows, inner, columns, transposeA, transposeB, stackOfA } = product;
  const { a, b } = shapesOf(product);
  const left = noise(size(a), 1);
  const right = noise(size(b), 2);
  const stack = size(stackOfA);
  const result = new Float64Array(stack * rows * columns);
  result.forEach((_, at) => {
    const [matrix, row, column] = [
      Math.floor(at / (rows * columns)),
      Math.floor(at / columns) % rows,
      at % columns,
    ];
    const ofA = matrix * rows * inner;
    const ofB = right.length === inner * columns ? 0 : matrix * inner * columns;
    for (let j = 0; j < inner; j += 1) {
      const valueOfA = left[ofA + (transposeA ? j * rows + row : row * inner + j)]!;
      result[at]! += valueOfA * right[ofB + (transposeB ? column * inner + j : j * columns + column)]!;
    }
  });
  return result;
}

describe('matrix product', () => {
  withBackend('wasm');

  test('equals the sum of products in float64, transposed or not, stacked or not', () => {
    fc.assert(
      fc.property(products, (product) => {
        expectClose(valuesOf(multiply(product))[0]!, reference(product), 1e-5);
      }),
      { seed: 11, numRuns: 100 },
    );
  });

  test.each([
    ['more columns than a tile', { rows: 70, inner: 9, columns: 300 }],
    ['more rows than a block', { rows: 300, inner: 40, columns: 13 }],
    ['a longer inner axis than a block', { rows: 9, inner: 1100, columns: 11 }],
    ['one row', { rows: 1, inner: 129, columns: 65 }],
    ['one column', { rows: 65, inner: 129, columns: 1 }],
  ])('equals the sum of products in float64 with %s', (_, sizes) => {
    for (const [transposeA, transposeB] of TRANSPOSITIONS) {
      const product: Product = { stackOfA: [3], stackOfB: 'same', ...sizes, transposeA, transposeB };
      expectClose(valuesOf(multiply(product))[0]!, reference(product), 1e-5);
    }
  });

  test('has the same bits on one thread and on three', async () => {
    for (const [transposeA, transposeB] of TRANSPOSITIONS) {
      const sizes = { rows: 130, inner: 530, columns: 75, transposeA, transposeB };
      const product: Product = { stackOfA: [3], stackOfB: 'one', ...sizes };
      await startBackend('wasm', { threads: 1 });
      const alone = valuesOf(multiply(product));
      await startBackend('wasm', { threads: 3 });
      expect(valuesOf(multiply(product))).toEqual(alone);
    }
  });

  test('is zero where there is nothing to add up', () => {
    const product: Product = {
      stackOfA: [],
      stackOfB: 'none',
      rows: 2,
      inner: 0,
      columns: 3,
      transposeA: false,
      transposeB: false,
    };
    expect([...valuesOf(multiply(product))[0]!]).toEqual([0, 0, 0, 0, 0, 0]);
  });

  test('has the shape and the values of backend cpu', async () => {
    await fc.assert(
      fc.asyncProperty(
        products.filter(({ stackOfA }) => stackOfA.length < 2),
        async (product) => {
          const shaped = () => multiply(product)().flatMap((result) => [result, tf.tensor1d(result.shape)]);
          const [actual, shape] = valuesOf(shaped);
          const [ofCpu, shapeOfCpu] = await valuesOn('cpu', shaped);
          expectClose(actual!, ofCpu!, 1e-5);
          expect(shape).toEqual(shapeOfCpu);
        },
      ),
      { seed: 12, numRuns: 40 },
    );
  });

  test('has the gradients of backend cpu', async () => {
    const gradients = () =>
      tf.grads((a, b) => tf.matMul(a as tf.Tensor2D, b as tf.Tensor2D, true, false))([
        tf.tensor(noise(35, 1), [5, 7]),
        tf.tensor(noise(15, 2), [5, 3]),
      ]);
    const actual = valuesOf(gradients);
    const ofCpu = await valuesOn('cpu', gradients);
    actual.forEach((values, index) => {
      expectClose(values, ofCpu[index]!, 1e-5);
    });
  });

  test.each([
    ['different inner sizes', [2, 3], [4, 5]],
    ['stacks of different length', [2, 2, 3], [3, 3, 5]],
  ])('refuses %s and prints both shapes', (_, a, b) => {
    const attempt = () =>
      tf
        .engine()
        .runKernel(
          'BatchMatMul',
          { a: tf.zeros(a), b: tf.zeros(b) },
          { transposeA: false, transposeB: false },
        );
    expect(() => tf.tidy(() => attempt() as tf.Tensor)).toThrow(
      expect.objectContaining({
        code: 'SHAPE_MISMATCH',
        message: expect.stringMatching(`\\[${a}\\].*\\[${b}\\]`),
      }),
    );
  });

  test('refuses whole numbers and names them', () => {
    const attempt = () => tf.matMul(tf.ones([2, 3], 'int32'), tf.ones([3, 2], 'int32'));
    expect(() => tf.tidy(attempt)).toThrow(
      expect.objectContaining({
        code: 'UNSUPPORTED_MODEL',
        message: 'matMul: expected float32, received int32',
      }),
    );
  });

  test('leaves neither a tensor nor memory behind', async () => {
    const product: Product = {
      stackOfA: [],
      stackOfB: 'none',
      rows: 3,
      inner: 4,
      columns: 5,
      transposeA: true,
      transposeB: true,
    };
    await expectNoLeak(() => valuesOf(multiply(product)));
  });
});
