import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeBinning, makeQuantileCounter, parseBins } from '../../../../core/data/groups/bins.ts';

describe('parseBins', () => {
  it('reads edges and quantiles, also of a column with a colon', () => {
    expect(parseBins(['age:18,40.5, 65', 'a:b:q4', 'low:-1e2,0'])).toEqual({
      age: { edges: [18, 40.5, 65] },
      'a:b': { quantiles: 4 },
      low: { edges: [-100, 0] },
    });
  });

  it.each([
    [
      ['age'],
      '--bins: expected a column once, with edges (age:18,40,65) or quantiles (age:q4), received "age"',
    ],
    [[':1,2'], 'received ":1,2"'],
    [['age:old'], 'received "age:old"'],
    [['age:1', 'age:2'], 'received "age:2"'],
    [['age:1,,2'], '--bins "age:1,,2": '],
    [['age:2,1'], '"edges" must ascend'],
    [['age:1,1'], '"edges" must ascend'],
    [['age:q1'], '"quantiles" must be at least 2'],
    [['age:q101'], '"quantiles" must be at most 100'],
  ])('refuses %j', (texts, message) => {
    expect(() => parseBins(texts)).toThrow(message);
  });
});

describe('makeBinning', () => {
  it('begins a group at each edge and names the missing ones', () => {
    const binning = makeBinning([18, 40]);
    const values = [40, 17.99, 18, Number.NaN, 39.9, -1e9, 1e9];
    expect(values.map((value) => binning.groupNames[binning.codeOf(value)])).toEqual([
      '>= 40',
      '< 18',
      '18 to < 40',
      '(missing)',
      '18 to < 40',
      '< 18',
      '>= 40',
    ]);
    expect(binning.order().map((code) => binning.groupNames[code])).toEqual([
      '< 18',
      '18 to < 40',
      '>= 40',
      '(missing)',
    ]);
  });

  it('has no group without rows', () => {
    const binning = makeBinning([1, 2, 3]);
    binning.codeOf(2.5);
    expect(binning.groupNames).toEqual(['2 to < 3']);
  });
});

describe('makeQuantileCounter', () => {
  const edgesOf = (values: readonly number[], quantiles: number) => {
    const counter = makeQuantileCounter();
    counter.add(Float64Array.from(values));
    return counter.edges(quantiles);
  };

  it('divides 1 … 12 in four: 3, 6 and 9 are the last of their parts', () => {
    const values = Array.from({ length: 12 }, (_, index) => index + 1);
    expect(edgesOf([...values, Number.NaN], 4)).toEqual({ edges: [4, 7, 10], isExact: true });
  });

  it.each([
    ['a value that fills two parts has one edge', [1, 1, 1, 1, 2, 3], 3, [2]],
    ['one value has none', [5, 5, 5], 2, []],
    ['nothing has none', [Number.NaN], 2, []],
  ])('%s', (_, values, quantiles, edges) => {
    expect(edgesOf(values, quantiles).edges).toEqual(edges);
  });

  it('makes parts of equal size of distinct values, in any order', () => {
    const distinct = fc.uniqueArray(fc.integer({ min: -1000, max: 1000 }), { minLength: 2, maxLength: 40 });
    fc.assert(
      fc.property(distinct, fc.integer({ min: 2, max: 6 }), (values, quantiles) => {
        const { edges } = edgesOf(values, quantiles);
        const sizes = Array.from({ length: edges.length + 1 }, () => 0);
        for (const value of values) sizes[edges.filter((edge) => value >= edge).length]! += 1;
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
      { numRuns: 50 },
    );
  });

  it('rounds values to five digits when there are too many distinct ones', () => {
    const counter = makeQuantileCounter();
    const size = 300_000;
    counter.add(Float64Array.from({ length: size }, (_, index) => index / size));
    const { edges, isExact } = counter.edges(2);
    expect(isExact).toBe(false);
    expect(edges[0]).toBeCloseTo(0.5, 4);
  });
});
