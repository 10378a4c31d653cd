import { InvalidInputError, NonFiniteError, ShapeMismatchError } from '../errors.ts';
import { added } from './growable.ts';
import {
  countRows,
  type HistogramScores,
  histogramColumns,
  mergeHistograms,
  startHistograms,
} from './histogram-scores.ts';
import { combine, type Intersection, MOST_CODES, startIntersection } from './intersection.ts';
import {
  appendRows,
  exactColumns,
  type RowScores,
  type ScoredRows,
  startRowScores,
  storedRows,
} from './row-scores.ts';
import type { ScoreColumn } from './score-column.ts';
import { addSubjects, mergeSubjects, type SubjectCells, startSubjects } from './subject-cells.ts';
import { CELLS, tally } from './tally.ts';

/** A run of rows. Codes index vocabularies that may grow from chunk to chunk. */
export interface AuditChunk {
  /** [N] 0 or 1 */
  readonly labels: Int32Array;
  /** [attribute] → [N] code of the group */
  readonly groups: readonly Int32Array[];
  /** [N] finite */
  readonly scores: Float64Array | null;
  /** [N] 0 or 1; those of the threshold where scores are given instead */
  readonly predictions: Int32Array | null;
  /** [N] >= 0 */
  readonly weights: Float64Array | null;
  /** [N] code of the subject */
  readonly subjects: Int32Array | null;
  /** [N] code of the stratum */
  readonly strata: Int32Array | null;
}

export interface AccumulatorOptions {
  /** Predicted positive at or above it; null where chunks hold predictions. */
  readonly threshold: number | null;
  /** The attributes of each feature: one, or those that are intersected. */
  readonly features: readonly (readonly number[])[];
  /** Rows up to which scores are ranked exactly. */
  readonly exactRows?: number;
}

const EXACT_ROWS = 1_000_000;

interface FeatureTally {
  readonly attributes: readonly number[];
  readonly intersection: Intersection;
  /** [groups · 4] */
  rows: Float64Array;
  weights: Float64Array;
  squares: Float64Array;
  readonly subjects: SubjectCells;
  /** stratum · MOST_CODES + group → [4] rows */
  readonly strata: Map<number, Float64Array>;
}

/** Which parts chunks have; the same for all chunks of one audit. */
type Parts = Readonly<Record<'scores' | 'weights' | 'subjects' | 'strata', boolean>>;

/** Rows counted so far. The last of `features` is the whole set, as one group. */
export interface Accumulator {
  readonly threshold: number | null;
  readonly exactRows: number;
  readonly features: readonly FeatureTally[];
  size: number;
  /** null before the first chunk */
  parts: Parts | null;
  exact: RowScores | null;
  histograms: HistogramScores | null;
}

export function startAccumulator({
  threshold,
  features,
  exactRows = EXACT_ROWS,
}: AccumulatorOptions): Accumulator {
  return {
    threshold,
    exactRows,
    features: [...features, []].map((attributes) => ({
      attributes,
      intersection: startIntersection(attributes.length),
      rows: new Float64Array(),
      weights: new Float64Array(),
      squares: new Float64Array(),
      subjects: startSubjects(),
      strata: new Map(),
    })),
    size: 0,
    parts: null,
    exact: null,
    histograms: null,
  };
}

/**
 * Counts a chunk. Memory grows with groups and subjects; with rows only as long as scores are ranked exactly.
 *
 * @throws ShapeMismatchError when arrays differ in length, or chunks in what they hold
 * @throws NonFiniteError when a score or a weight is not finite
 * @throws InvalidInputError when a weight is negative, or a score is outside [0, 1] beyond the exact rows
 */
export function addChunk(accumulator: Accumulator, chunk: AuditChunk): void {
  accumulator.parts = agreed(accumulator.parts, partsOf(chunk));
  const { scores, weights, subjects } = chunk;
  const predictions = predictionsOf(accumulator, chunk);
  assertChunk(chunk, predictions);
  const groups = accumulator.features.map((feature) => groupsOf(feature, chunk));
  const cells = chunk.labels.map((label, row) => label * 2 + predictions[row]!);
  accumulator.features.forEach((feature, place) => {
    countFeature(feature, { chunk, cells, predictions, groups: groups[place]! });
  });
  accumulator.size += chunk.labels.length;
  if (scores) addScores(accumulator, { scores, labels: chunk.labels, groups, weights, subjects });
}

function partsOf({ scores, weights, subjects, strata }: AuditChunk): Parts {
  return {
    scores: scores !== null,
    weights: weights !== null,
    subjects: subjects !== null,
    strata: strata !== null,
  };
}

function agreed(parts: Parts | null, others: Parts): Parts {
  if (parts === null) return others;
  for (const name of ['scores', 'weights', 'subjects', 'strata'] as const) {
    if (parts[name] === others[name]) continue;
    throw new ShapeMismatchError(`${name}: expected in every chunk or in none`, { where: name });
  }
  return parts;
}

function predictionsOf({ threshold, size }: Accumulator, { scores, predictions }: AuditChunk): Int32Array {
  if (threshold !== null && scores !== null) {
    const decided = new Int32Array(scores.length);
    for (let row = 0; row < scores.length; row += 1) {
      const score = scores[row]!;
      if (!Number.isFinite(score)) refuseScore(score, size + row);
      decided[row] = score >= threshold ? 1 : 0;
    }
    return decided;
  }
  if (predictions !== null) return predictions;
  throw new ShapeMismatchError('chunk: expected predictions, or scores and a threshold', {
    where: 'predictions',
  });
}

function refuseScore(score: number, index: number): never {
  throw new NonFiniteError(`score ${index + 1}: expected a finite number, received ${score}`, {
    where: 'scores',
    index,
  });
}

function assertChunk(chunk: AuditChunk, predictions: Int32Array): void {
  const { labels, groups, weights, subjects, strata, scores } = chunk;
  const arrays = { predictions, scores, weights, subjects, strata };
  const lengths: [string, number][] = Object.entries(arrays).flatMap(([where, values]) =>
    values === null ? [] : [[where, values.length]],
  );
  groups.forEach((codes, attribute) => {
    lengths.push([`groups of attribute ${attribute + 1}`, codes.length]);
  });
  for (const [where, length] of lengths) {
    if (length === labels.length) continue;
    throw new ShapeMismatchError(
      `${where}: expected ${labels.length} entries, one per label, received ${length}`,
      { where, expected: labels.length, received: length },
    );
  }
  weights?.forEach(assertWeight);
}

function assertWeight(weight: number, row: number): void {
  if (weight >= 0 && weight < Number.POSITIVE_INFINITY) return;
  const message = `weight ${row + 1}: expected a finite number >= 0, received ${weight}`;
  if (Number.isFinite(weight)) throw new InvalidInputError(message, { where: 'weights', index: row });
  throw new NonFiniteError(message, { where: 'weights', index: row });
}

function groupsOf({ attributes, intersection }: FeatureTally, { labels, groups }: AuditChunk): Int32Array {
  if (attributes.length === 0) return new Int32Array(labels.length);
  const codes = attributes.map((attribute) => groups[attribute]!);
  return codes.length === 1 ? codes[0]! : combine(intersection, codes);
}

interface FeatureRows {
  readonly chunk: AuditChunk;
  /** [N] label · 2 + prediction */
  readonly cells: Int32Array;
  readonly predictions: Int32Array;
  readonly groups: Int32Array;
}

function countFeature(feature: FeatureTally, { chunk, cells, predictions, groups }: FeatureRows): void {
  const { labels, weights, subjects, strata } = chunk;
  const groupCount = 1 + groups.reduce((most, group) => Math.max(most, group), -1);
  if (groupCount > MOST_CODES) {
    throw new InvalidInputError(`groups: expected at most ${MOST_CODES}, received ${groupCount}`);
  }
  feature.rows = added(feature.rows, tally({ groups, labels, predictions, groupCount }));
  if (weights) {
    const sums = new Float64Array(groupCount * CELLS);
    const squares = new Float64Array(groupCount * CELLS);
    weights.forEach((weight, row) => {
      const cell = groups[row]! * CELLS + cells[row]!;
      sums[cell]! += weight;
      squares[cell]! += weight * weight;
    });
    feature.weights = added(feature.weights, sums);
    feature.squares = added(feature.squares, squares);
  }
  if (subjects) addSubjects(feature.subjects, { subjects, groups, cells, weights });
  strata?.forEach((stratum, row) => {
    countStratum(feature.strata, stratum * MOST_CODES + groups[row]!)[cells[row]!]! += 1;
  });
}

function countStratum(strata: FeatureTally['strata'], key: number): Float64Array {
  let counts = strata.get(key);
  if (counts === undefined) {
    counts = new Float64Array(CELLS);
    strata.set(key, counts);
  }
  return counts;
}

function addScores(accumulator: Accumulator, rows: ScoredRows): void {
  const { exact, exactRows, size, features } = accumulator;
  if (accumulator.histograms === null && size <= exactRows) {
    accumulator.exact ??= startRowScores(rows);
    appendRows(accumulator.exact, rows);
    return;
  }
  if (accumulator.histograms === null) {
    accumulator.histograms = startHistograms(features.length, rows.weights !== null);
    if (exact) countRows(accumulator.histograms, storedRows(exact));
    accumulator.exact = null;
  }
  countRows(accumulator.histograms, rows);
}

/**
 * Adds the rows of another accumulator of the same options and vocabularies.
 *
 * @throws ShapeMismatchError when the two differ in what their chunks hold
 */
export function mergeAccumulators(accumulator: Accumulator, other: Accumulator): void {
  if (other.parts === null) return;
  accumulator.parts = agreed(accumulator.parts, other.parts);
  const groupOf = accumulator.features.map((feature, place) => mergeFeature(feature, other.features[place]!));
  accumulator.size += other.size;
  if (other.exact) {
    const rows = storedRows(other.exact);
    const groups = rows.groups.map((codes, feature) => codes.map((group) => groupOf[feature]![group]!));
    addScores(accumulator, { ...rows, groups });
  }
  if (other.histograms) {
    addHistograms(accumulator, other.histograms, groupOf);
  }
}

function addHistograms(
  accumulator: Accumulator,
  other: HistogramScores,
  groupOf: readonly Int32Array[],
): void {
  const { exact, features } = accumulator;
  if (accumulator.histograms === null) {
    accumulator.histograms = startHistograms(features.length, other.isWeighted);
    if (exact) countRows(accumulator.histograms, storedRows(exact));
    accumulator.exact = null;
  }
  mergeHistograms(accumulator.histograms, other, groupOf);
}

/** @returns [other's groups] → own group */
function mergeFeature(feature: FeatureTally, other: FeatureTally): Int32Array {
  const { combinations } = other.intersection;
  const isIntersection = feature.attributes.length > 1;
  const groupOf = isIntersection
    ? combine(
        feature.intersection,
        feature.attributes.map((_, place) => Int32Array.from(combinations, (codes) => codes[place]!)),
      )
    : Int32Array.from({ length: other.rows.length / CELLS }, (_, group) => group);
  const moved = (cells: Float64Array) => {
    const sums = new Float64Array(groupOf.length === 0 ? 0 : (Math.max(...groupOf) + 1) * CELLS);
    for (let cell = 0; cell < groupOf.length * CELLS; cell += 1) {
      sums[groupOf[Math.floor(cell / CELLS)]! * CELLS + (cell % CELLS)]! += cells[cell] ?? 0;
    }
    return sums;
  };
  feature.rows = added(feature.rows, moved(other.rows));
  feature.weights = added(feature.weights, moved(other.weights));
  feature.squares = added(feature.squares, moved(other.squares));
  mergeSubjects(feature.subjects, other.subjects, groupOf);
  for (const [key, counts] of other.strata) {
    const group = key % MOST_CODES;
    const own = countStratum(feature.strata, key - group + groupOf[group]!);
    counts.forEach((count, cell) => {
      own[cell]! += count;
    });
  }
  return groupOf;
}

/** Scores of each group of a feature: [group] → [of negatives, of positives]; null where there are none. */
export function columnsOf(
  { exact, histograms }: Accumulator,
  feature: number,
  regrouping: { readonly groupOf: Int32Array; readonly groupCount: number },
): [ScoreColumn, ScoreColumn][] | null {
  if (exact) return exactColumns(exact, feature, regrouping);
  return histograms && histogramColumns(histograms, feature, regrouping);
}
