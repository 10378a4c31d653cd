import { describe, expect, it } from 'vitest';
import {
  chiSquareSurvival,
  criticalValue,
  logFactorial,
  logGamma,
  normalQuantile,
  normalSurvival,
  twoSidedNormal,
} from '../../../../core/fairness/statistics/distributions.ts';

/** Relative to the expected value; absolute below 1e-300. */
function expectDigits(received: number, expected: number, digits = 12): void {
  expect(Math.abs(received - expected) / Math.max(Math.abs(expected), 1e-300)).toBeLessThan(10 ** -digits);
}

// Literal numbers are those of scipy 1.17.1: special.gammaln, stats.chi2.sf, stats.norm.sf, stats.norm.ppf.
describe('distributions', () => {
  it.each([
    [0.5, 0.5723649429247],
    [3.25, 0.9358019311087253],
    [12, 17.502307845873887],
    [1e6, 12815504.569147611],
    [1e-3, 6.907178885383853],
  ])('ln Γ(%d) as scipy', (x, expected) => {
    expectDigits(logGamma(x), expected);
  });

  it('ln n! as the sum of logarithms', () => {
    const terms = Array.from({ length: 170 }, (_, index) => Math.log(index + 1));
    expectDigits(
      logFactorial(170),
      terms.reduce((sum, term) => sum + term, 0),
    );
    expect(logFactorial(0)).toBeCloseTo(0, 13);
  });

  it.each([
    [1.8181818181818181, 1, 0.1775298524121496],
    [0.3, 4, 0.9898141728888165],
    [30, 5, 1.4748581038443073e-5],
    [120, 100, 0.08440668109369177],
    [80, 100, 0.9296649333406051],
    [500, 3, 4.771672031912771e-108],
  ])('P(χ² > %d) with %d degrees as scipy', (x, degrees, expected) => {
    expectDigits(chiSquareSurvival(x, degrees), expected);
  });

  it.each([
    [-8, 0.9999999999999993],
    [-1.5, 0.9331927987311419],
    [0, 0.5],
    [0.3, 0.3820885778110474],
    [1.96, 0.024997895148220435],
    [10, 7.61985302416047e-24],
    [37, 5.7255712225239266e-300],
  ])('P(Z > %d) as scipy', (z, expected) => {
    expectDigits(normalSurvival(z), expected, 11);
    if (z >= 0) expectDigits(twoSidedNormal(-z), 2 * expected, 11);
  });

  it.each([
    [1e-10, -6.361340902404056],
    [0.001, -3.090232306167813],
    [0.025, -1.9599639845400545],
    [0.8, 0.8416212335729143],
    [0.995, 2.5758293035489004],
  ])('the normal quantile of %d as scipy', (p, expected) => {
    expectDigits(normalQuantile(p), expected);
  });

  it('at the ends: nothing lies beyond infinity, all beyond 0, half on each side of the median', () => {
    expect([chiSquareSurvival(Number.POSITIVE_INFINITY, 2), chiSquareSurvival(0, 2)]).toEqual([0, 1]);
    expect(normalQuantile(0.5)).toBeCloseTo(0, 15);
  });

  it.each([Number.NaN, 0, 1, -0.5, 95])('refuses %d as a level', (level) => {
    expect(() => criticalValue(level)).toThrow(
      `level: expected a number between 0 and 1, exclusive, received ${level}`,
    );
  });
});
