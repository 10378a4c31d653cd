import { describe, expect, it } from 'vitest';
import { logFactorial } from '../../../../core/fairness/statistics/distributions.ts';
import {
  binomial,
  gamma,
  hypergeometric,
  normal,
  seededUniform,
  type Uniform,
} from '../../../../core/fairness/statistics/sampling.ts';

const DRAWS = 20_000;

const mass = (n: number, p: number, k: number) =>
  Math.exp(
    logFactorial(n) - logFactorial(k) - logFactorial(n - k) + k * Math.log(p) + (n - k) * Math.log1p(-p),
  );

/** Mean and variance of draws, in standard errors from what they should be. */
function moments(draw: (uniform: Uniform) => number, mean: number, variance: number) {
  const uniform = seededUniform(20_250_101);
  let sum = 0;
  let squares = 0;
  for (let count = 0; count < DRAWS; count += 1) {
    const deviation = draw(uniform) - mean;
    sum += deviation;
    squares += deviation * deviation;
  }
  return { mean: sum / Math.sqrt(DRAWS * variance), variance: squares / DRAWS / variance };
}

describe('binomial', () => {
  // 26.1 = the 99.9 % point of chi-square with 8 degrees of freedom: eight cuts make nine bins.
  it.each([
    [20, 0.3, [3, 4, 5, 6, 7, 8, 9, 10]], // inversion
    [12, 0.9, [5, 6, 7, 8, 9, 10, 11, 12]], // mirrored
    [60, 0.3, [12, 14, 16, 17, 18, 20, 22, 24]], // rejection
    [400, 0.75, [284, 290, 295, 300, 304, 308, 312, 318]], // mirrored rejection
  ])('of %d and %d has the binomial masses', (n, p, cuts) => {
    const uniform = seededUniform(7);
    const bin = (k: number) => cuts.filter((cut) => k >= cut).length;
    const counts = new Float64Array(cuts.length + 1);
    const expected = new Float64Array(cuts.length + 1);
    for (let k = 0; k <= n; k += 1) expected[bin(k)]! += DRAWS * mass(n, p, k);
    for (let draw = 0; draw < DRAWS; draw += 1) counts[bin(binomial(n, p, uniform))]! += 1;
    const chiSquare = counts.reduce(
      (sum, count, at) => sum + (count - expected[at]!) ** 2 / expected[at]!,
      0,
    );
    expect(chiSquare).toBeLessThan(26.1);
  });

  it('of ten million has the binomial mean and spread', () => {
    const { mean, variance } = moments((uniform) => binomial(1e7, 0.2, uniform), 2e6, 1.6e6);
    expect(Math.abs(mean)).toBeLessThan(3.5);
    expect(Math.abs(variance - 1)).toBeLessThan(3.5 * Math.sqrt(2 / DRAWS));
  });

  it('is certain where the chance is 0 or 1, or there is nothing to draw', () => {
    const uniform = seededUniform(1);
    expect([binomial(5, 0, uniform), binomial(5, 1, uniform), binomial(0, 0.5, uniform)]).toEqual([0, 5, 0]);
  });

  it('draws anew when rounding leaves a uniform above all masses', () => {
    const values = [1 - 2 ** -53, 0];
    expect(binomial(100, 1e-3, () => values.shift()!)).toBeLessThanOrEqual(100);
    expect(values.length).toBeLessThan(2);
  });
});

describe('hypergeometric', () => {
  it.each([
    { draws: 5, successes: 4, rows: 12 },
    { draws: 10, successes: 15, rows: 20 },
    { draws: 500, successes: 300, rows: 2000 },
  ])('of %o has mean and variance of draws without replacement', (urn) => {
    const share = urn.successes / urn.rows;
    const spread = (urn.draws * share * (1 - share) * (urn.rows - urn.draws)) / (urn.rows - 1);
    const { mean, variance } = moments((uniform) => hypergeometric(urn, uniform), urn.draws * share, spread);
    expect(Math.abs(mean)).toBeLessThan(3.5);
    expect(Math.abs(variance - 1)).toBeLessThan(3.5 * Math.sqrt(2 / DRAWS));
  });

  it('is certain where the margins leave one number only', () => {
    expect(hypergeometric({ draws: 3, successes: 5, rows: 5 }, seededUniform(1))).toBe(3);
    expect(hypergeometric({ draws: 3, successes: 0, rows: 5 }, seededUniform(1))).toBe(0);
  });
});

describe('gamma and normal', () => {
  it.each([0.5, 1, 3, 40])('gamma of shape %d has mean and variance of that size', (shape) => {
    const { mean, variance } = moments((uniform) => gamma(shape, uniform), shape, shape);
    expect(Math.abs(mean)).toBeLessThan(3.5);
    // The fourth central moment of a gamma is 3 shape² + 6 shape.
    expect(Math.abs(variance - 1)).toBeLessThan(3.5 * Math.sqrt((2 + 6 / shape) / DRAWS));
  });

  it('normal has mean 0 and variance 1', () => {
    const { mean, variance } = moments(normal, 0, 1);
    expect(Math.abs(mean)).toBeLessThan(3.5);
    expect(Math.abs(variance - 1)).toBeLessThan(3.5 * Math.sqrt(2 / DRAWS));
  });
});

describe('seededUniform', () => {
  it('gives the same numbers for one seed, others for the next, all in [0, 1)', () => {
    const draw = (seed: number) => Array.from({ length: 5 }, seededUniform(seed));
    expect(draw(3)).toEqual(draw(3));
    expect(draw(3)).not.toEqual(draw(4));
    expect(draw(3).every((value) => value >= 0 && value < 1)).toBe(true);
  });
});
