import { fisherGreater } from '../fairness/statistics/gap-tests.ts';
import { fitLogisticClassifier } from '../fairness/statistics/logistic-classifier.ts';
import { seededUniform, type Uniform } from '../fairness/statistics/sampling.ts';
import { gaussianKernel, medianBandwidth, type Points, squaredDistance } from './kernel.ts';

/** Features of samples, or scores with a width of 1. */
export interface FeatureSet extends Points {
  /** [N] samples of one subject depend on each other, so that one of them is drawn; absent where each is its own. */
  readonly subjects?: readonly string[] | undefined;
}

interface TwoSampleResult {
  readonly pValue: number;
  /** Samples that were compared, one for each subject. */
  readonly sizes: readonly [number, number];
}

export interface MmdResult extends TwoSampleResult {
  /** Unbiased MMD², below 0 as often as above where the sets are alike. */
  readonly squared: number;
  /** σ of the kernel. */
  readonly bandwidth: number;
}

export interface ClassifierTestResult extends TwoSampleResult {
  /** On samples that the classifier has not seen; 0.5 where the sets are alike. */
  readonly accuracy: number;
  /** Number of those samples. */
  readonly tested: number;
}

/** Most samples that are compared, of each set. */
export const MOST_COMPARED = 400;

/** Fewest subjects on either side. */
const FEWEST_COMPARED = 10;
const FEWEST_CLASSIFIED = 20;

const PERMUTATIONS = 499;

/**
 * Are two sets draws of one distribution? The maximum mean discrepancy with a Gaussian kernel and the median heuristic
 * (Gretton et al., A Kernel Two-Sample Test, JMLR 2012, equation 3), with its p-value by permutation.
 *
 *   MMD² = mean k(x, x′) + mean k(y, y′) − 2 mean k(x, y)      over pairs of different samples
 *
 * One sample of each subject is drawn, and of more than MOST_COMPARED subjects so many, by the seed.
 *
 * @returns null when a side has fewer than 10 subjects
 */
export function mmdTest(first: FeatureSet, second: FeatureSet, seed: number): MmdResult | null {
  const uniform = seededUniform(seed);
  const [a, b] = [first, second].map((set) => draw(set, MOST_COMPARED, uniform)) as [
    Float64Array[],
    Float64Array[],
  ];
  const sizes = [a.length, b.length] as const;
  if (Math.min(...sizes) < FEWEST_COMPARED) return null;
  const { kernels, bandwidth } = kernelsOf([...a, ...b]);
  const isFirst = Uint8Array.from({ length: a.length + b.length }, (_, place) => (place < a.length ? 1 : 0));
  const squared = mmdOf(kernels, isFirst);
  let exceeded = 0;
  for (let permutation = 0; permutation < PERMUTATIONS; permutation += 1) {
    shuffle(isFirst, uniform);
    if (mmdOf(kernels, isFirst) >= squared) exceeded += 1;
  }
  return { squared, bandwidth, pValue: (1 + exceeded) / (1 + PERMUTATIONS), sizes };
}

/** A row of each subject. */
function draw({ values, width, subjects }: FeatureSet, most: number, uniform: Uniform): Float64Array[] {
  const rowsOf = new Map<string | number, number[]>();
  for (let row = 0; row < values.length / width; row += 1) {
    const subject = subjects?.[row] ?? row;
    const own = rowsOf.get(subject);
    if (own === undefined) rowsOf.set(subject, [row]);
    else own.push(row);
  }
  const rows = Array.from(rowsOf.values(), (own) => own[Math.floor(uniform() * own.length)]!);
  shuffle(rows, uniform);
  return rows
    .slice(0, most)
    .map((row) => Float64Array.from({ length: width }, (_, place) => values[row * width + place]!));
}

function shuffle(values: number[] | Uint8Array, uniform: Uniform): void {
  for (let last = values.length - 1; last > 0; last -= 1) {
    const other = Math.floor(uniform() * (last + 1));
    [values[last], values[other]] = [values[other]!, values[last]!];
  }
}

/** Kernels of all pairs of rows; those of a row with itself are 0. */
function kernelsOf(rows: readonly Float64Array[]): { kernels: Float64Array[]; bandwidth: number } {
  const places = rows.map((values) => ({ points: { values, width: values.length }, row: 0 }));
  const squares = places.map((place, row) =>
    Float64Array.from(places.slice(0, row), (other) => squaredDistance(place, other)),
  );
  const pairs = new Float64Array((rows.length * (rows.length - 1)) / 2);
  squares.forEach((own, row) => {
    pairs.set(own, (row * (row - 1)) / 2);
  });
  const bandwidth = medianBandwidth(pairs);
  const kernel = gaussianKernel(bandwidth);
  const kernels = rows.map(() => new Float64Array(rows.length));
  squares.forEach((own, row) => {
    own.forEach((squared, other) => {
      kernels[row]![other] = kernel(squared);
      kernels[other]![row] = kernels[row]![other]!;
    });
  });
  return { kernels, bandwidth };
}

/** @param isFirst  1 where a row belongs to the first set */
function mmdOf(kernels: readonly Float64Array[], isFirst: Uint8Array): number {
  const sums = { within: [0, 0], between: 0 };
  const sizes = [0, 0];
  kernels.forEach((own, row) => {
    const side = isFirst[row]!;
    sizes[side]! += 1;
    let [same, all] = [0, 0];
    for (let other = 0; other < own.length; other += 1) {
      all += own[other]!;
      if (isFirst[other] === side) same += own[other]!;
    }
    sums.within[side]! += same;
    sums.between += all - same; // each pair twice
  });
  const [n, m] = sizes as [number, number];
  return sums.within[0]! / (n * (n - 1)) + sums.within[1]! / (m * (m - 1)) - sums.between / (n * m);
}

/**
 * Can a classifier tell two sets apart? The classifier two-sample test (Lopez-Paz and Oquab, ICLR 2017) with logistic
 * regression on standardised features: trained on half of each set, it is judged on the other half. With predictions and
 * sizes given, the number that is right is hypergeometric where the sets are alike, so the one-sided p-value is exact.
 *
 * One sample of each subject is drawn, and as many on either side, at most MOST_COMPARED, by the seed.
 *
 * @returns null when a side has fewer than 20 subjects
 */
export function classifierTest(
  first: FeatureSet,
  second: FeatureSet,
  seed: number,
): ClassifierTestResult | null {
  const uniform = seededUniform(seed);
  const drawn = [first, second].map((set) => draw(set, MOST_COMPARED, uniform));
  const size = Math.min(...drawn.map(({ length }) => length));
  if (size < FEWEST_CLASSIFIED) return null;
  const half = size >> 1;
  const rows = drawn.flatMap((all) => all.slice(0, half));
  const isSecond = fitSecond(
    rows,
    rows.map((_, place) => (place < half ? 0 : 1)),
  );
  const tested = size - half;
  const [ofFirst, ofSecond] = drawn.map((all) => all.slice(half, size).filter(isSecond).length) as [
    number,
    number,
  ];
  return {
    accuracy: (tested - ofFirst + ofSecond) / (2 * tested),
    pValue: fisherGreater({ numerator: ofSecond, support: tested }, { numerator: ofFirst, support: tested }),
    tested: 2 * tested,
    sizes: [size, size],
  };
}

/** Scikit-learn's default. */
const STRENGTH = 1;

/** @returns whether a row looks like one of the second set */
function fitSecond(
  rows: readonly Float64Array[],
  isSecond: readonly number[],
): (row: Float64Array) => boolean {
  const width = rows[0]!.length;
  const values = new Float32Array(rows.length * width);
  rows.forEach((row, place) => {
    values.set(row, place * width);
  });
  const logitsOf = fitLogisticClassifier({ values, width, labels: Int32Array.from(isSecond) }, STRENGTH);
  return (row) => logitsOf(Float32Array.from(row))[0]! > 0;
}
