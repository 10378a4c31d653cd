/** What features are standardised by. */
export interface Standardization {
  /** [F] */
  readonly means: Float64Array;
  /** [F] inverse deviations; 0 for a feature that never varies */
  readonly inverses: Float64Array;
}

/** A deviation below this share of the mean is rounding, not variation. */
const SMALLEST_VARIATION = 1e-6;

/**
 * Means and inverse deviations of features, in float64, where a constant feature has deviation 0 whatever its size.
 *
 * @param values  [N · F], row by row
 */
export function standardizationOf(values: Float32Array, width: number): Standardization {
  const rows = values.length / width;
  const means = new Float64Array(width);
  const variances = new Float64Array(width);
  eachEntry(values, width, (value, feature) => {
    means[feature]! += value / rows;
  });
  eachEntry(values, width, (value, feature) => {
    variances[feature]! += (value - means[feature]!) ** 2 / rows;
  });
  const inverses = variances.map((variance, feature) => {
    const deviation = Math.sqrt(variance);
    return deviation > SMALLEST_VARIATION * Math.abs(means[feature]!) ? 1 / deviation : 0;
  });
  return { means, inverses };
}

/** [N · F] with (x - μ)/σ in place of x */
export function standardized(values: Float32Array, { means, inverses }: Standardization): Float32Array {
  const scaled = new Float32Array(values.length);
  eachEntry(values, means.length, (value, feature, place) => {
    scaled[place] = (value - means[feature]!) * inverses[feature]!;
  });
  return scaled;
}

function eachEntry(
  values: Float32Array,
  width: number,
  visit: (value: number, feature: number, place: number) => void,
): void {
  for (let place = 0, feature = 0; place < values.length; place += 1, feature += 1) {
    if (feature === width) feature = 0;
    visit(values[place]!, feature, place);
  }
}
