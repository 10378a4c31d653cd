import type { Units } from './units.ts';

/** How a tensor of a head holds the weights of its units. */
export interface UnitLayout {
  readonly units: Pick<Units, 'count' | 'positive' | 'isShared'>;
  /** False: [F, K], or a bias [K]. True: [K, F]. */
  readonly isTransposed: boolean;
}

export interface SplitUnits {
  /** Weights of the positive unit less `means` [F]. */
  readonly positive: Float32Array;
  /** Those of the others less `means`, in their order [F, K − 1]. */
  readonly others: Float32Array;
  /** Means of the others where the units share a softmax, zeros where they do not [F]. */
  readonly means: Float64Array;
}

/** Where the weight of a unit for a feature lies among `size` entries. */
function placesIn(size: number, { units: { count }, isTransposed }: UnitLayout) {
  const width = size / count;
  return {
    width,
    place: (feature: number, unit: number) =>
      isTransposed ? unit * width + feature : feature * count + unit,
  };
}

/** @param entries  of K units for each of F features */
export function splitUnits(entries: Float32Array, layout: UnitLayout): SplitUnits {
  const { count, positive, isShared } = layout.units;
  const { width, place } = placesIn(entries.length, layout);
  const rest = Array.from({ length: count }, (_, unit) => unit).filter((unit) => unit !== positive);
  const split = {
    positive: new Float32Array(width),
    others: new Float32Array(width * rest.length),
    means: new Float64Array(width),
  };
  for (let feature = 0; feature < width; feature += 1) {
    const weights = rest.map((unit) => entries[place(feature, unit)]!);
    const mean = isShared ? weights.reduce((sum, weight) => sum + weight, 0) / rest.length : 0;
    split.means[feature] = mean;
    split.positive[feature] = entries[place(feature, positive)]! - mean;
    split.others.set(
      weights.map((weight) => weight - mean),
      feature * rest.length,
    );
  }
  return split;
}

/** The entries with other weights of the positive unit, relative as `splitUnits` has them; the same keep their bits. */
export function withPositive(
  entries: Float32Array,
  positive: Float32Array,
  layout: UnitLayout,
): Float32Array {
  const { positive: before, means } = splitUnits(entries, layout);
  const { place } = placesIn(entries.length, layout);
  const after = entries.slice();
  positive.forEach((weight, feature) => {
    if (Object.is(weight, before[feature])) return;
    after[place(feature, layout.units.positive)] = layout.units.isShared ? weight + means[feature]! : weight;
  });
  return after;
}
