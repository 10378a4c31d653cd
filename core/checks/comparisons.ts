import { holm } from '../fairness/statistics/multiple-tests.ts';
import { type Separation, separate } from './separation.ts';
import { type CheckedSet, indicesWhere, rowsByGroup } from './sets.ts';

/** Rows below which a difference in spread or place is anybody's guess. */
const LEAST_ROWS = 20;

/** Rows of a lot that are compared at most. */
const MOST_ROWS = 5_000;

/** Two lots of rows that ought to look alike, each a set and indices into it. */
export interface Comparison {
  readonly kind: 'parts' | 'groups' | 'labels' | 'reference';
  readonly names: readonly [string, string];
  readonly lots: readonly [Lot, Lot];
}
export interface Lot {
  readonly set: CheckedSet;
  readonly rows: readonly number[];
}

export interface ComparisonInput {
  readonly external: CheckedSet;
  readonly test: CheckedSet | null;
  /** External and test together. */
  readonly whole: CheckedSet;
  readonly reference: CheckedSet | null;
}

const all = (set: CheckedSet): Lot => ({ set, rows: indicesWhere(set.samples.labels, () => true) });

/** External against test, both against the reference, each group against the others, one label against the other. */
export function comparisonsOf({ external, test, whole, reference }: ComparisonInput): Comparison[] {
  const groups = whole.samples.sensitiveFeatures.flatMap((feature) => {
    const rows = rowsByGroup(feature);
    const names = [...rows.keys()];
    return (names.length === 2 ? names.slice(0, 1) : names).map((group): Comparison => {
      const others = names.filter((name) => name !== group).flatMap((name) => rows.get(name)!);
      const rest = names.length === 2 ? `group "${names[1]}"` : 'the other groups';
      return {
        kind: 'groups',
        names: [`group "${group}" of ${feature.name}`, rest],
        lots: [
          { set: whole, rows: rows.get(group)! },
          { set: whole, rows: others },
        ],
      };
    });
  });
  const withLabel = (label: 0 | 1): Lot => ({
    set: whole,
    rows: indicesWhere(whole.samples.labels, (each) => each === label),
  });
  const comparisons: Comparison[] = [
    ...(test === null ? [] : [pairOf('parts', external, test)]),
    ...(reference === null ? [] : [pairOf('reference', whole, reference)]),
    ...groups,
    { kind: 'labels', names: ['label 0', 'label 1'], lots: [withLabel(0), withLabel(1)] },
  ];
  return comparisons
    .filter(({ lots }) => lots.every(({ rows }) => rows.length >= LEAST_ROWS))
    .map(({ lots: [first, second], ...rest }) => ({ ...rest, lots: [thin(first), thin(second)] }));
}

/** Evenly spaced rows: more of them would show differences too small to matter. */
function thin({ set, rows }: Lot): Lot {
  const step = Math.max(1, rows.length / MOST_ROWS);
  const kept = Array.from(
    { length: Math.min(rows.length, MOST_ROWS) },
    (_, place) => rows[Math.floor(place * step)]!,
  );
  return { set, rows: kept };
}

function pairOf(kind: Comparison['kind'], first: CheckedSet, second: CheckedSet): Comparison {
  return {
    kind,
    names: [`the ${first.name} data`, `the ${second.name} data`],
    lots: [all(first), all(second)],
  };
}

/** A figure of a row by the lot that it is in; null where a lot's set has none. */
export type Figure = (lot: Lot) => number[] | null;

export interface Compared extends Separation {
  readonly comparison: Comparison;
  readonly figure: string;
}

/** Every figure over every comparison, with p-values by Holm over all of them. */
export function compareFigures(
  comparisons: readonly Comparison[],
  figures: ReadonlyMap<string, Figure>,
): Compared[] {
  const compared = comparisons.flatMap((comparison) =>
    [...figures].flatMap(([figure, valuesOf]) => {
      const [first, second] = comparison.lots.map(valuesOf);
      if (!first || !second) return [];
      const separation = separate(first, second);
      return separation === null ? [] : [{ ...separation, comparison, figure }];
    }),
  );
  const adjusted = holm(compared.map(({ pValue }) => pValue));
  return compared.map((each, index) => ({ ...each, pValue: adjusted[index]! }));
}
