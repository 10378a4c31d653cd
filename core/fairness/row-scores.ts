import { grown } from './growable.ts';
import { collect, type ScoreColumn } from './score-column.ts';

/** Scores with their rows, as long as they fit: every row is kept. */
export interface RowScores {
  size: number;
  scores: Float64Array;
  /** 0 or 1 */
  labels: Uint8Array;
  /** [feature] → [N] group */
  groups: Int32Array[];
  weights: Float64Array | null;
  subjects: Int32Array | null;
}

/** Rows that have scores; `groups` by feature. */
export interface ScoredRows {
  readonly scores: Float64Array;
  readonly labels: ArrayLike<number> & { readonly length: number };
  readonly groups: readonly Int32Array[];
  readonly weights: Float64Array | null;
  readonly subjects: Int32Array | null;
}

export function startRowScores({ groups, weights, subjects }: ScoredRows): RowScores {
  return {
    size: 0,
    scores: new Float64Array(),
    labels: new Uint8Array(),
    groups: groups.map(() => new Int32Array()),
    weights: weights && new Float64Array(),
    subjects: subjects && new Int32Array(),
  };
}

export function appendRows(store: RowScores, rows: ScoredRows): void {
  const { size } = store;
  const length = size + rows.scores.length;
  store.scores = appended(store.scores, rows.scores, size);
  store.labels = appended(store.labels, rows.labels, size);
  store.groups = store.groups.map((codes, feature) => appended(codes, rows.groups[feature]!, size));
  store.weights = store.weights && appended(store.weights, rows.weights!, size);
  store.subjects = store.subjects && appended(store.subjects, rows.subjects!, size);
  store.size = length;
}

function appended<T extends Float64Array | Int32Array | Uint8Array>(
  array: T,
  more: ArrayLike<number>,
  size: number,
): T {
  const result = grown(array, size + more.length);
  result.set(more, size);
  return result;
}

/** The rows as they would be added to another store. */
export function storedRows({ size, scores, labels, groups, weights, subjects }: RowScores): ScoredRows {
  return {
    scores: scores.subarray(0, size),
    labels: labels.subarray(0, size),
    groups: groups.map((codes) => codes.subarray(0, size)),
    weights: weights?.subarray(0, size) ?? null,
    subjects: subjects?.subarray(0, size) ?? null,
  };
}

/**
 * Scores of each group of one feature: [group] → [of negatives, of positives].
 *
 * @param groupOf  [groups as stored] → group
 */
export function exactColumns(
  store: RowScores,
  feature: number,
  { groupOf, groupCount }: { readonly groupOf: Int32Array; readonly groupCount: number },
): [ScoreColumn, ScoreColumn][] {
  const { scores, labels, groups, weights } = storedRows(store);
  const cells = groups[feature]!.map((group, row) => groupOf[group]! * 2 + labels[row]!);
  const sizes = new Int32Array(groupCount * 2);
  for (const cell of cells) sizes[cell]! += 1;
  const parts = Array.from(sizes, (size) => ({
    values: new Float64Array(size),
    weights: weights && new Float64Array(size),
  }));
  const filled = new Int32Array(groupCount * 2);
  cells.forEach((cell, row) => {
    const place = filled[cell]!++;
    parts[cell]!.values[place] = scores[row]!;
    if (weights) parts[cell]!.weights![place] = weights[row]!;
  });
  const columns = parts.map((part) => collect(part.values, part.weights));
  return Array.from({ length: groupCount }, (_, group) => [columns[group * 2]!, columns[group * 2 + 1]!]);
}
