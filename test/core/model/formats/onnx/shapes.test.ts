import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  axisOf,
  broadcastShapes,
  channelsLast,
  isIdentity,
  isSameMemory,
  range,
  reshapeOrders,
  sizeOf,
  stridesOf,
  withoutAxes,
} from '../../../../../core/model/formats/onnx/shapes.ts';

describe('shapes', () => {
  test('have a size and strides', () => {
    expect(sizeOf([2, 3, 4])).toBe(24);
    expect(stridesOf([2, 3, 4])).toEqual([12, 4, 1]);
    expect(range(3)).toEqual([0, 1, 2]);
  });

  test.each<[number[], number[], number[] | null]>([
    [[2, 3], [3], [2, 3]],
    [
      [2, 1],
      [1, 4],
      [2, 4],
    ],
    [[], [5], [5]],
    [[2], [3], null],
  ])('%o and %o broadcast to %o', (a, b, shape) => {
    expect(broadcastShapes(a, b)).toEqual(shape);
    expect(broadcastShapes(b, a)).toEqual(shape);
  });

  test('count axes from both ends', () => {
    expect([axisOf(1, 3), axisOf(-1, 3)]).toEqual([1, 2]);
    expect([axisOf(3, 3), axisOf(-4, 3), axisOf(0.5, 3)]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  });
});

describe('orders of axes', () => {
  test('are compared by the memory that they mean', () => {
    expect(channelsLast(4)).toEqual([0, 2, 3, 1]);
    expect(isIdentity([0, 1, 2])).toBe(true);
    expect(isIdentity([0, 2, 1])).toBe(false);
    expect(isSameMemory([2, 8, 1, 1], [0, 1, 2, 3], [0, 2, 3, 1])).toBe(true);
    expect(isSameMemory([2, 8, 2, 1], [0, 1, 2, 3], [0, 2, 3, 1])).toBe(false);
  });

  test('close up where axes go', () => {
    expect(withoutAxes([0, 2, 3, 1], [2, 3])).toEqual([0, 1]);
    expect(withoutAxes([0, 2, 3, 1], [1])).toEqual([0, 1, 2]);
  });
});

describe('reshapeOrders', () => {
  test.each<[string, number[], number[], number[], number[], number[]]>([
    [
      'splits channels that lie last',
      [2, 6, 4, 5],
      [0, 2, 3, 1],
      [2, 2, 3, 4, 5],
      [0, 2, 3, 1],
      [0, 3, 4, 1, 2],
    ],
    [
      'asks for channels that were shuffled to lie together',
      [2, 3, 2, 4, 5],
      [0, 3, 4, 2, 1],
      [2, 6, 4, 5],
      [0, 3, 4, 1, 2],
      [0, 2, 3, 1],
    ],
    ['asks for rows where all becomes one axis', [2, 3, 4], [0, 2, 1], [2, 12], [0, 1, 2], [0, 1]],
    ['drops axes of extent 1', [2, 8, 1, 1], [0, 2, 3, 1], [2, 8], [0, 1, 2, 3], [0, 1]],
  ])('%s', (_, shape, order, to, before, after) => {
    expect(reshapeOrders({ shape, order }, to)).toEqual({ before, after });
  });

  test('moves no entry to another place in rows', () => {
    const extents = fc.array(fc.constantFrom(1, 2, 3, 4), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(extents, fc.array(fc.nat(3), { maxLength: 4 }), fc.nat(), (shape, cuts, seed) => {
        const to = regroup(shape, cuts);
        const order = range(shape.length).sort(
          (a, b) => ((a * 7 + seed) % 5) - ((b * 7 + seed) % 5) || a - b,
        );
        const { before, after } = reshapeOrders({ shape, order }, to);
        expect(placesInRows(shape, before)).toEqual(placesInRows(to, after));
      }),
    );
  });
});

/** Another shape of as many entries. */
function regroup(shape: readonly number[], cuts: readonly number[]): number[] {
  const factors = shape.flatMap((extent) => (extent === 4 ? [2, 2] : [extent]));
  const groups: number[] = [];
  factors.forEach((factor, place) => {
    if (place === 0 || (cuts[place % 4] ?? 0) > 1) groups.push(factor);
    else groups[groups.length - 1]! *= factor;
  });
  return groups;
}

/** For each entry in the order of memory, its place in the order of rows. */
function placesInRows(shape: readonly number[], order: readonly number[]): number[] {
  const strides = stridesOf(shape);
  return order.reduce<number[]>(
    (places, axis) =>
      places.flatMap((place) => range(shape[axis]!).map((step) => place + step * strides[axis]!)),
    [0],
  );
}
