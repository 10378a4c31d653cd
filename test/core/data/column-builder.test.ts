import { describe, expect, it } from 'vitest';
import { makeNumberColumn, makeTextColumn, textsOf } from '../../../core/data/column-builder.ts';

describe('makeNumberColumn', () => {
  it('keeps every value while it grows', () => {
    const column = makeNumberColumn(Float64Array);
    const values = Array.from({ length: 5000 }, (_, index) => index / 3);
    for (const value of values) column.push(value);
    expect(column.finish()).toEqual(Float64Array.from(values));
  });

  it('is empty before the first value', () => {
    expect(makeNumberColumn(Int32Array).finish()).toEqual(new Int32Array(0));
  });
});

describe('makeTextColumn', () => {
  it('keeps each distinct text once, outer white space gone', () => {
    const column = makeTextColumn();
    const distinct = ['b', ' a', 'b ', 'a', ''].map((cell) => column.push(cell));
    expect(distinct).toEqual([1, 2, 2, 2, 3]);
    expect(column.vocabulary).toEqual(['b', 'a', '']);
    expect(column.codes()).toEqual(Int32Array.of(0, 1, 0, 1, 2));
    expect(textsOf(column)).toEqual(['b', 'a', 'b', 'a', '']);
  });
});
