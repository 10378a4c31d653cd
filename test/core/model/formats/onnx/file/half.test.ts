import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { floatOfHalf, halfOfFloat } from '../../../../../../core/model/formats/onnx/file/half.ts';

describe('half precision', () => {
  test.each([
    [0x0000, 0],
    [0x3c00, 1],
    [0xc000, -2],
    [0x7bff, 65504],
    [0x0400, 2 ** -14],
    [0x0001, 2 ** -24],
    [0x3555, 0.333251953125],
    [0x7c00, Number.POSITIVE_INFINITY],
    [0xfc00, Number.NEGATIVE_INFINITY],
  ])('%i is %d', (bits, value) => {
    expect(floatOfHalf(bits)).toBe(value);
    expect(halfOfFloat(value)).toBe(bits);
  });

  test('every half comes back as it was', () => {
    for (let bits = 0; bits < 2 ** 16; bits += 1) {
      const value = floatOfHalf(bits);
      if (Number.isNaN(value)) expect(Number.isNaN(floatOfHalf(halfOfFloat(value)))).toBe(true);
      else if (halfOfFloat(value) !== bits) expect(bits).toBe(0x8000); // minus zero has its own bits
    }
  });

  test('a float becomes the nearest half, the even one of two', () => {
    expect(halfOfFloat(1 + 2 ** -11)).toBe(0x3c00);
    expect(halfOfFloat(1 + 3 * 2 ** -11)).toBe(0x3c02);
    expect(halfOfFloat(2 - 2 ** -12)).toBe(0x4000); // carries into the exponent
    expect(halfOfFloat(65519)).toBe(0x7bff);
    expect(halfOfFloat(65520)).toBe(0x7c00);
    fc.assert(
      fc.property(fc.float({ min: -60000, max: 60000, noNaN: true }), (value) => {
        const half = floatOfHalf(halfOfFloat(value));
        const bound = Math.max(Math.abs(value) * 2 ** -11, 2 ** -25);
        expect(Math.abs(half - value)).toBeLessThanOrEqual(bound);
      }),
    );
  });
});
