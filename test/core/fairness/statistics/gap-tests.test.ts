import { describe, expect, it } from 'vitest';
import { aucEstimator, aucOf } from '../../../../core/fairness/statistics/delong.ts';
import { twoSidedNormal } from '../../../../core/fairness/statistics/distributions.ts';
import {
  aucGapTest,
  chiSquareHomogeneity,
  firmVariance,
  fisherExact,
  fisherGreater,
  homogeneity,
  permutationTest,
  rateGapTest,
  twoProportions,
} from '../../../../core/fairness/statistics/gap-tests.ts';
import { newcombe, type Proportion, wilson } from '../../../../core/fairness/statistics/rate-intervals.ts';
import reference from '../../../fixtures/metrics/reference.json' with { type: 'json' };
import { countScores } from '../../../helpers/count-scores.ts';
import { katz } from '../../../studies/scenarios.ts';

const of = (numerator: number, support: number): Proportion => ({ numerator, support });

describe('the worked table of the oracle', () => {
  const { stats } = reference.R1;
  const [a, b] = [of(6, 10), of(3, 10)];

  it('has its z, p-values, chi-square and intervals', () => {
    expect(twoProportions(a, b)).toEqual({
      z: expect.closeTo(stats.z, 13),
      pValue: expect.closeTo(stats.z_p, 13),
    });
    expect(chiSquareHomogeneity([a, b]).chiSquare).toBeCloseTo(stats.chi2, 13);
    expect(fisherExact(a, b)).toBeCloseTo(stats.fisher_two_sided, 12);
    expect(Object.values(wilson(a, 0.95)!)).toEqual(
      stats.selection_wilson95.A.map((end) => expect.closeTo(end, 13)),
    );
    expect(Object.values(newcombe(a, b, 0.95)!)).toEqual(
      stats.dpd_newcombe95.map((end) => expect.closeTo(end, 13)),
    );
    expect(Object.values(katz(b, a)!)).toEqual(
      stats.dpr_B_over_A_katz95.slice(1).map((end) => expect.closeTo(end, 13)),
    );
  });

  it('of three groups has its chi-square', () => {
    const { selected, n } = selections();
    const { chiSquare, pValue } = chiSquareHomogeneity(n.map((support, at) => of(selected[at]!, support)));
    expect(chiSquare).toBeCloseTo(reference.R2.chi2_selection_df2, 12);
    expect(pValue).toBeCloseTo(reference.R2.chi2_p, 12);
  });

  function selections() {
    const counts = Object.values(reference.R2.counts) as Record<string, number>[];
    return {
      selected: counts.map((cell) => cell.TP! + cell.FP!),
      n: counts.map((cell) => cell.TP! + cell.FP! + cell.TN! + cell.FN!),
    };
  }
});

describe('tests of rates', () => {
  // scipy 1.17.1 fisher_exact, statsmodels 0.15 proportions_ztest.
  it.each([
    [of(56, 70), of(48, 80), 0.012521129749209154, 0.00804508136819656],
    [of(5, 56), of(0, 29), 0.1606214432094711, 0.09718656817057973],
    [of(1, 30), of(9, 12), 4.530246922454126e-6, 8.381464733199275e-7],
    [of(12, 5000), of(3, 400), 0.09436001562531082, 0.06220263387606485],
    [of(0, 10), of(0, 20), 1, 1],
  ])('of %o and %o: Fisher and z', (first, second, fisher, z) => {
    expect(fisherExact(first, second) / fisher).toBeCloseTo(1, 10);
    expect(twoProportions(first, second).pValue / z).toBeCloseTo(1, 10);
  });

  it('one-sided as scipy.fisher_exact with alternative greater, and 1 − mass the other way', () => {
    expect(fisherGreater(of(7, 10), of(2, 10))).toBeCloseTo(0.03488925934746368, 12);
    expect(fisherGreater(of(2, 10), of(7, 10))).toBeCloseTo(0.9972612526792093, 12);
  });

  it('chi-square of four groups as scipy.chi2_contingency without correction', () => {
    const { chiSquare, pValue } = chiSquareHomogeneity([of(30, 100), of(50, 200), of(110, 200), of(20, 50)]);
    expect(chiSquare).toBeCloseTo(41.596638655462186, 11);
    expect(pValue / 4.886091990987098e-9).toBeCloseTo(1, 10);
  });

  it('permutation: near the exact p-value, counted over all tables with these margins', () => {
    // 0.005246 by enumeration of the 5 successes over 10, 12 and 7 rows; three standard errors of 9,999 draws.
    const pValue = permutationTest([of(1, 10), of(0, 12), of(4, 7)], 1);
    expect(Math.abs(pValue - 0.005246)).toBeLessThan(3 * Math.sqrt(0.005246 / 9999));
    // 100 exceed early, so the estimate's relative error is a tenth.
    const unremarkable = permutationTest([of(1, 10), of(2, 12), of(2, 7)], 1);
    expect(unremarkable).toBeGreaterThan(0.4);
  });

  it('chooses by groups and by the smallest expected count, 5', () => {
    const name = (...rates: Proportion[]) => rateGapTest(rates, 1)?.name;
    expect(name(of(5, 10), of(5, 10))).toBe('two-proportion');
    expect(name(of(4, 10), of(5, 10))).toBe('fisher-exact');
    expect(name(of(5, 10), of(5, 10), of(5, 10))).toBe('chi-square');
    expect(name(of(4, 10), of(5, 10), of(5, 10))).toBe('permutation');
    expect(name(of(5, 10))).toBeUndefined();
  });

  it('gives 1 where all rows agree, and takes effective counts', () => {
    expect(rateGapTest([of(10, 10), of(20, 20), of(5, 5)], 1)?.pValue).toBe(1);
    expect(chiSquareHomogeneity([of(10, 10), of(20, 20)])).toEqual({ chiSquare: 0, pValue: 1 });
    expect(rateGapTest([of(3.2, 8.4), of(2.1, 9.9)], 1)?.pValue).toBe(fisherExact(of(3, 8), of(2, 10)));
  });
});

describe('aucGapTest', () => {
  const sorted = (values: readonly number[]) => Float64Array.from(values).sort();
  const auc = (positives: number[], negatives: number[]) =>
    aucOf(countScores(sorted(positives), sorted(negatives)))!;
  const groups = [
    auc([3, 5, 6, 8, 9], [1, 2, 4, 7]),
    auc([1, 4, 5, 6], [0, 2, 3, 7, 8]),
    auc([2, 3, 8, 9], [1, 4, 5, 6]),
  ];
  const [first, second] = groups as [(typeof groups)[0], (typeof groups)[0]];

  it('of two groups is z of the difference over the root of both variances', () => {
    const z = (first.auc - second.auc) / Math.sqrt(first.variance! + second.variance!);
    expect(aucGapTest([first, second])).toEqual({
      name: 'delong',
      pValue: expect.closeTo(twoSidedNormal(z), 12),
    });
  });

  it('of three is Cochran’s Q at the mean where it is least, by the arms that point there', () => {
    const intervals = groups.map((group) => aucEstimator(group)(0.95));
    const q = (mean: number) =>
      intervals.reduce(
        (sum, { value, low, high }) =>
          sum + ((1.959964 * (value - mean)) / (value > mean ? value - low : high - value)) ** 2,
        0,
      );
    const least = Math.min(...Array.from({ length: 1000 }, (_, step) => q(step / 1000)));
    // P(χ² > q) with two degrees is exp(-q/2).
    expect(aucGapTest(groups)!.pValue).toBeCloseTo(Math.exp(-least / 2), 4);
  });

  it('of three equal groups is 1, and of fewer than two there is none', () => {
    expect(aucGapTest([first, first, first])?.pValue).toBeCloseTo(1, 12);
    expect(aucGapTest([first])).toBeNull();
  });

  it('after complete separation takes its variance from the interval', () => {
    const perfect = auc([5, 6, 7, 8], [1, 2, 3, 4]);
    expect(perfect.variance).toBe(0);
    expect(firmVariance(perfect)).toBeGreaterThan(0.01);
    expect(aucGapTest([perfect, second])!.pValue).toBeLessThan(0.2);
    expect(aucGapTest([perfect, perfect])!.pValue).toBe(1);
    expect(aucGapTest([perfect, perfect, perfect])!.pValue).toBe(1);
  });
});

describe('homogeneity', () => {
  const estimator = (value: number, half: number) => () => ({ value, low: value - half, high: value + half });

  it('of two figures of one width is the test of their difference', () => {
    const halves = 1.959964 * 0.1;
    const z = 0.3 / Math.hypot(0.1, 0.1);
    const found = homogeneity([estimator(0.2, halves), estimator(0.5, halves)]);
    expect(found).toBeCloseTo(twoSidedNormal(z), 6);
  });

  it('is not defined where a figure shows no spread', () => {
    expect(homogeneity([estimator(0.2, 0.1), estimator(0.5, 0)])).toBeNull();
  });
});
