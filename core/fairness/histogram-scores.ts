import { InvalidInputError } from '../errors.ts';
import type { ScoredRows } from './row-scores.ts';
import { EMPTY_COLUMN, mergeColumns, type ScoreColumn } from './score-column.ts';

/** Bins of equal width over [0, 1]. */
export const BINS = 65_536;
/** Histograms over all features: 512 KiB of counts each, for both labels. */
const MOST_GROUPS = 256;

interface Histogram {
  readonly rows: Uint32Array;
  readonly weights: Float64Array | null;
  readonly squares: Float64Array | null;
}

/** Scores counted in bins: memory does not grow with rows. */
export interface HistogramScores {
  readonly isWeighted: boolean;
  /** [feature] → [group · 2 + label]; null for a feature whose groups are too many */
  readonly features: (Histogram[] | null)[];
}

export function startHistograms(features: number, isWeighted: boolean): HistogramScores {
  return { isWeighted, features: Array.from({ length: features }, () => []) };
}

/**
 * @throws InvalidInputError when a score is outside [0, 1]
 */
export function countRows(store: HistogramScores, { scores, labels, groups, weights }: ScoredRows): void {
  const bins = new Int32Array(scores.length);
  for (let row = 0; row < bins.length; row += 1) bins[row] = binOf(scores[row]!);
  store.features.forEach((histograms, feature) => {
    if (histograms === null) return;
    const codes = groups[feature]!;
    for (let row = 0; row < bins.length; row += 1) {
      const cell = codes[row]! * 2 + labels[row]!;
      histograms[cell] ??= emptyHistogram(store.isWeighted);
      countRow(histograms[cell], bins[row]!, weights?.[row]);
    }
    keepBounded(store);
  });
}

function countRow({ rows, weights, squares }: Histogram, bin: number, weight: number | undefined): void {
  rows[bin]! += 1;
  if (weight === undefined) return;
  weights![bin]! += weight;
  squares![bin]! += weight ** 2;
}

function binOf(score: number): number {
  if (score >= 0 && score <= 1) return Math.min(Math.floor(score * BINS), BINS - 1);
  throw new InvalidInputError(
    `scores: beyond a million rows expected numbers in [0, 1], which are counted in ${BINS} bins, received ${score}`,
    { where: 'scores', received: score },
  );
}

function emptyHistogram(isWeighted: boolean): Histogram {
  return {
    rows: new Uint32Array(BINS),
    weights: isWeighted ? new Float64Array(BINS) : null,
    squares: isWeighted ? new Float64Array(BINS) : null,
  };
}

/** The features with most groups lose their histograms first. */
function keepBounded(store: HistogramScores): void {
  const sizes = () => store.features.map((histograms) => (histograms?.length ?? 0) / 2);
  while (sizes().reduce((sum, size) => sum + size, 0) > MOST_GROUPS) {
    const largest = sizes().indexOf(Math.max(...sizes()));
    store.features[largest] = null;
  }
}

export function mergeHistograms(
  store: HistogramScores,
  other: HistogramScores,
  groupOf: readonly Int32Array[],
): void {
  other.features.forEach((histograms, feature) => {
    const own = store.features[feature]!;
    if (histograms === null) store.features[feature] = null;
    if (histograms === null || own === null) return;
    histograms.forEach((histogram, cell) => {
      const place = groupOf[feature]![cell >> 1]! * 2 + (cell & 1);
      own[place] ??= emptyHistogram(store.isWeighted);
      add(own[place].rows, histogram.rows);
      if (store.isWeighted) {
        add(own[place].weights!, histogram.weights!);
        add(own[place].squares!, histogram.squares!);
      }
    });
  });
  keepBounded(store);
}

function add(sums: Float64Array | Uint32Array, more: ArrayLike<number>): void {
  for (let bin = 0; bin < sums.length; bin += 1) sums[bin]! += more[bin]!;
}

/** Scores of each group of one feature at the middles of their bins; null for a feature of too many groups. */
export function histogramColumns(
  store: HistogramScores,
  feature: number,
  { groupOf, groupCount }: { readonly groupOf: Int32Array; readonly groupCount: number },
): [ScoreColumn, ScoreColumn][] | null {
  const histograms = store.features[feature]!;
  if (histograms === null) return null;
  const parts = Array.from({ length: groupCount * 2 }, (): ScoreColumn[] => []);
  histograms.forEach((histogram, cell) => {
    parts[groupOf[cell >> 1]! * 2 + (cell & 1)]!.push(columnOf(histogram));
  });
  const columns = parts.map((each) => (each.length === 0 ? EMPTY_COLUMN : mergeColumns(each)));
  return Array.from({ length: groupCount }, (_, group) => [columns[group * 2]!, columns[group * 2 + 1]!]);
}

function columnOf(histogram: Histogram): ScoreColumn {
  const bins: number[] = [];
  histogram.rows.forEach((rows, bin) => {
    if (rows > 0) bins.push(bin);
  });
  const pick = (from: ArrayLike<number>) => Float64Array.from(bins, (bin) => from[bin]!);
  const rows = pick(histogram.rows);
  return {
    values: Float64Array.from(bins, (bin) => (bin + 0.5) / BINS),
    rows,
    weights: histogram.weights ? pick(histogram.weights) : rows,
    squares: histogram.squares ? pick(histogram.squares) : rows,
  };
}
