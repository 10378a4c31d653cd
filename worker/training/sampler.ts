import { EmptyGroupError } from '../../core/errors.ts';
import type { Random } from '../random.ts';
import type { TrainingSet } from './batch.ts';

/** Rows of one (group, label) cell. */
interface CellRows {
  readonly group: number;
  readonly label: 0 | 1;
  readonly rows: readonly number[];
}

/** Cells in the order (group 0, label 0), (group 0, label 1), (group 1, label 0), … */
export function cellsOf(set: TrainingSet): CellRows[] {
  return set.groupNames.flatMap((_, group) =>
    ([0, 1] as const).map((label) => ({
      group,
      label,
      rows: set.rows.filter((row) => set.groups[row] === group && set.labels[row] === label),
    })),
  );
}

/**
 * @returns the cells, each with at least `least` rows
 * @throws EmptyGroupError when a (group, label) cell holds fewer
 */
export function assertCells(set: TrainingSet, least: number): CellRows[] {
  const cells = cellsOf(set);
  for (const { group, label, rows } of cells) {
    if (rows.length >= least) continue;
    const kind = label === 1 ? 'positive' : 'negative';
    const name = set.groupNames[group]!;
    throw new EmptyGroupError(
      `group "${name}" has ${rows.length === 0 ? 'no' : `only ${rows.length}`} ${kind} ${rows.length === 1 ? 'label' : 'labels'} among ${set.rows.length} samples, expected at least ${least}`,
      { group: name, label, expected: least, received: rows.length },
    );
  }
  return cells;
}

/** Consecutive slices of `rows`; the last may be shorter. */
export function sliceBatches(rows: readonly number[], batchSize: number): number[][] {
  const count = Math.ceil(rows.length / batchSize);
  return Array.from({ length: count }, (_, index) => rows.slice(index * batchSize, (index + 1) * batchSize));
}

export interface StratifiedOptions {
  readonly batchSize: number;
  /** Least members of a cell in each batch, >= 1. */
  readonly cellMinimum: number;
  readonly random: Random;
}

/**
 * Batches in which every (group, label) cell is present with at least `cellMinimum` members and otherwise
 * in its natural share. Each row comes once per call; a cell too small to go round is repeated.
 *
 * @throws EmptyGroupError when a cell of the set has no rows at all
 */
export function stratifiedBatches(
  set: TrainingSet,
  { batchSize, cellMinimum, random }: StratifiedOptions,
): number[][] {
  const cells = assertCells(set, 1);
  const batches: number[][] = Array.from({ length: Math.ceil(set.rows.length / batchSize) }, () => []);
  for (const { rows } of cells) {
    const dealt = random.shuffle(rows);
    const wanted = Math.max(dealt.length, batches.length * cellMinimum);
    for (let place = 0; place < wanted; place += 1) {
      batches[place % batches.length]!.push(dealt[place % dealt.length]!);
    }
  }
  return batches.map((batch) => random.shuffle(batch));
}

/**
 * Group-balanced rows: per label, every group gives as many rows as the smallest one has, drawn with
 * replacement (as the BMFT paper's code draws them).
 *
 * @throws EmptyGroupError when a cell has no rows
 */
export function balancedRows(set: TrainingSet, random: Random): number[] {
  const cells = assertCells(set, 1);
  return ([0, 1] as const).flatMap((label) => {
    const ofLabel = cells.filter((cell) => cell.label === label);
    const size = Math.min(...ofLabel.map(({ rows }) => rows.length));
    return ofLabel.flatMap(({ rows }) =>
      Array.from({ length: size }, () => rows[random.integer(rows.length)]!),
    );
  });
}
