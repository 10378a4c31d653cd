import { wholeSubjects } from '../core/checks/herd.ts';
import { plural, quote } from '../core/data/cells.ts';
import { type Manifest, MISSING_GROUP } from '../core/data/types.ts';
import { InvalidInputError } from '../core/errors.ts';

/** Groups by sensitive feature, with a label. */
export interface CellName {
  readonly groups: Readonly<Record<string, string>>;
  readonly label: 0 | 1;
}

interface Cells {
  readonly names: readonly CellName[];
  /** Number of a row's cell; -1 for a row without a group, or with one that is none of these. */
  of(manifest: Manifest, row: number): number;
}

/** Rows that a subset may be chosen of. */
export interface Pool {
  /** Rows of the manifest. */
  readonly rows: readonly number[];
  readonly cells: Cells;
  /** [rows] cell of each; -1 for those that may not be chosen. */
  readonly cellOf: Int32Array;
  readonly subjects: readonly string[] | undefined;
  readonly leftOut: { readonly withoutGroup: number; readonly subjectInOtherSplit: number };
}

/**
 * @param split  of the pool; a table without splits is the pool as a whole
 * @throws InvalidInputError when no row has this split, or a feature has fewer than two groups to balance
 */
export function poolOf(manifest: Manifest, split: string): Pool {
  const rows = rowsOfSplit(manifest, split);
  const own = new Set(rows);
  const { subjects } = manifest;
  const elsewhere = new Set(subjects?.filter((_, row) => !own.has(row)));
  const isElsewhere = (row: number) => subjects !== undefined && elsewhere.has(subjects[row]!);
  manifest.sensitiveFeatures.forEach(assertGroups);
  const cells = cellsOf(manifest);
  const numbers = rows.map((row) => cells.of(manifest, row));
  return {
    rows,
    cells,
    cellOf: Int32Array.from(rows, (row, place) => (isElsewhere(row) ? -1 : numbers[place]!)),
    subjects: subjects && rows.map((row) => subjects[row]!),
    leftOut: {
      withoutGroup: numbers.filter((cell) => cell < 0).length,
      subjectInOtherSplit: rows.filter(isElsewhere).length,
    },
  };
}

function assertGroups({ name, groupNames }: Manifest['sensitiveFeatures'][number]): void {
  const named = groupNames.filter((group) => group !== MISSING_GROUP);
  if (named.length > 1) return;
  throw new InvalidInputError(
    `column ${quote(name)}: expected two groups or more to balance, received ${named.length === 0 ? 'none' : `${quote(named[0]!)} alone`}`,
    { column: name },
  );
}

/** @throws InvalidInputError when there is none */
export function rowsOfSplit({ size, splits }: Manifest, split: string): number[] {
  const rows = Array.from({ length: size }, (_, row) => row);
  const own = splits === undefined ? rows : rows.filter((row) => splits[row] === split);
  if (own.length > 0) return own;
  throw new InvalidInputError(`split ${quote(split)}: expected rows, received none among ${size}`, { split });
}

/** Every combination of groups, with either label. They go by names: another table may number its groups otherwise. */
function cellsOf({ sensitiveFeatures }: Manifest): Cells {
  const combinations = sensitiveFeatures.reduce<CellName['groups'][]>(
    (before, { name, groupNames }) =>
      before.flatMap((groups) =>
        groupNames.filter((group) => group !== MISSING_GROUP).map((group) => ({ ...groups, [name]: group })),
      ),
    [{}],
  );
  const names = combinations.flatMap((groups) => ([0, 1] as const).map((label) => ({ groups, label })));
  const keyOf = (groups: readonly string[], label: number) => JSON.stringify([...groups, label]);
  const numbers = new Map(
    names.map(({ groups, label }, cell) => [keyOf(Object.values(groups), label), cell] as const),
  );
  return {
    names,
    of: (manifest, row) => {
      const groups = manifest.sensitiveFeatures.map((feature) => feature.groupNames[feature.groups[row]!]!);
      return numbers.get(keyOf(groups, manifest.labels[row]!)) ?? -1;
    },
  };
}

/**
 * @returns samples of each cell
 * @throws InvalidInputError when a size cannot be had, naming each cell that lacks samples and how many
 */
export function samplesPerCell(size: number, { cells: { names }, cellOf, subjects }: Pool): number {
  const perCell = size / names.length;
  if (!Number.isInteger(perCell)) throw unevenSize(size, names.length);
  const supports = new Array<number>(names.length).fill(0);
  for (const row of wholeSubjects({ cells: cellOf, subjects }).flat()) supports[cellOf[row]!]! += 1;
  const lacking = names.flatMap((name, cell) => {
    const lacks = perCell - supports[cell]!;
    return lacks > 0 ? [{ ...name, support: supports[cell]!, lacks }] : [];
  });
  if (lacking.length === 0) return perCell;
  const each = lacking.map((cell) => `${cellText(cell)} has ${cell.support} (lacks ${cell.lacks})`);
  const largest = Math.min(...supports) * names.length;
  const hint = largest === 0 ? 'no size will do without samples in each' : `the largest size is ${largest}`;
  throw new InvalidInputError(
    `--size: expected ${plural(perCell, 'sample')} in each of ${names.length} cells for ${size}, received too few: ${each.join('; ')}; ${hint}`,
    { flag: '--size', received: size, largest, lacking },
  );
}

function unevenSize(size: number, cells: number): InvalidInputError {
  const below = Math.floor(size / cells) * cells;
  const near = [below, below + cells].filter((multiple) => multiple > 0).join(' or ');
  return new InvalidInputError(
    `--size: expected a multiple of ${cells}, the number of cells (groups × label), such as ${near}, received ${size}`,
    { flag: '--size', cells, received: size },
  );
}

/** `sex "F" with label 1` */
export function cellText({ groups, label }: CellName): string {
  const names = Object.entries(groups).map(([feature, group]) => `${feature} ${quote(group)}`);
  return `${names.join(', ')} with label ${label}`;
}
