import type { MaskChoice } from '../bmft/find-mask.ts';
import type { MitigationOptions, SearchOptions, Surrogate } from '../bmft/options.ts';
import type { Random } from '../random.ts';

/** One way to tune the body. */
export interface BodySettings extends MaskChoice {
  readonly learningRate: number;
  readonly disparityWeight: number;
}

/** One point of the search space. */
export interface DrawnSettings extends BodySettings {
  /** Of a head that is solved beside those of the preset. */
  readonly headDisparityWeight: number;
}

/** The preset's own settings, in order. */
export function bodyGrid({ mask, body, disparity: { surrogate } }: MitigationOptions): BodySettings[] {
  const percentiles = mask.kind === 'soft' ? [null] : mask.percentiles;
  return percentiles.flatMap((percentile) =>
    body.learningRates.flatMap((learningRate) =>
      body.disparityWeights.map((disparityWeight) => ({
        percentile,
        surrogate,
        learningRate,
        disparityWeight,
      })),
    ),
  );
}

const DIMENSIONS = 5;

/**
 * Points of the search space by number, from 0: a Kronecker sequence with the generalised golden ratio φ as its
 * step, x_n = frac(s + (n + 1) · φ^-j) in dimension j, φ^(d+1) = φ + 1, shifted by s as the seed says. A few points
 * of it lie more evenly than as many random ones, and each depends on its number and the seed alone. Rates and
 * weights are even in their logarithm and have two digits, so that what is written is what was used.
 *
 * @see Roberts 2018, The Unreasonable Effectiveness of Quasirandom Sequences
 */
export function makeSpace(search: SearchOptions, random: Random): (index: number) => DrawnSettings {
  const source = random.fork('space');
  const shifts = Array.from({ length: DIMENSIONS }, () => source.next());
  const ratio = goldenRatio(DIMENSIONS);
  return (index) => {
    const [mask, rate, weight, surrogate, head] = shifts.map(
      (shift, place) => (shift + (index + 1) * ratio ** -(place + 1)) % 1,
    ) as [number, number, number, number, number];
    return {
      percentile: percentileAt(mask, search),
      surrogate: search.surrogates[Math.floor(surrogate * search.surrogates.length)]!,
      learningRate: logarithmic(rate, search.learningRates),
      disparityWeight: logarithmic(weight, search.disparityWeights),
      headDisparityWeight: logarithmic(head, search.headDisparityWeights),
    };
  };
}

/** The positive root of x^(d+1) = x + 1, by fixed-point iteration. */
function goldenRatio(dimensions: number): number {
  let root = 2;
  for (let step = 0; step < 64; step += 1) root = (1 + root) ** (1 / (dimensions + 1));
  return root;
}

/** The end of the range stands for soft masks. */
function percentileAt(point: number, { percentiles: [low, high], softShare }: SearchOptions): number | null {
  const hardShare = 1 - softShare;
  return point < hardShare ? Math.round(low + (point / hardShare) * (high - low)) : null;
}

function logarithmic(point: number, [low, high]: readonly [number, number]): number {
  return Number((low * (high / low) ** point).toPrecision(2));
}

/** How a setting is called among candidates; the surrogate shows where it is not the preset's. */
export function nameOf(settings: BodySettings, own: Surrogate): string {
  const { percentile, learningRate, disparityWeight, surrogate } = settings;
  const mask = percentile === null ? 'soft' : `p${percentile}`;
  return `${mask}-lr${learningRate}-d${disparityWeight}${surrogate === own ? '' : `-${surrogate}`}`;
}

/** A setting as `run.json` has it; the surrogate likewise. */
export function recordedSettings(
  { percentile, learningRate, disparityWeight, surrogate }: BodySettings,
  own: Surrogate,
): Record<string, number | string> {
  return {
    ...(percentile === null ? { mask: 'soft' } : { percentile }),
    learningRate,
    disparityWeight,
    ...(surrogate !== own && { surrogate }),
  };
}
