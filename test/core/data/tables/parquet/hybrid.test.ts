import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readHybrid } from '../../../../../core/data/tables/parquet/hybrid.ts';

/** Groups of eight values of `width` bits, the lowest bits first. */
function packed(values: readonly number[], width: number): number[] {
  const bits = values.flatMap((value) =>
    Array.from({ length: width }, (_, bit) => Math.floor(value / 2 ** bit) % 2),
  );
  const bytes = Array.from({ length: bits.length / 8 }, (_, byte) =>
    bits.slice(byte * 8, byte * 8 + 8).reduce((sum, bit, place) => sum + bit * 2 ** place, 0),
  );
  return [(values.length / 8) * 2 + 1, ...bytes];
}

function run(value: number, length: number, width: number): number[] {
  const bytes = Array.from(
    { length: Math.ceil(width / 8) },
    (_, byte) => Math.floor(value / 256 ** byte) % 256,
  );
  return [length * 2, ...bytes];
}

describe('readHybrid', () => {
  it('gives back runs and packed groups of any width', () => {
    const part = fc.integer({ min: 0, max: 24 }).chain((width) => {
      const value = fc.integer({ min: 0, max: 2 ** width - 1 });
      const parts = fc.array(
        fc.oneof(
          fc.tuple(value, fc.integer({ min: 1, max: 60 })),
          fc.array(value, { minLength: 8, maxLength: 8 }),
        ),
        { minLength: 1, maxLength: 5 },
      );
      return fc.tuple(fc.constant(width), parts);
    });
    fc.assert(
      fc.property(part, ([width, parts]) => {
        const bytes = parts.flatMap((one) =>
          one.length === 2 ? run(one[0], one[1]!, width) : packed(one, width),
        );
        const values = parts.flatMap((one) => (one.length === 2 ? new Array(one[1]).fill(one[0]) : one));
        const out = new Int32Array(values.length);
        expect(readHybrid(Uint8Array.from(bytes), [0, bytes.length], { width, out })).toBe(bytes.length);
        expect([...out]).toEqual(values);
      }),
      { numRuns: 50 },
    );
  });

  it.each<[string, number[], number]>([
    ['values that end early', [2 * 2, 1], 1],
    ['packed values that end early', [3], 1],
    ['a run without its value', [200], 8],
    ['a run whose length does not end', [255, 255, 255, 255, 255, 255], 1],
    ['codes wider than any dictionary', [2, 0, 0, 0, 0], 25],
  ])('refuses %s', (_, bytes, width) => {
    const read = () =>
      readHybrid(Uint8Array.from(bytes), [0, bytes.length], { width, out: new Int32Array(10) });
    expect(read).toThrow();
  });

  it('writes no more than there is room for, however long a run claims to be', () => {
    const bytes = Uint8Array.of(0xfe, 0xff, 0xff, 0xff, 0x0f, 1);
    const out = new Int32Array(3);
    readHybrid(bytes, [0, bytes.length], { width: 1, out });
    expect([...out]).toEqual([1, 1, 1]);
  });
});
