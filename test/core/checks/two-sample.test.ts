import { describe, expect, test } from 'vitest';
import { classifierTest, type FeatureSet, MOST_COMPARED, mmdTest } from '../../../core/checks/two-sample.ts';
import { normal, seededUniform } from '../../../core/fairness/statistics/sampling.ts';
import { noise } from '../../helpers/tensors.ts';

const line = (values: readonly number[]): FeatureSet => ({ values, width: 1 });

function draws(size: number, seed: number, shift = 0, width = 1): FeatureSet {
  const uniform = seededUniform(seed);
  return { values: Array.from({ length: size * width }, () => normal(uniform) + shift), width };
}

const repeated = (value: number, times: number) => new Array<number>(times).fill(value);

describe('mmdTest', () => {
  test('of two points with many samples each is the kernel by hand', () => {
    // pairs of different points are at distance 2; of 190 pairs 100 are, so the median is 2
    const { squared, bandwidth, pValue, sizes } = mmdTest(line(repeated(0, 10)), line(repeated(2, 10)), 1)!;
    expect([bandwidth, ...sizes]).toEqual([2, 10, 10]);
    expect(squared).toBeCloseTo(1 + 1 - 2 * Math.exp(-(2 ** 2) / (2 * 2 ** 2)), 12);
    expect(pValue).toBe(1 / 500);
  });

  test('is what numpy makes of the formula', () => {
    const first = { values: noise(180, 21), width: 3 };
    const second = { values: noise(180, 22).map((value, at) => value + (at % 3 === 0 ? 0.3 : 0)), width: 3 };
    const { squared, bandwidth } = mmdTest(first, second, 1)!;
    expect(bandwidth).toBeCloseTo(1.2827093522115307, 6);
    expect(squared).toBeCloseTo(0.008086536046312265, 6);
  });

  test('has p-values that are uniform where the sets are alike', () => {
    const pValues = Array.from(
      { length: 200 },
      (_, at) => mmdTest(draws(15, 2 * at), draws(15, 2 * at + 1), at)!.pValue,
    );
    const share = (limit: number) => pValues.filter((pValue) => pValue <= limit).length / 200;
    for (const limit of [0.05, 0.25, 0.5, 0.75]) {
      expect(Math.abs(share(limit) - limit)).toBeLessThan(3 * Math.sqrt((limit * (1 - limit)) / 200));
    }
  });

  test('sees a shift, and a spread that no mean shows', () => {
    expect(mmdTest(draws(80, 1), draws(80, 2, 1), 1)!.pValue).toBe(1 / 500);
    const wide = draws(80, 3).values;
    expect(mmdTest(draws(80, 1), line(Array.from(wide, (value) => 3 * value)), 1)!.pValue).toBe(1 / 500);
  });

  test('of points that are all the same has nothing to tell', () => {
    expect(mmdTest(line(repeated(1, 12)), line(repeated(1, 12)), 1)).toMatchObject({ squared: 0, pValue: 1 });
  });
});

describe('classifierTest', () => {
  test('tells separate sets apart on every sample it has not seen', () => {
    const found = classifierTest(draws(40, 1), draws(60, 2, 20), 1)!;
    const choose = Array.from({ length: 20 }, (_, k) => (20 - k) / (40 - k)); // 1 / C(40, 20)
    expect(found).toEqual({
      accuracy: 1,
      tested: 40,
      sizes: [40, 40],
      pValue: expect.closeTo(
        choose.reduce((product, part) => product * part, 1),
        14,
      ),
    });
  });

  test('raises no alarm more often than its level where the sets are alike', () => {
    const pValues = Array.from(
      { length: 300 },
      (_, at) => classifierTest(draws(40, 2 * at), draws(40, 2 * at + 1), at)!.pValue,
    );
    const alarms = pValues.filter((pValue) => pValue <= 0.1).length;
    expect(alarms / 300).toBeLessThan(0.1 + 3 * Math.sqrt((0.1 * 0.9) / 300));
    expect(alarms).toBeGreaterThan(0);
  });
});

describe('both tests', () => {
  const repeats = (set: FeatureSet, times: number): FeatureSet => ({
    ...set,
    values: Array.from(set.values).flatMap((value) => repeated(value, times)),
    subjects: Array.from(set.values).flatMap((_, subject) => repeated(subject, times).map(String)),
  });

  test('compare one sample of each subject, so that repeats prove nothing', () => {
    expect(mmdTest(repeats(draws(25, 1), 4), repeats(draws(30, 2), 4), 1)!.sizes).toEqual([25, 30]);
    expect(classifierTest(repeats(draws(25, 1), 4), repeats(draws(30, 2), 4), 1)!.sizes).toEqual([25, 25]);
  });

  test('say nothing of few subjects, and compare no more than they may', () => {
    expect(mmdTest(draws(9, 1), draws(50, 2), 1)).toBeNull();
    expect(classifierTest(draws(50, 1), draws(19, 2), 1)).toBeNull();
    expect(mmdTest(draws(MOST_COMPARED + 50, 1), draws(20, 2), 1)!.sizes).toEqual([MOST_COMPARED, 20]);
  });

  test('give the same for the same seed', () => {
    const [first, second] = [draws(30, 1, 0, 2), draws(30, 2, 0.5, 2)];
    expect(mmdTest(first, second, 3)).toEqual(mmdTest(first, second, 3));
    expect(classifierTest(first, second, 3)).toEqual(classifierTest(first, second, 3));
  });
});
