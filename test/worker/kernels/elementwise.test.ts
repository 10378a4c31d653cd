import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectClose, expectNoLeak, noise, valuesOf, valuesOn, withBackend } from '../../helpers/tensors.ts';
import { sizeOf } from './reference.ts';
import { expectSameOnAnyThreads } from './threads.ts';

/** Two shapes that meet: equal, repeated along the first axes, one number, or both repeated. */
const meetings = fc
  .record({
    kind: fc.constantFrom('equal', 'rows', 'ones', 'scalar', 'both', 'middle', 'groups'),
    size: fc.constantFrom(1, 30, 66_000, 140_000),
    channels: fc.integer({ min: 1, max: 70 }),
    isSwapped: fc.boolean(),
  })
  .map(({ kind, size, channels, isSwapped }) => {
    const rows = Math.ceil(size / (2 * channels));
    const large = kind === 'both' ? [2, rows, 1] : [2, rows, channels];
    const small = {
      equal: large,
      rows: [channels],
      ones: [1, 1, channels],
      scalar: [],
      both: [2, 1, channels],
      middle: [rows, 1],
      groups: [2, 1, channels],
    }[kind];
    return isSwapped ? { a: small, b: large } : { a: large, b: small };
  });

const OPERATIONS = { add: tf.add, multiply: tf.mul };

describe.each(['add', 'multiply'] as const)('%s', (name) => {
  withBackend('wasm');
  const joined = ({ a, b }: { a: number[]; b: number[] }) => [
    OPERATIONS[name](tf.tensor(noise(sizeOf(a), 1), a), tf.tensor(noise(sizeOf(b), 2), b)),
  ];

  test('equals backend cpu to the bit, however the shapes meet', async () => {
    await fc.assert(
      fc.asyncProperty(meetings, async (shapes) => {
        const [actual] = valuesOf(() => joined(shapes));
        const [ofCpu] = await valuesOn('cpu', () => joined(shapes));
        expectClose(actual!, ofCpu!, 0);
      }),
      { seed: 31, numRuns: 30 },
    );
  });

  test('of whole numbers stays whole', () => {
    const whole = () => tf.fill([70_000], 2 ** 24 + 1, 'int32');
    const [values] = valuesOf(() => [OPERATIONS[name](whole(), tf.ones([70_000], 'int32'))]);
    expect(values![69_999]).toBe(2 ** 24 + (name === 'add' ? 2 : 1));
  });

  test('gives the same bits on any number of threads', async () => {
    await expectSameOnAnyThreads(() => [
      ...joined({ a: [300_001], b: [300_001] }),
      ...joined({ a: [10_001, 30], b: [30] }),
      ...joined({ a: [7, 2001, 30], b: [7, 1, 30] }),
      ...joined({ a: [300_001], b: [] }),
    ]);
  });

  test('leaves neither a tensor nor memory behind', async () => {
    await expectNoLeak(() => valuesOf(() => joined({ a: [2000, 40], b: [40] })));
  });
});

describe('the sum of tensors', () => {
  withBackend('wasm');

  test.each([
    [1, 100_000],
    [2, 100_000],
    [5, 100_000],
    [3, 10],
  ])('of %d of %d numbers has no other bits than their sum one by one', async (count, size) => {
    const compute = () => [
      tf.addN(Array.from({ length: count }, (_, seed) => tf.tensor1d(noise(size, seed)))),
    ];
    const expected = Array.from({ length: size }, (_, place) => place * 0);
    for (let seed = 0; seed < count; seed += 1) {
      noise(size, seed).forEach((value, place) => {
        expected[place] = Math.fround(expected[place]! + value);
      });
    }
    expectClose(valuesOf(compute)[0]!, expected, 0);
    await expectNoLeak(() => valuesOf(compute));
  });
});
