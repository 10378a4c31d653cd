import type { ScoreCounts } from './statistics/delong.ts';

/** Rows at each distinct value, ascending; `weights` and `squares` are `rows` itself where every row weighs 1. */
export interface ScoreColumn {
  /** [K] ascending */
  readonly values: Float64Array;
  /** [K] */
  readonly rows: Float64Array;
  /** [K] sums of weights */
  readonly weights: Float64Array;
  /** [K] sums of squared weights */
  readonly squares: Float64Array;
}

const NONE = new Float64Array();
export const EMPTY_COLUMN: ScoreColumn = { values: NONE, rows: NONE, weights: NONE, squares: NONE };

/**
 * Rows gathered at their distinct values. Values are sorted without their weights, which then find their place by
 * halving: sorting pairs would cost ten times as much.
 *
 * @param values   [N] finite; sorted in place
 * @param weights  [N] in the order of `original`, a copy of `values` as they were
 */
export function collect(values: Float64Array, weights: Float64Array | null): ScoreColumn {
  const sorted = values.slice().sort();
  const rows = new Float64Array(sorted.length);
  let distinct = 0;
  for (let start = 0; start < sorted.length; distinct += 1) {
    const value = sorted[start]!;
    let end = start + 1;
    while (sorted[end] === value) end += 1;
    sorted[distinct] = value;
    rows[distinct] = end - start;
    start = end;
  }
  const column = { values: sorted.subarray(0, distinct), rows: rows.subarray(0, distinct) };
  if (weights === null) return { ...column, weights: column.rows, squares: column.rows };
  return { ...column, ...sumsAt(column.values, { values, weights }) };
}

function sumsAt(
  distinct: Float64Array,
  { values, weights }: { readonly values: Float64Array; readonly weights: Float64Array },
): Pick<ScoreColumn, 'weights' | 'squares'> {
  const sums = { weights: new Float64Array(distinct.length), squares: new Float64Array(distinct.length) };
  values.forEach((value, row) => {
    const place = placeOf(distinct, value);
    sums.weights[place]! += weights[row]!;
    sums.squares[place]! += weights[row]! ** 2;
  });
  return sums;
}

/** Place of the first entry >= value. */
export function placeOf(ascending: ArrayLike<number>, value: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Union of columns, in pairs, so that k columns cost log k passes. */
export function mergeColumns(columns: readonly ScoreColumn[]): ScoreColumn {
  if (columns.length === 0) return EMPTY_COLUMN;
  if (columns.length === 1) return columns[0]!;
  const half = columns.length >>> 1;
  return mergeTwo(mergeColumns(columns.slice(0, half)), mergeColumns(columns.slice(half)));
}

function mergeTwo(first: ScoreColumn, second: ScoreColumn): ScoreColumn {
  if (first.values.length === 0) return second;
  if (second.values.length === 0) return first;
  const isWeighted = first.weights !== first.rows || second.weights !== second.rows;
  const { values, places } = union(first.values, second.values);
  const sum = (pick: (column: ScoreColumn) => Float64Array) => {
    const sums = new Float64Array(values.length);
    scatter(sums, pick(first), places[0]);
    scatter(sums, pick(second), places[1]);
    return sums;
  };
  const rows = sum((column) => column.rows);
  if (!isWeighted) return { values, rows, weights: rows, squares: rows };
  return { values, rows, weights: sum((column) => column.weights), squares: sum((column) => column.squares) };
}

function scatter(sums: Float64Array, from: Float64Array, places: Int32Array): void {
  for (let at = 0; at < from.length; at += 1) sums[places[at]!]! += from[at]!;
}

/** Distinct values of two ascending lists, and where the entries of each stand among them. */
function union(first: Float64Array, second: Float64Array) {
  const values = new Float64Array(first.length + second.length);
  const places = [new Int32Array(first.length), new Int32Array(second.length)] as const;
  let [one, two, length] = [0, 0, 0];
  while (one < first.length && two < second.length) {
    const [left, right] = [first[one]!, second[two]!];
    values[length] = Math.min(left, right);
    if (left <= right) places[0][one++] = length;
    if (right <= left) places[1][two++] = length;
    length += 1;
  }
  for (; one < first.length; length += 1) {
    values[length] = first[one]!;
    places[0][one++] = length;
  }
  for (; two < second.length; length += 1) {
    values[length] = second[two]!;
    places[1][two++] = length;
  }
  return { values: values.subarray(0, length), places };
}

/** Positives and negatives at each distinct score: what AUC, calibration and sweeps are made of. */
export interface ScoreTable extends ScoreCounts {
  /** [K] ascending */
  readonly scores: Float64Array;
  /** [K] sums of weights; rows where every row weighs 1 */
  readonly positives: Float64Array;
  readonly negatives: Float64Array;
  /** [K] rows, whether weighted or not */
  readonly rows: { readonly positives: Float64Array; readonly negatives: Float64Array };
}

/** The scores of positives beside those of negatives, of one group or of two. */
export function tableOf(positives: ScoreColumn, negatives: ScoreColumn): ScoreTable {
  const { values: scores, places } = union(positives.values, negatives.values);
  const spread = (pick: (column: ScoreColumn) => Float64Array) => {
    const sums = { positives: new Float64Array(scores.length), negatives: new Float64Array(scores.length) };
    scatter(sums.positives, pick(positives), places[0]);
    scatter(sums.negatives, pick(negatives), places[1]);
    return sums;
  };
  const rows = spread((column) => column.rows);
  if (positives.weights === positives.rows && negatives.weights === negatives.rows) {
    return { scores, ...rows, rows };
  }
  return {
    scores,
    ...spread((column) => column.weights),
    squares: spread((column) => column.squares),
    rows,
  };
}
