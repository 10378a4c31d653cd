import { InvalidInputError } from '../../errors.ts';

/**
 * Normal and chi-square distribution in plain arithmetic, each to about 14 digits. A package does not pay here:
 * the same four functions from @stdlib are 207 packages and 118 kB of bundle; these are two.
 */

/** Coefficients B_2k / (2k (2k - 1)) of Stirling's series. */
const STIRLING = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156];
/** From here on seven terms of the series are exact to the last bit. */
const STIRLING_FROM = 12;
const MOST_TERMS = 10_000;
/** Smallest step that still changes a sum or a product of order 1. */
const EPSILON = 2 ** -53;

/**
 * ln Γ(x), by Stirling's series after Γ(x) = Γ(x + k) / (x (x + 1) … (x + k - 1)).
 *
 * @param x  > 0
 */
export function logGamma(x: number): number {
  let shift = 1;
  let at = x;
  for (; at < STIRLING_FROM; at += 1) shift *= at;
  return (at - 0.5) * Math.log(at) - at + 0.5 * Math.log(2 * Math.PI) + stirlingTail(at) - Math.log(shift);
}

/** ln Γ(x) less the leading terms of Stirling's formula; x >= 12. */
function stirlingTail(x: number): number {
  let sum = 0;
  for (let term = STIRLING.length - 1; term >= 0; term -= 1) sum = sum / (x * x) + STIRLING[term]!;
  return sum / x;
}

/** ln n! */
export function logFactorial(n: number): number {
  return logGamma(n + 1);
}

/**
 * Regularised upper incomplete gamma function Q(a, x) = Γ(a, x) / Γ(a).
 *
 *   x < a + 1:  1 - x^a e^-x Σ_k x^k / Γ(a + k + 1)
 *   else:       the continued fraction of Γ(a, x), by Lentz's method, which keeps small tails exact
 *
 * @param a  > 0
 * @param x  >= 0
 */
function upperGamma(a: number, x: number): number {
  if (x === 0) return 1;
  if (x === Number.POSITIVE_INFINITY) return 0;
  const scale = Math.exp(a * Math.log(x) - x - logGamma(a));
  return x < a + 1 ? 1 - scale * lowerSeries(a, x) : scale * upperFraction(a, x);
}

function lowerSeries(a: number, x: number): number {
  let term = 1 / a;
  let sum = term;
  for (let k = 1; k < MOST_TERMS && term > sum * EPSILON; k += 1) {
    term *= x / (a + k);
    sum += term;
  }
  return sum;
}

function upperFraction(a: number, x: number): number {
  let b = x + 1 - a;
  let c = Number.MAX_VALUE;
  let d = 1 / b;
  let fraction = d;
  for (let k = 1; k < MOST_TERMS; k += 1) {
    const an = -k * (k - a);
    b += 2;
    d = 1 / (an * d + b);
    c = b + an / c;
    fraction *= c * d;
    if (Math.abs(c * d - 1) < 2 * EPSILON) break;
  }
  return fraction;
}

/** P(χ² > x) with `degrees` >= 1 degrees of freedom. */
export function chiSquareSurvival(x: number, degrees: number): number {
  return upperGamma(degrees / 2, x / 2);
}

/** P(Z > z) of a standard normal Z; small tails keep their digits. */
export function normalSurvival(z: number): number {
  const tail = 0.5 * upperGamma(0.5, (z * z) / 2);
  return z < 0 ? 1 - tail : tail;
}

/** P(|Z| > |z|), the two-sided p-value of a standard normal statistic. */
export function twoSidedNormal(z: number): number {
  return upperGamma(0.5, (z * z) / 2);
}

/**
 * The z with P(Z <= z) = p: a rational guess (Abramowitz and Stegun 26.2.23, error < 4.5e-4), then Halley's steps.
 *
 * @param p  in (0, 1)
 */
export function normalQuantile(p: number): number {
  const tail = Math.min(p, 1 - p);
  const t = Math.sqrt(-2 * Math.log(tail));
  let z =
    t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
  for (let step = 0; step < 2; step += 1) {
    const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
    const move = (normalSurvival(z) - tail) / density;
    z += move / (1 - (move * z) / 2);
  }
  return p < 0.5 ? -z : z;
}

/**
 * Two-sided critical value of a confidence level: 1.96 at 0.95.
 *
 * @throws InvalidInputError unless 0 < level < 1
 */
export function criticalValue(level: number): number {
  if (!(level > 0 && level < 1)) {
    throw new InvalidInputError(`level: expected a number between 0 and 1, exclusive, received ${level}`, {
      where: 'level',
      received: level,
    });
  }
  return normalQuantile((1 + level) / 2);
}
