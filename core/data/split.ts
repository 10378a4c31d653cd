import { InvalidInputError } from '../errors.ts';
import type { SensitiveFeature } from '../fairness/types.ts';
import type { Samples } from './types.ts';

export interface SplitOptions {
  /** Part of each (group, label) cell that `first` is to get, in (0, 1). */
  readonly fraction: number;
  /** Feature whose cells are kept in proportion. */
  readonly sensitiveFeature: SensitiveFeature;
  /** In [0, 1); the same numbers give the same split. */
  readonly random: () => number;
}

export interface Split {
  /** Rows in ascending order; empty when there are too few subjects. */
  readonly first: Int32Array;
  readonly second: Int32Array;
}

/** Rows of one subject, counted by cell. */
interface Subject {
  readonly rows: readonly number[];
  /** (cell, support) for each cell that it has rows in */
  readonly cells: ReadonlyMap<number, number>;
}

/**
 * Splits rows in two so that no subject is on both sides and each (group, label) cell is divided as asked.
 *
 * Subjects go one by one to the side that lacks them most; rare cells first, large subjects before small ones,
 * else in random order. With a side's lack n_c = (its part of cell c) − (what it has), adding a subject with s_c
 * rows changes Σ_c n_c²/N_c by Σ_c (s_c² − 2 s_c n_c)/N_c, so the better side is that of the larger Σ_c s_c n_c/N_c.
 * Where each subject is one row, every cell is within one row of its part.
 *
 * @param rows  distinct indices into `samples`
 * @throws InvalidInputError when `fraction` is not inside (0, 1)
 */
export function splitBySubject(samples: Samples, rows: ArrayLike<number>, options: SplitOptions): Split {
  const { fraction, sensitiveFeature, random } = options;
  if (!(fraction > 0 && fraction < 1)) {
    throw new InvalidInputError(`split: expected a fraction between 0 and 1, received ${fraction}`, {
      fraction,
    });
  }
  const labelCount = labelCountOf(samples);
  const cellOf = (row: number) => sensitiveFeature.groups[row]! * labelCount + samples.labels[row]!;
  const subjects = gatherSubjects(samples, rows, cellOf);
  const supports = new Float64Array(sensitiveFeature.groupNames.length * labelCount);
  for (const subject of subjects) addCells(supports, subject, 1);
  const lacks = [fraction, 1 - fraction].map((part) => supports.map((support) => support * part));
  const sides: [number[], number[]] = [[], []];
  for (const subject of inOrder(subjects, supports, random)) {
    const [first, second] = lacks.map((lack) => need(subject, lack, supports)) as [number, number];
    const isTie = Math.abs(first - second) < TIE;
    const side = (isTie ? random() < fraction : first > second) ? 0 : 1;
    for (const row of subject.rows) sides[side].push(row);
    addCells(lacks[side]!, subject, -1);
  }
  return { first: ascending(sides[0]), second: ascending(sides[1]) };
}

/** Needs closer than this differ by rounding only. */
const TIE = 1e-9;

function gatherSubjects(
  samples: Samples,
  rows: ArrayLike<number>,
  cellOf: (row: number) => number,
): Subject[] {
  const rowsOf = new Map<string | number, number[]>();
  for (const row of Array.from(rows)) {
    const subject = samples.subjects?.[row] ?? row;
    const own = rowsOf.get(subject);
    if (own === undefined) rowsOf.set(subject, [row]);
    else own.push(row);
  }
  return Array.from(rowsOf.values(), (own) => {
    const cells = new Map<number, number>();
    for (const row of own) cells.set(cellOf(row), (cells.get(cellOf(row)) ?? 0) + 1);
    return { rows: own, cells };
  });
}

function inOrder(subjects: readonly Subject[], supports: Float64Array, random: () => number): Subject[] {
  const shuffled = [...subjects];
  for (let last = shuffled.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [shuffled[last], shuffled[other]] = [shuffled[other]!, shuffled[last]!];
  }
  const rarest = new Map(
    shuffled.map((subject) => [
      subject,
      Math.min(...Array.from(subject.cells.keys(), (cell) => supports[cell]!)),
    ]),
  );
  return shuffled.sort((a, b) => rarest.get(a)! - rarest.get(b)! || b.rows.length - a.rows.length);
}

function need({ cells }: Subject, lack: Float64Array, supports: Float64Array): number {
  let sum = 0;
  for (const [cell, support] of cells) sum += (support * lack[cell]!) / supports[cell]!;
  return sum;
}

function addCells(totals: Float64Array, { cells }: Subject, sign: 1 | -1): void {
  for (const [cell, support] of cells) totals[cell]! += sign * support;
}

function ascending(rows: readonly number[]): Int32Array {
  return Int32Array.from(rows).sort();
}

/**
 * What is known of the rows asked for, in that order. Groups keep their indices, also those without a row left.
 *
 * @param rows  indices into `samples`
 */
export function subset(samples: Samples, rows: ArrayLike<number>): Samples {
  const pick = (values: Int32Array) => Int32Array.from(rows, (row) => values[row]!);
  const pickText = (values: readonly string[]) => Array.from(rows, (row) => values[row]!);
  return {
    size: rows.length,
    labels: pick(samples.labels),
    ...(samples.classNames && { classNames: samples.classNames }),
    sensitiveFeatures: samples.sensitiveFeatures.map((feature) => ({
      ...feature,
      groups: pick(feature.groups),
    })),
    ...(samples.subjects === undefined ? {} : { subjects: pickText(samples.subjects) }),
    ...(samples.splits === undefined ? {} : { splits: pickText(samples.splits) }),
  };
}

/** Distinct labels that there may be: 2, or as many as there are classes. */
export function labelCountOf({ classNames }: Pick<Samples, 'classNames'>): number {
  return classNames?.length ?? 2;
}

interface CellCounts {
  readonly groupCount: number;
  readonly labelCount: number;
}

/** [groupCount · labelCount] support of each cell, cell = group · labelCount + label */
export function cellCounts(
  labels: Int32Array,
  groups: Int32Array,
  { groupCount, labelCount }: CellCounts,
): Int32Array {
  const counts = new Int32Array(groupCount * labelCount);
  labels.forEach((label, row) => {
    counts[groups[row]! * labelCount + label]! += 1;
  });
  return counts;
}
