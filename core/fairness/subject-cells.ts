import { MOST_CODES } from './intersection.ts';
import { effectiveRows, RATE_CELLS, rateOfCells } from './rates.ts';
import { collect, EMPTY_COLUMN, mergeColumns, type ScoreColumn } from './score-column.ts';
import { CELLS } from './tally.ts';
import type { RateName } from './types.ts';
import { RATE_NAMES } from './types.ts';

/** Units that a cluster bootstrap draws; more subjects than these are drawn in bundles of equal number. */
export const MOST_UNITS = 1_000;

/** Cells of one subject: (group · 4 + label · 2 + prediction). */
const SUBJECT_CELLS = MOST_CODES * CELLS;

/** Rows of each subject in each cell: memory in proportion to subjects. */
export interface SubjectCells {
  /** Keys are subject · SUBJECT_CELLS + cell. */
  column: ScoreColumn;
  /** Chunks that wait until they are worth one pass. */
  pending: ScoreColumn[];
}

export function startSubjects(): SubjectCells {
  return { column: EMPTY_COLUMN, pending: [] };
}

export interface SubjectRows {
  readonly subjects: Int32Array;
  readonly groups: Int32Array;
  /** [N] label · 2 + prediction */
  readonly cells: ArrayLike<number>;
  readonly weights: Float64Array | null;
}

export function addSubjects(store: SubjectCells, { subjects, groups, cells, weights }: SubjectRows): void {
  const keys = new Float64Array(subjects.length);
  for (let row = 0; row < keys.length; row += 1) {
    keys[row] = subjects[row]! * SUBJECT_CELLS + groups[row]! * CELLS + cells[row]!;
  }
  wait(store, collect(keys, weights));
}

/** @param groupOf  [other's groups] → own group */
export function mergeSubjects(store: SubjectCells, other: SubjectCells, groupOf: Int32Array): void {
  settle(other);
  const { values, weights } = other.column;
  const keys = values.map((key) => {
    const cell = key % SUBJECT_CELLS;
    const group = Math.floor(cell / CELLS);
    return key - cell + groupOf[group]! * CELLS + (cell % CELLS);
  });
  wait(store, collect(keys, weights));
}

function wait(store: SubjectCells, column: ScoreColumn): void {
  store.pending.push(column);
  const waiting = store.pending.reduce((sum, { values }) => sum + values.length, 0);
  if (waiting > store.column.values.length) settle(store);
}

function settle(store: SubjectCells): void {
  store.column = mergeColumns([store.column, mergeColumns(store.pending)]);
  store.pending = [];
}

/** What clustering by subject does to the figures of one feature. */
export interface Clusters {
  readonly subjects: number;
  /** [unit] → [group · 4 + cell] sums of weights; units are exchangeable */
  readonly units: readonly Float64Array[];
  /** [group] → effective rows behind each rate, by the spread between subjects */
  readonly effective: readonly Readonly<Record<RateName, number>>[];
}

/**
 * @param groupOf  [groups as stored] → group
 */
export function clustersOf(
  store: SubjectCells,
  { groupOf, groupCount }: { readonly groupOf: Int32Array; readonly groupCount: number },
): Clusters {
  settle(store);
  const totals = new Float64Array(groupCount * CELLS);
  const bySubject = cellsBySubject(store.column, groupOf);
  for (const { cells } of bySubject) for (const [cell, weight] of cells) totals[cell]! += weight;
  return {
    subjects: bySubject.length,
    units: bundles(bySubject, groupCount),
    effective: effectiveByGroup(bySubject, totals),
  };
}

interface SubjectTotals {
  readonly cells: readonly (readonly [number, number])[];
}

function cellsBySubject({ values, weights }: ScoreColumn, groupOf: Int32Array): SubjectTotals[] {
  const subjects: { cells: [number, number][] }[] = [];
  let current = -1;
  values.forEach((key, at) => {
    const subject = Math.floor(key / SUBJECT_CELLS);
    const cell = key - subject * SUBJECT_CELLS;
    if (subject !== current) subjects.push({ cells: [] });
    current = subject;
    const place = groupOf[Math.floor(cell / CELLS)]! * CELLS + (cell % CELLS);
    subjects.at(-1)!.cells.push([place, weights[at]!]);
  });
  return subjects;
}

function bundles(subjects: readonly SubjectTotals[], groupCount: number): Float64Array[] {
  const units = Array.from(
    { length: Math.min(subjects.length, MOST_UNITS) },
    () => new Float64Array(groupCount * CELLS),
  );
  subjects.forEach(({ cells }, subject) => {
    const unit = units[subject % MOST_UNITS]!;
    for (const [cell, weight] of cells) unit[cell]! += weight;
  });
  return units;
}

/**
 * Effective rows behind each rate p = Σ num / Σ sup, from its linearised variance between subjects s:
 *
 *   V = S/(S-1) · Σ_s (num_s - p sup_s)² / (Σ sup)²,   effective = p(1 - p) / V
 *
 * At most the rows themselves; the subjects behind the rate where p is 0 or 1, which show no spread.
 */
function effectiveByGroup(
  subjects: readonly SubjectTotals[],
  totals: Float64Array,
): Record<RateName, number>[] {
  const groupCount = totals.length / CELLS;
  const spread = Array.from({ length: groupCount }, () => zeros());
  const behind = Array.from({ length: groupCount }, () => zeros());
  for (const { cells } of subjects) {
    for (const [group, own] of byGroup(cells)) {
      const all = totals.subarray(group * CELLS, (group + 1) * CELLS);
      for (const name of RATE_NAMES) {
        const { numerator, support } = rateOfCells(own, name);
        if (support === 0) continue;
        const whole = rateOfCells(all, name);
        spread[group]![name] += (numerator - (whole.numerator / whole.support) * support) ** 2;
        behind[group]![name] += 1;
      }
    }
  }
  return spread.map((squares, group) => {
    const all = totals.subarray(group * CELLS, (group + 1) * CELLS);
    const entries = RATE_NAMES.map((name) => [
      name,
      effectiveRows(rateOfCells(all, name), { squares: squares[name], subjects: behind[group]![name] }),
    ]);
    return Object.fromEntries(entries) as Record<RateName, number>;
  });
}

function byGroup(cells: SubjectTotals['cells']): Map<number, Float64Array> {
  const groups = new Map<number, Float64Array>();
  for (const [place, weight] of cells) {
    const group = Math.floor(place / CELLS);
    const own = groups.get(group) ?? new Float64Array(CELLS);
    own[place % CELLS]! += weight;
    groups.set(group, own);
  }
  return groups;
}

const zeros = () =>
  Object.fromEntries(Object.keys(RATE_CELLS).map((name) => [name, 0])) as Record<RateName, number>;
