import { plural } from '../data/cells.ts';
import type { FeatureTable } from '../data/types.ts';
import { rateGapTest } from '../fairness/statistics/gap-tests.ts';
import { type Compared, type Comparison, compareFigures, type Figure } from './comparisons.ts';
import { type DuplicateClass, exactClasses } from './duplicates.ts';
import type { CheckedSet } from './sets.ts';
import { CHECK_LEVEL } from './shifts.ts';
import type { Finding } from './types.ts';
import { pText } from './words.ts';

/** AUC from which a column's shift is large, as for pictures; and from which it gives the label away. */
const [LARGE_AUC, TELLING_AUC] = [0.75, 0.97];
/** A column with more distinct values than this share of rows tells rows apart: two equal rows are then one. */
const IDENTIFYING = 0.5;
/** How much more often than within a part rows must have their like in another. */
const FAR_ABOVE = 1.5;
/** Columns that one sentence names. */
const MOST_NAMED = 5;

/**
 * Constant columns, columns that shift, a column that gives the label away, and rows with equal features: where a column
 * tells rows apart, or where parts share more of them than a part shares with itself.
 */
export function tableFindings(
  whole: CheckedSet,
  comparisons: readonly Comparison[],
  parts: readonly CheckedSet[],
): Finding[] {
  const { table } = whole;
  if (table === null) return [];
  return [
    ...constantFindings(table, whole.samples.size),
    ...columnFindings(table, comparisons),
    ...(hasIdentifyingColumn(table, whole.samples.size) ? [] : sharedRows(parts)),
  ];
}

/** Rows with equal features, where a column tells rows apart; else none, since few features are equal by chance. */
export function tableClasses({ table, samples }: CheckedSet): DuplicateClass[] {
  if (table === null || !hasIdentifyingColumn(table, samples.size)) return [];
  return exactClasses(keysOf(table, samples.size));
}

function keysOf({ columns, values }: FeatureTable, size: number): string[] {
  const width = columns.length;
  return Array.from({ length: size }, (_, row) => values.subarray(row * width, (row + 1) * width).join(' '));
}

const columnOf = ({ columns, values }: FeatureTable, column: number, rows: readonly number[]): number[] =>
  rows.map((row) => values[row * columns.length + column]!);

const rowsOf = (size: number): number[] => Array.from({ length: size }, (_, row) => row);

function hasIdentifyingColumn(table: FeatureTable, size: number): boolean {
  return table.columns.some(
    (_, column) => new Set(columnOf(table, column, rowsOf(size))).size > size * IDENTIFYING,
  );
}

function constantFindings(table: FeatureTable, size: number): Finding[] {
  const constant = table.columns.filter(
    (_, column) => new Set(columnOf(table, column, rowsOf(size))).size === 1,
  );
  if (constant.length === 0 || size < 2) return [];
  const isAll = constant.length === table.columns.length;
  return [
    {
      code: 'constant-features',
      severity: isAll ? 'unfit' : 'care',
      reason: `${plural(constant.length, 'feature column')} of ${table.columns.length} (${named(constant)}) ${constant.length === 1 ? 'has' : 'have'} one value in all ${size} rows.`,
      repair: 'Find out where the values got lost: a default, a failed join, or a filter upstream.',
    },
  ];
}

const named = (columns: readonly string[]): string =>
  columns.length <= MOST_NAMED
    ? columns.join(', ')
    : `${columns.slice(0, MOST_NAMED).join(', ')} and ${columns.length - MOST_NAMED} more`;

function columnFindings(table: FeatureTable, comparisons: readonly Comparison[]): Finding[] {
  const figures = new Map<string, Figure>(
    table.columns.map((name, column) => [
      name,
      ({ set, rows }) => (set.table === null ? null : columnOf(set.table, column, rows)),
    ]),
  );
  const compared = compareFigures(comparisons, figures);
  return comparisons.flatMap((comparison) => {
    const own = compared.filter((each) => each.comparison === comparison);
    return shiftOf(comparison, own);
  });
}

/** What a group does to a feature is no fault of the data, so groups are not compared. */
function shiftOf({ kind, names }: Comparison, compared: readonly Compared[]): Finding[] {
  if (kind === 'groups') return [];
  const least = kind === 'labels' ? TELLING_AUC : LARGE_AUC;
  const far = compared
    .filter(({ auc, pValue }) => Math.max(auc, 1 - auc) >= least && pValue < CHECK_LEVEL)
    .sort((a, b) => Math.abs(b.auc - 0.5) - Math.abs(a.auc - 0.5));
  const [worst] = far;
  if (worst === undefined) return [];
  const figure = `AUC of ${Math.max(worst.auc, 1 - worst.auc).toFixed(2)} (${pText(worst.pValue)})`;
  return [
    {
      code: kind === 'labels' ? 'feature-gives-label-away' : `features-by-${kind}`,
      severity: 'care',
      reason: `${plural(far.length, 'feature column')} (${named(far.map((each) => each.figure))}) ${far.length === 1 ? 'separates' : 'separate'} ${names[0]} from ${names[1]}, ${worst.figure} with an ${figure}.`,
      repair:
        kind === 'labels'
          ? 'Make sure that this column is known before the label is, and is no copy of it.'
          : 'Draw both sets from the same source, and check units and codes of these columns.',
    },
  ];
}

/** Rows of each part that another part holds too, against pairs that would be equal by chance. */
function sharedRows(parts: readonly CheckedSet[]): Finding[] {
  if (parts.length < 2) return [];
  const keys = parts.map(({ table, samples }) => keysOf(table!, samples.size));
  const [external, test] = [keys[0]!, keys[1]!];
  // the second half of external data against its first: how often rows are equal by chance
  const half = external.length >> 1;
  const usual = countShared(external.slice(half), new Set(external.slice(0, half)));
  const found = countShared(test, new Set(external.slice(0, half)));
  const counts = [
    { numerator: found, support: test.length },
    { numerator: usual, support: external.length - half },
  ];
  const [rate, expected] = counts.map(({ numerator, support }) => numerator / support) as [number, number];
  const result = rateGapTest(counts, 0)!;
  if (rate < FAR_ABOVE * expected || rate - expected < 0.02 || result.pValue >= CHECK_LEVEL) return [];
  return [
    {
      code: 'duplicates-across',
      severity: 'care',
      reason: `${found} of ${test.length} rows of the ${parts[1]!.name} part have the features of a row in half of the ${parts[0]!.name} part, where chance gives ${(expected * test.length).toFixed(1)} (${pText(result.pValue)}): rows look copied from one to the other.`,
      repair: 'Split anew, each row (and each subject) in one part only.',
    },
  ];
}

const countShared = (keys: readonly string[], others: ReadonlySet<string>): number =>
  keys.filter((key) => others.has(key)).length;
