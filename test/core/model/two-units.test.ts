import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { differenceOfUnits, unitsOfDifference } from '../../../core/model/two-units.ts';

describe.each([
  ['side by side', [1, 4, 2, 6, 3, 8], [1, 4, 1, 7, 3, 8]],
  ['apart', [1, 2, 3, 4, 6, 8], [1, 1, 3, 4, 7, 8]],
] as const)('two units %s', (order, weights, moved) => {
  test('are held as their difference, and each takes half of what it moves', () => {
    const both = Float32Array.from(weights);
    expect(Array.from(differenceOfUnits(both, order))).toEqual([3, 4, 5]);
    expect(Array.from(unitsOfDifference(both, Float32Array.of(3, 6, 5), order))).toEqual(moved);
    expect(Array.from(both)).toEqual(weights);
  });

  test('have the new difference, and keep their bits where it is the old one', () => {
    const numbers = fc.array(fc.float({ min: -100, max: 100, noNaN: true }), { minLength: 6, maxLength: 6 });
    fc.assert(
      fc.property(numbers, numbers, (old, fresh) => {
        const both = Float32Array.from(old);
        const difference = differenceOfUnits(both, order);
        expect(unitsOfDifference(both, difference, order)).toEqual(both);
        const wanted = Float32Array.from(fresh.slice(0, 3));
        const after = differenceOfUnits(unitsOfDifference(both, wanted, order), order);
        wanted.forEach((value, place) => {
          expect(Math.abs(after[place]! - value)).toBeLessThan(1e-4);
        });
      }),
    );
  });
});
