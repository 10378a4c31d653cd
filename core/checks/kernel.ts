/** Points of one space, row by row. */
export interface Points {
  /** [N · width] */
  readonly values: ArrayLike<number>;
  readonly width: number;
}

/** A point among points. */
export interface Place {
  readonly points: Points;
  readonly row: number;
}

/** Some of the points. */
export interface Rows {
  readonly points: Points;
  readonly rows: readonly number[];
}

/** k(x, y) = exp(−|x − y|² / (2 σ²)), from the squared distance */
export type Kernel = (squaredDistance: number) => number;

export function squaredDistance(a: Place, b: Place): number {
  const { width } = a.points;
  const [left, right] = [a.points.values, b.points.values];
  const [from, to] = [a.row * width, b.row * width];
  let sum = 0;
  for (let place = 0; place < width; place += 1) {
    const difference = left[from + place]! - right[to + place]!;
    sum += difference * difference;
  }
  return sum;
}

/**
 * Bandwidth σ of the Gaussian kernel by the median heuristic: the median distance between points of the aggregate
 * sample (Gretton et al., JMLR 2012, section 8). Where more than half of the points are the same, the mean distance.
 *
 * @param squaredDistances  of pairs
 * @returns 0 where all points are the same
 */
export function medianBandwidth(squaredDistances: ArrayLike<number>): number {
  const sorted = Float64Array.from(squaredDistances, Math.sqrt).sort();
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  if (median > 0) return median;
  return sorted.reduce((sum, distance) => sum + distance, 0) / Math.max(1, sorted.length);
}

/** @param bandwidth  σ; 0 only where all points are the same */
export function gaussianKernel(bandwidth: number): Kernel {
  if (bandwidth === 0) return () => 1;
  const scale = -1 / (2 * bandwidth * bandwidth);
  return (squared) => Math.exp(scale * squared);
}

/** Mean kernel of a point with others. */
export function meanKernel(place: Place, { points, rows }: Rows, kernel: Kernel): number {
  const sum = rows.reduce((total, row) => total + kernel(squaredDistance(place, { points, row })), 0);
  return sum / rows.length;
}
