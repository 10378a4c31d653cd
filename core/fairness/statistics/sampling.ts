import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { logFactorial, logGamma } from './distributions.ts';

/** Uniform in [0, 1). */
export type Uniform = () => number;

/** The generator's first states are its seed almost unmixed; past these they are not. */
const WARM_UP = 64;

/** @param seed  any integer; its low 32 bits count */
export function seededUniform(seed: number): Uniform {
  const generator = xoroshiro128plus(seed | 0);
  for (let draw = 0; draw < WARM_UP; draw += 1) generator.next();
  return () => uniformFloat64(generator);
}

/** Below this many expected successes counting them up is faster than rejection. */
const INVERSION_BELOW = 10;

/**
 * One exact binomial draw: by inversion for few expected successes, else by transformed rejection (BTRS of Hörmann,
 * 1993), at a cost that does not grow with n.
 *
 * @param n  integer >= 0
 * @param p  in [0, 1]
 */
export function binomial(n: number, p: number, uniform: Uniform): number {
  if (n === 0 || p <= 0) return 0;
  if (p >= 1) return n;
  if (p > 0.5) return n - binomial(n, 1 - p, uniform);
  return n * p < INVERSION_BELOW ? byInversion(n, p, uniform) : byRejection(n, p, uniform);
}

/** Walks up the distribution function from 0; p <= 0.5. */
function byInversion(n: number, p: number, uniform: Uniform): number {
  const odds = p / (1 - p);
  const none = Math.exp(n * Math.log1p(-p));
  for (;;) {
    let left = uniform();
    let mass = none;
    let successes = 0;
    while (left > mass && successes < n) {
      left -= mass;
      successes += 1;
      mass *= ((n - successes + 1) / successes) * odds;
      if (mass === 0) break; // what is left is rounding: draw anew
    }
    if (left <= mass) return successes;
  }
}

/**
 * A uniform point (u, v) under a hat that is the transform of a line; k is kept when v lies below the binomial mass
 * at k over that at the mode. Constants are Hörmann's, for p <= 0.5 and n p >= 10.
 */
function byRejection(n: number, p: number, uniform: Uniform): number {
  const deviation = Math.sqrt(n * p * (1 - p));
  const b = 1.15 + 2.53 * deviation;
  const a = -0.0873 + 0.0248 * b + 0.01 * p;
  const c = n * p + 0.5;
  const alpha = (2.83 + 5.1 / b) * deviation;
  const sure = 0.92 - 4.2 / b;
  const mode = Math.floor((n + 1) * p);
  const logOdds = Math.log(p / (1 - p));
  const atMode = logGamma(mode + 1) + logGamma(n - mode + 1);
  for (;;) {
    const u = uniform() - 0.5;
    const v = uniform();
    const us = 0.5 - Math.abs(u);
    const k = Math.floor(((2 * a) / us + b) * u + c);
    if (us >= 0.07 && v <= sure) return k;
    if (k < 0 || k > n || us === 0) continue;
    const height = Math.log((v * alpha) / (a / (us * us) + b));
    if (height <= atMode - logGamma(k + 1) - logGamma(n - k + 1) + (k - mode) * logOdds) return k;
  }
}

export interface Urn {
  readonly draws: number;
  readonly successes: number;
  readonly rows: number;
}

/**
 * One hypergeometric draw: successes among `draws` of `rows`, without replacement. Inversion outwards from the mode,
 * so the cost grows with the spread only.
 */
export function hypergeometric({ draws, successes, rows }: Urn, uniform: Uniform): number {
  const least = Math.max(0, draws + successes - rows);
  const most = Math.min(draws, successes);
  if (least === most) return least;
  const mode = Math.floor(((draws + 1) * (successes + 1)) / (rows + 2));
  const logWays = (k: number) =>
    logFactorial(k) +
    logFactorial(successes - k) +
    logFactorial(draws - k) +
    logFactorial(rows - successes - draws + k);
  const atMode = Math.exp(
    logFactorial(successes) +
      logFactorial(rows - successes) +
      logFactorial(draws) +
      logFactorial(rows - draws) -
      logFactorial(rows) -
      logWays(mode),
  );
  const rest = rows - successes - draws;
  let left = uniform() - atMode;
  let [above, below] = [atMode, atMode]; // masses at mode ± step, which are 0 past the ends
  for (let step = 1; left > 0 && (mode - step >= least || mode + step <= most); step += 1) {
    const [up, down] = [mode + step, mode - step];
    above *= ((successes - up + 1) * (draws - up + 1)) / (up * (rest + up));
    left -= above;
    if (left <= 0) return up;
    below *= ((down + 1) * (rest + down + 1)) / ((successes - down) * (draws - down));
    left -= below;
    if (left <= 0) return down;
  }
  return mode;
}

/** One standard normal draw (the polar method of Marsaglia and Bray). */
export function normal(uniform: Uniform): number {
  for (;;) {
    const x = 2 * uniform() - 1;
    const y = 2 * uniform() - 1;
    const square = x * x + y * y;
    if (square > 0 && square < 1) return x * Math.sqrt((-2 * Math.log(square)) / square);
  }
}

/**
 * One gamma draw of scale 1 (Marsaglia and Tsang, 2000).
 *
 * @param shape  > 0; below 1 the draw is Γ(shape + 1) · U^(1/shape)
 */
export function gamma(shape: number, uniform: Uniform): number {
  if (shape < 1) return gamma(shape + 1, uniform) * (1 - uniform()) ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal(uniform);
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - uniform()) < (x * x) / 2 + d * (1 - v + Math.log(v))) return d * v;
  }
}
