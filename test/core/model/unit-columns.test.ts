import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitUnits, withPositive } from '../../../core/model/unit-columns.ts';

/** Units [1, 2], [4, 6] and [0, 20], of which the last is positive: means of the others are 2.5 and 4. */
const LAYOUTS = {
  'side by side': { isTransposed: false, entries: [1, 4, 0, 2, 6, 20], moved: [1, 4, 5, 2, 6, 20] },
  'one after the other': { isTransposed: true, entries: [1, 2, 4, 6, 0, 20], moved: [1, 2, 4, 6, 5, 20] },
};
const THREE = { count: 3, positive: 2 };

describe.each(Object.entries(LAYOUTS))('units %s', (_, { isTransposed, entries, moved }) => {
  test('of one softmax are relative to the mean of the others, and only the positive one moves', () => {
    const layout = { units: { ...THREE, isShared: true }, isTransposed };
    const three = Float32Array.from(entries);
    const { positive, others, means } = splitUnits(three, layout);
    expect(Array.from(positive)).toEqual([-2.5, 16]);
    expect(Array.from(others)).toEqual([-1.5, 1.5, -2, 2]);
    expect(Array.from(means)).toEqual([2.5, 4]);
    expect(Array.from(withPositive(three, Float32Array.of(2.5, 16), layout))).toEqual(moved);
    expect(Array.from(three)).toEqual(entries);
  });

  test('of their own are what they are', () => {
    const layout = { units: { ...THREE, isShared: false }, isTransposed };
    const { positive, others, means } = splitUnits(Float32Array.from(entries), layout);
    expect([positive, others, means].map((values) => Array.from<number>(values))).toEqual([
      [0, 20],
      [1, 4, 2, 6],
      [0, 0],
    ]);
    expect(Array.from(withPositive(Float32Array.from(entries), Float32Array.of(5, 20), layout))).toEqual(
      moved,
    );
  });
});

test('of two units the difference is held, and the positive one takes the change', () => {
  const layout = { units: { count: 2, positive: 0, isShared: true }, isTransposed: false };
  const two = Float32Array.of(1, 4, 2, 6);
  expect(Array.from(splitUnits(two, layout).positive)).toEqual([-3, -4]);
  expect(Array.from(withPositive(two, Float32Array.of(-3, 1), layout))).toEqual([1, 4, 7, 6]);
});

test('the same weights keep their bits, other weights are found again, and nothing but the positive unit moves', () => {
  const cases = fc.record({
    count: fc.integer({ min: 1, max: 5 }),
    width: fc.integer({ min: 1, max: 4 }),
    unit: fc.nat(4),
    isShared: fc.boolean(),
    isTransposed: fc.boolean(),
    numbers: fc.array(fc.float({ min: -100, max: 100, noNaN: true }), { minLength: 25, maxLength: 25 }),
  });
  fc.assert(
    fc.property(cases, ({ count, width, unit, isShared, isTransposed, numbers }) => {
      const units = { count, positive: unit % count, isShared: isShared && count > 1 };
      const layout = { units, isTransposed };
      const entries = Float32Array.from(numbers.slice(0, count * width));
      const split = splitUnits(entries, layout);
      expect(withPositive(entries, split.positive, layout)).toEqual(entries);
      const wanted = Float32Array.from(numbers.slice(-width));
      const after = splitUnits(withPositive(entries, wanted, layout), layout);
      expect(after.others).toEqual(split.others);
      wanted.forEach(
        (value, place) => void expect(Math.abs(after.positive[place]! - value)).toBeLessThan(1e-4),
      );
    }),
    { numRuns: 50 },
  );
});
