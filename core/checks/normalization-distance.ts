import { forEachClusterTable, percentileInterval } from '../fairness/statistics/bootstrap.ts';
import type { ChannelMoments } from '../model/observe.ts';

export interface DistanceInput {
  /** In forward order, each of N samples. */
  readonly layers: readonly ChannelMoments[];
  /** [N] samples of one subject are drawn together; absent where each is its own. */
  readonly subjects?: readonly string[] | undefined;
  /** [N] indices into `groupNames` */
  readonly groups: ArrayLike<number>;
  readonly groupNames: readonly string[];
  /** Any integer; the same seed gives the same draws. */
  readonly seed: number;
}

/** How far activations are from those of training, in running standard deviations; 0 is as in training. */
interface Distance {
  readonly distance: number;
  /** What another draw of as many subjects from the same population would differ by: its 95 % quantile. */
  readonly byChance: number;
  /** √max(0, distance² − mean square of what chance does): comparable between sets of different size. */
  readonly excess: number;
}

interface SetDistance extends Distance {
  /** Samples. */
  readonly support: number;
  readonly subjects: number;
  readonly layers: readonly (Distance & { readonly layer: string })[];
}

export interface GroupDistance extends SetDistance {
  readonly group: string;
  /** Distance of random parts of the whole set with as many subjects: its 95 % quantile. */
  readonly ofRandomParts: number;
  /** Share of random parts that are at least as far: is this group farther from training than the set is? */
  readonly pValue: number;
}

/** A group with too few subjects to tell. */
interface UnknownDistance {
  readonly group: string;
  readonly support: number;
  readonly subjects: number;
  readonly distance: null;
}

export interface NormalizationDistance {
  readonly whole: SetDistance;
  readonly groups: readonly (GroupDistance | UnknownDistance)[];
}

/** Below this many subjects, draws of them say little about another draw. */
export const FEWEST_SUBJECTS = 10;

const REPLICATES = 199;

/**
 * How far the activations of a set are from the running statistics of the model's batch normalisations, the trace that
 * training left in it. Of channel c with mean m and deviation s, running mean μ and deviation σ, it is the 2-Wasserstein
 * (Fréchet) distance of two normal distributions (Dowson and Landau, 1982),
 *
 *   d² = mean over channels of ((m − μ)² + (s − σ)²) / (σ² + ε)
 *
 * which unlike a divergence stays bounded where a channel falls silent. Over layers the mean of d² is taken.
 *
 * Chance is a bootstrap of subjects: distances of redrawn sets from the set itself.
 *
 * @returns null when there is no layer, or the whole set has fewer than FEWEST_SUBJECTS subjects
 */
export function normalizationDistance(input: DistanceInput): NormalizationDistance | null {
  const { layers, groupNames, groups, seed } = input;
  const everyone = Array.from(groups, (_, row) => row);
  const all = gather(input, everyone);
  if (layers.length === 0 || all.units.length < FEWEST_SUBJECTS) return null;
  return {
    whole: measure(all, layers, seed),
    groups: groupNames.map((group, index) => {
      const rows = everyone.filter((row) => groups[row] === index);
      const part = gather(input, rows);
      if (part.units.length < FEWEST_SUBJECTS)
        return { group, support: rows.length, subjects: part.units.length, distance: null };
      const measured = measure(part, layers, seed);
      return { group, ...measured, ...amongParts(measured, all, { layers, seed }) };
    }),
  };
}

/** Sums over the samples of each subject: [n, Σ means, Σ squares of the first layer, of the second, …]. */
interface Sums {
  readonly support: number;
  readonly units: readonly Float64Array[];
}

type Layers = readonly ChannelMoments[];

function gather({ layers, subjects }: DistanceInput, rows: readonly number[]): Sums {
  const length = layers.reduce((sum, { channels }) => sum + 2 * channels, 1);
  const units = new Map<string | number, Float64Array>();
  for (const row of rows) {
    const subject = subjects?.[row] ?? row;
    const sums = units.get(subject) ?? new Float64Array(length);
    units.set(subject, sums);
    sums[0]! += 1;
    let place = 1;
    for (const { channels, means, squares } of layers) {
      for (let channel = 0; channel < channels; channel += 1) {
        sums[place + channel]! += means[row * channels + channel]!;
        sums[place + channels + channel]! += squares[row * channels + channel]!;
      }
      place += 2 * channels;
    }
  }
  return { support: rows.length, units: [...units.values()] };
}

/** Means, then deviations, of the channels of each layer, from sums as `gather` has them. */
function statisticsOf(sums: Float64Array, layers: Layers): Float64Array[] {
  const count = sums[0]!;
  let place = 1;
  return layers.map(({ channels }) => {
    const own = new Float64Array(2 * channels);
    for (let channel = 0; channel < channels; channel += 1) {
      const mean = sums[place + channel]! / count;
      const square = sums[place + channels + channel]! / count;
      own[channel] = mean;
      own[channels + channel] = Math.sqrt(Math.max(0, square - mean * mean));
    }
    place += 2 * channels;
    return own;
  });
}

/** In the units of the moments, training has mean 0 and the layer's deviations. */
function ofTraining(layers: Layers): Float64Array[] {
  return layers.map(({ channels, deviations }) => {
    const own = new Float64Array(2 * channels);
    own.set(deviations, channels);
    return own;
  });
}

/** d² of each layer. */
function squaredDistances(first: readonly Float64Array[], second: readonly Float64Array[]): number[] {
  return first.map((own, layer) => {
    const other = second[layer]!;
    const sum = own.reduce((total, value, place) => total + (value - other[place]!) ** 2, 0);
    return (2 * sum) / own.length;
  });
}

const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

function measure({ support, units }: Sums, layers: Layers, seed: number): SetDistance {
  const total = new Float64Array(units[0]!.length);
  for (const unit of units) {
    unit.forEach((value, place) => {
      total[place]! += value;
    });
  }
  const own = statisticsOf(total, layers);
  const squared = squaredDistances(own, ofTraining(layers));
  const drawn: number[][] = [];
  forEachClusterTable({ units, replicates: REPLICATES, seed }, (table) => {
    drawn.push(squaredDistances(statisticsOf(table, layers), own));
  });
  return {
    support,
    subjects: units.length,
    ...distanceOf(meanOf(squared), drawn.map(meanOf)),
    layers: layers.map(({ layer }, place) => ({
      layer,
      ...distanceOf(
        squared[place]!,
        drawn.map((squares) => squares[place]!),
      ),
    })),
  };
}

function distanceOf(squared: number, drawn: readonly number[]): Distance {
  return {
    distance: Math.sqrt(squared),
    byChance: highest(drawn.map(Math.sqrt)),
    excess: Math.sqrt(Math.max(0, squared - meanOf(drawn))),
  };
}

/** 95 % quantile. */
function highest(values: readonly number[]): number {
  return percentileInterval(Float64Array.from(values), 0.9)!.high;
}

function amongParts(
  { distance, subjects }: SetDistance,
  { units }: Sums,
  { layers, seed }: Pick<DistanceInput, 'layers' | 'seed'>,
): Pick<GroupDistance, 'ofRandomParts' | 'pValue'> {
  const training = ofTraining(layers);
  const distances: number[] = [];
  forEachClusterTable({ units, replicates: REPLICATES, draws: subjects, seed }, (table) => {
    distances.push(Math.sqrt(meanOf(squaredDistances(statisticsOf(table, layers), training))));
  });
  const farther = distances.filter((other) => other >= distance).length;
  return { ofRandomParts: highest(distances), pValue: (1 + farther) / (1 + REPLICATES) };
}
