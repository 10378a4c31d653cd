import { EmptyGroupError } from '../../core/errors.ts';
import type { Random } from '../random.ts';
import type { Grouping, TrainingSet } from './batch.ts';
import { inGrouping } from './batch.ts';

/** Rows of one (group, label) cell. */
interface CellRows {
  readonly group: number;
  /** 0 or 1, or the index of a class */
  readonly label: number;
  readonly rows: readonly number[];
}

function labelsOf({ classNames }: Pick<TrainingSet, 'classNames'>): number[] {
  return [...(classNames ?? [0, 1]).keys()];
}

/** Cells in the order (group 0, label 0), (group 0, label 1), (group 1, label 0), … */
export function cellsOf(set: TrainingSet): CellRows[] {
  return set.groupNames.flatMap((_, group) =>
    labelsOf(set).map((label) => ({
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
    const kind = set.classNames ? `"${set.classNames[label]}"` : label === 1 ? 'positive' : 'negative';
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
 * Of a set with several groupings the strata are dealt (`strataOf`), and rows of a cell of a grouping that a batch
 * still lacks are added to it.
 *
 * @throws EmptyGroupError when a cell of the set, or of one of its groupings, has no rows at all
 */
export function stratifiedBatches(
  set: TrainingSet,
  { batchSize, cellMinimum, random }: StratifiedOptions,
): number[][] {
  const cells = strataOf(set, cellMinimum);
  const batches: number[][] = Array.from({ length: Math.ceil(set.rows.length / batchSize) }, () => []);
  for (const { rows } of cells) {
    const dealt = random.shuffle(rows);
    const wanted = Math.max(dealt.length, batches.length * cellMinimum);
    for (let place = 0; place < wanted; place += 1) {
      batches[place % batches.length]!.push(dealt[place % dealt.length]!);
    }
  }
  topUp(batches, set, { cellMinimum, random });
  return batches.map((batch) => random.shuffle(batch));
}

/**
 * The cells that rows are dealt by: (group, label) where the groups are those of one feature. Where they are combinations
 * of several, cells below `least` rows are joined with each other within their parent, the group of the first grouping;
 * if those are still too few, with the smallest other cell of the parent.
 *
 * @throws EmptyGroupError when a cell of one feature has no rows
 */
function strataOf(set: TrainingSet, least: number): CellRows[] {
  if (set.groupings === undefined) return assertCells(set, 1);
  const [{ groupOf }] = set.groupings as [Grouping];
  const cells = cellsOf(set).filter(({ rows }) => rows.length > 0);
  const parents = new Map<string, CellRows[]>();
  for (const cell of cells) {
    const parent = `${groupOf[cell.group]} ${cell.label}`;
    parents.set(parent, [...(parents.get(parent) ?? []), cell]);
  }
  return [...parents.values()].flatMap((siblings) => joinSmall(siblings, least));
}

function joinSmall(siblings: readonly CellRows[], least: number): CellRows[] {
  const bySize = siblings.toSorted((a, b) => a.rows.length - b.rows.length);
  const joined = bySize.filter(({ rows }) => rows.length < least);
  if (joined.length === 0) return [...siblings];
  const size = joined.reduce((sum, { rows }) => sum + rows.length, 0);
  if (size < least) joined.push(...bySize.slice(joined.length, joined.length + 1));
  const others = siblings.filter((cell) => !joined.includes(cell));
  return [...others, { ...joined[0]!, rows: joined.flatMap(({ rows }) => rows) }];
}

/** A cell of a grouping may lie in a stratum that is too small to bring it into every batch. */
function topUp(
  batches: readonly number[][],
  set: TrainingSet,
  { cellMinimum, random }: Pick<StratifiedOptions, 'cellMinimum' | 'random'>,
): void {
  for (const grouping of set.groupings ?? []) {
    const own = inGrouping(set, grouping);
    for (const { group, label, rows } of assertCells(own, 1)) {
      const isMember = (row: number) => own.groups[row] === group && own.labels[row] === label;
      const next = endless(rows, random);
      for (const batch of batches) {
        const lacking = cellMinimum - batch.filter(isMember).length;
        for (let place = 0; place < lacking; place += 1) batch.push(next());
      }
    }
  }
}

/** The rows in random order, again and again; nothing is drawn before the first is asked for. */
function endless(rows: readonly number[], random: Random): () => number {
  let left: number[] = [];
  return () => {
    if (left.length === 0) left = random.shuffle(rows);
    return left.pop()!;
  };
}

/**
 * Group-balanced rows: per label, every group gives as many rows as the smallest one has, drawn with
 * replacement (as the BMFT paper's code draws them).
 *
 * @param least  rows below which a stratum of several features is joined with others
 * @throws EmptyGroupError when a cell has no rows
 */
export function balancedRows(set: TrainingSet, random: Random, least = 1): number[] {
  const cells = strataOf(set, least);
  return labelsOf(set).flatMap((label) => {
    const ofLabel = cells.filter((cell) => cell.label === label);
    const size = Math.min(...ofLabel.map(({ rows }) => rows.length));
    return ofLabel.flatMap(({ rows }) =>
      Array.from({ length: size }, () => rows[random.integer(rows.length)]!),
    );
  });
}
