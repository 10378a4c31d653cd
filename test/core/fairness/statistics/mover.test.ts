import { describe, expect, it } from 'vitest';
import {
  type Estimator,
  largestDifference,
  largestOf,
  meanOf,
  ratioOf,
  smallestOf,
  smallestRatio,
  smallestRatioTo,
} from '../../../../core/fairness/statistics/mover.ts';
import {
  newcombe,
  type Proportion,
  rateEstimator,
  wilson,
} from '../../../../core/fairness/statistics/rate-intervals.ts';

const rates = [
  { numerator: 30, support: 100 },
  { numerator: 45, support: 90 },
  { numerator: 8, support: 20 },
];
const [first, second] = rates as [(typeof rates)[0], (typeof rates)[0]];
const estimators = rates.map(rateEstimator);
const OPTIONS = { level: 0.95, areAlike: false };

const ratioAt = (one: Proportion, two: Proportion) =>
  ratioOf(rateEstimator(one)(0.95), rateEstimator(two)(0.95));

describe('ratioOf', () => {
  it.each([
    [3, 10, 6, 10],
    [0, 10, 6, 10],
    [10, 10, 1, 10],
    [1, 5, 1, 40],
    [20, 20, 20, 20],
  ])('of %d/%d and %d/%d ends where an end of the MOVER interval of p1 - R p2 is 0', (x1, n1, x2, n2) => {
    const [one, two] = [
      { numerator: x1, support: n1 },
      { numerator: x2, support: n2 },
    ];
    const [a, b] = [wilson(one, 0.95)!, wilson(two, 0.95)!];
    const [p1, p2] = [x1 / n1, x2 / n2];
    const { low, high } = ratioAt(one, two)!;
    expect(low).toBeLessThanOrEqual(p1 / p2);
    expect(high).toBeGreaterThanOrEqual(p1 / p2);
    const lowGap = p1 - low * p2 - Math.hypot(p1 - a.low, low * (b.high - p2));
    const highGap = p1 - high * p2 + Math.hypot(a.high - p1, high * (p2 - b.low));
    expect([lowGap, highGap]).toEqual([expect.closeTo(0, 12), expect.closeTo(0, 12)]);
  });

  it('over a rate of 0 there is none', () => {
    expect(ratioAt({ numerator: 3, support: 5 }, { numerator: 0, support: 5 })).toBeNull();
  });
});

describe('smallestRatioTo', () => {
  const [reference, ...others] = estimators as [Estimator, ...Estimator[]];

  it('of one other group is the interval of their ratio', () => {
    expect(smallestRatioTo(reference, others.slice(0, 1), 0.95)).toEqual(ratioAt(second, first));
  });

  it('of more takes the smallest ends, the upper at a higher level', () => {
    const ends = (level: number) => others.map((other) => ratioOf(other(level), reference(level))!);
    expect(smallestRatioTo(reference, others, 0.95)).toEqual({
      low: Math.min(...ends(0.95).map(({ low }) => low)),
      high: Math.min(...ends(1 - 0.05 / Math.SQRT2).map(({ high }) => high)),
    });
  });

  it('to a rate of 0 there is none', () => {
    expect(smallestRatioTo(rateEstimator({ numerator: 0, support: 9 }), others, 0.95)).toBeNull();
  });
});

describe('largestDifference', () => {
  it('of two groups is the interval of their difference, higher less lower', () => {
    expect(largestDifference(estimators.slice(0, 2), OPTIONS)).toEqual(newcombe(second, first, 0.95));
  });

  it('of three takes the widest reach of any pair, and the inner end at 1 - 0.05/√2', () => {
    const all = largestDifference(estimators, OPTIONS);
    const pairs = rates.flatMap((one) =>
      rates.filter((two) => two !== one).map((two) => [one, two] as const),
    );
    const highs = pairs.map(([one, two]) => newcombe(one, two, 0.95)!.high);
    const lows = pairs.map(([one, two]) => newcombe(one, two, 1 - 0.05 / Math.SQRT2)!.low);
    expect(all).toEqual({ low: Math.max(...lows), high: Math.max(...highs) });
  });

  it('reaches 0 where no test tells the groups apart, and never falls below', () => {
    expect(largestDifference(estimators, { ...OPTIONS, areAlike: true }).low).toBe(0);
    expect(largestDifference([rateEstimator(first), rateEstimator(first)], OPTIONS).low).toBe(0);
  });
});

describe('smallestRatio', () => {
  it('of two groups is the interval of lower over higher, at most 1', () => {
    const { low, high } = ratioAt(first, second)!;
    expect(smallestRatio(estimators.slice(0, 2), OPTIONS)).toEqual({ low, high: Math.min(1, high) });
  });

  it('of three reaches as low as the lowest pair, and 1 where the groups are alike', () => {
    const all = smallestRatio(estimators, { ...OPTIONS, areAlike: true })!;
    const lows = rates.flatMap((one) => rates.map((two) => ratioAt(one, two)!.low));
    expect(all).toEqual({ low: Math.min(...lows), high: 1 });
  });

  it('with a rate of 0 is 0 at the low end, and without any other rate there is none', () => {
    const none = rateEstimator({ numerator: 0, support: 10 });
    expect(smallestRatio([none, rateEstimator(second)], OPTIONS)?.low).toBe(0);
    expect(smallestRatio([none, none], OPTIONS)).toBeNull();
  });
});

describe('several gaps together', () => {
  const gaps = [
    { low: 0.1, high: 0.3 },
    { low: 0.05, high: 0.4 },
  ];

  it('the largest and the smallest have the ends of one or the other', () => {
    expect(largestOf(gaps)).toEqual({ low: 0.1, high: 0.4 });
    expect(smallestOf(gaps)).toEqual({ low: 0.05, high: 0.3 });
  });

  it('the mean has arms that add as variances do: 0.3 and 0.4 make 0.5, over two', () => {
    const mean = meanOf([
      { value: 0.4, low: 0.1, high: 0.4 },
      { value: 0.6, low: 0.2, high: 0.6 },
    ]);
    expect(mean).toEqual({ low: expect.closeTo(0.5 - 0.25, 12), high: 0.5 });
  });

  it('asks each figure for the level that it needs', () => {
    const levels: number[] = [];
    const spy: Estimator = (level) => {
      levels.push(level);
      return { value: 0.5, low: 0.4, high: 0.6 };
    };
    largestDifference([spy, spy, spy], OPTIONS);
    expect([...new Set(levels)].sort()).toEqual([0.95, 1 - 0.05 / Math.SQRT2].sort());
  });
});
