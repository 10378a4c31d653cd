import { plural } from '../data/cells.ts';
import { MISSING_GROUP } from '../data/types.ts';
import type { SensitiveFeature } from '../fairness/types.ts';
import type { NearPair } from './near-pairs.ts';
import type { CheckedSet } from './sets.ts';
import type { Finding } from './types.ts';
import { isAre, percentText } from './words.ts';

/** Share of a part that may be seen elsewhere before its figures are no longer those of unseen rows. */
const MOST_LEAKED = 0.05;
/** Share of rows that may contradict their own copy before labels or groups are in doubt as a whole. */
const MOST_CONFLICTING = 0.05;

/** Rows that are one and the same: indices into all rows, ascending, two or more. */
export interface DuplicateClass {
  readonly kind: 'exact' | 'near';
  readonly rows: readonly number[];
}

/** What duplicates are counted over. */
export interface DuplicateInput {
  readonly kind: 'image' | 'row';
  /** Tune, select and test. */
  readonly parts: readonly CheckedSet[];
  /** Over the rows of all parts, one part after the other. */
  readonly classes: readonly DuplicateClass[];
}

/** Rows that have the same key, as classes; null is like nothing. */
export function exactClasses(keys: readonly (string | null)[]): DuplicateClass[] {
  const rowsOf = new Map<string, number[]>();
  keys.forEach((key, row) => {
    if (key === null) return;
    const own = rowsOf.get(key);
    if (own === undefined) rowsOf.set(key, [row]);
    else own.push(row);
  });
  return [...rowsOf.values()].filter((rows) => rows.length > 1).map((rows) => ({ kind: 'exact', rows }));
}

/** Pairs joined into classes; pairs of one exact class are left out. */
export function nearClasses(pairs: readonly NearPair[], exact: readonly DuplicateClass[]): DuplicateClass[] {
  const exactOf = new Map(exact.flatMap(({ rows }, index) => rows.map((row) => [row, index] as const)));
  const parent = new Map<number, number>();
  const root = (row: number): number => {
    let at = row;
    while (parent.has(at)) at = parent.get(at)!;
    return at;
  };
  const members = new Set<number>();
  for (const { first, second } of pairs) {
    const same = exactOf.get(first);
    if (same !== undefined && same === exactOf.get(second)) continue;
    members.add(first).add(second);
    const [one, other] = [root(first), root(second)];
    if (one !== other) parent.set(Math.max(one, other), Math.min(one, other));
  }
  const rowsOf = new Map<number, number[]>();
  for (const row of [...members].sort((a, b) => a - b)) {
    rowsOf.set(root(row), [...(rowsOf.get(root(row)) ?? []), row]);
  }
  return [...rowsOf.values()].map((rows) => ({ kind: 'near', rows }));
}

/**
 * Duplicates across parts, within one, and those whose labels or groups contradict each other.
 *
 * Near-duplicates of one subject are different pictures of it and no finding; copies to the last pixel are one anyway.
 */
export function duplicateFindings(input: DuplicateInput): Finding[] {
  const rows = input.parts.flatMap((part) =>
    Array.from({ length: part.samples.size }, (_, row) => ({ part, row })),
  );
  const view = { ...input, rows };
  return (['exact', 'near'] as const).flatMap((kind) => {
    const classes = input.classes.filter(
      (each) => each.kind === kind && (kind === 'exact' || hasTwoSubjects(view, each)),
    );
    return classes.length === 0
      ? []
      : [...leaks(view, kind, classes), ...repeats(view, kind, classes), ...conflicts(view, kind, classes)];
  });
}

type Kind = DuplicateClass['kind'];
interface View extends DuplicateInput {
  readonly rows: readonly { readonly part: CheckedSet; readonly row: number }[];
}

function nameOf({ kind }: View, of: Kind): string {
  return kind === 'row' ? 'rows with equal features' : of === 'exact' ? 'copies' : 'near-duplicates';
}

function subjectOf({ rows }: View, index: number): string | number {
  const { part, row } = rows[index]!;
  return part.samples.subjects?.[row] ?? index;
}

function hasTwoSubjects(view: View, { rows }: DuplicateClass): boolean {
  return new Set(rows.map((row) => subjectOf(view, row))).size > 1;
}

/** For each part, the rows that have their like in another part. */
function leaks(view: View, kind: Kind, classes: readonly DuplicateClass[]): Finding[] {
  const names = view.parts.map(({ name }) => name);
  return names.slice(1).flatMap((name) => {
    const own = view.parts.find((part) => part.name === name)!;
    const learnt = view.parts.filter((part) => part !== own && !(part.isTest && own.isTest));
    const earlier = new Set(
      learnt.map((part) => part.name).filter((each) => names.indexOf(each) < names.indexOf(name)),
    );
    const partOf = (row: number) => view.rows[row]!.part.name;
    const leaked = classes.flatMap(({ rows }) =>
      rows.some((row) => earlier.has(partOf(row))) ? rows.filter((row) => partOf(row) === name) : [],
    );
    const { size } = own.samples;
    if (leaked.length === 0) return [];
    const share = leaked.length / size;
    return [
      {
        code: kind === 'exact' ? 'duplicates-across' : 'near-duplicates-across',
        severity: share > MOST_LEAKED ? ('unfit' as const) : ('care' as const),
        reason: `${plural(leaked.length, view.kind)} of the ${name} part (${percentText(share)}) ${isAre(leaked.length)} ${nameOf(view, kind)} of those of ${[...earlier].join(' or ')}${byGroup(view, leaked)}: figures on ${name} are in part those of rows that were learnt.`,
        repair: 'Keep each picture in one split only; --list prints the lines of the manifest.',
      },
    ];
  });
}

/** Rows beyond the first of each class, within a part. */
function repeats(view: View, kind: Kind, classes: readonly DuplicateClass[]): Finding[] {
  const extra = classes.flatMap(({ rows }) => {
    const seen = new Set<string>();
    return rows.filter((row) => {
      const { name } = view.rows[row]!.part;
      const isRepeat = seen.has(name);
      seen.add(name);
      return isRepeat;
    });
  });
  if (extra.length === 0) return [];
  return [
    {
      code: kind === 'exact' ? 'duplicates-within' : 'near-duplicates-within',
      severity: 'care',
      reason: `${plural(extra.length, view.kind)} of ${view.rows.length} ${isAre(extra.length)} ${nameOf(view, kind)} of others in the same part${byGroup(view, extra)}: they count more than once, and intervals come out too narrow.`,
      repair:
        'Remove the repeats, or name the column that says whose they are (--subject); --list prints the lines.',
    },
  ];
}

function conflicts(view: View, kind: Kind, classes: readonly DuplicateClass[]): Finding[] {
  const labelOf = (row: number) => view.rows[row]!.part.samples.labels[view.rows[row]!.row]!;
  const features = view.parts[0]!.samples.sensitiveFeatures.map(({ name }, index) => ({
    what: name,
    of: (row: number) => groupAt(view, index, row),
  }));
  return [{ what: 'label', of: (row: number): string | null => String(labelOf(row)) }, ...features].flatMap(
    ({ what, of }) => {
      const torn = classes.filter(
        ({ rows }) => new Set(rows.map(of).filter((value) => value !== null)).size > 1,
      );
      const count = torn.reduce((sum, { rows }) => sum + rows.length, 0);
      // rows of few features are alike without being copies: what differs is then no contradiction
      if (count === 0 || view.kind === 'row') return [];
      const share = count / view.rows.length;
      return [
        {
          code: what === 'label' ? 'conflicting-labels' : 'conflicting-groups',
          severity: share > MOST_CONFLICTING ? ('unfit' as const) : ('care' as const),
          reason: `${plural(count, view.kind)} (${percentText(share)}) ${isAre(count)} ${nameOf(view, kind)} of others with another ${what === 'label' ? 'label' : `value of ${what}`}: one of the two is wrong.`,
          repair: `Look at these ${view.kind}s again and keep the right value; --list prints the lines.`,
        },
      ];
    },
  );
}

function groupAt(view: View, feature: number, index: number): string | null {
  const { part, row } = view.rows[index]!;
  const { groupNames, groups }: SensitiveFeature = part.samples.sensitiveFeatures[feature]!;
  const group = groupNames[groups[row]!]!;
  return group === MISSING_GROUP ? null : group;
}

/** ` (sex: female 3, male 1)`, by the first feature */
function byGroup(view: View, rows: readonly number[]): string {
  const feature = view.parts[0]!.samples.sensitiveFeatures[0];
  if (feature === undefined) return '';
  const counts = new Map<string, number>();
  for (const row of rows) {
    const group = groupAt(view, 0, row) ?? MISSING_GROUP;
    counts.set(group, (counts.get(group) ?? 0) + 1);
  }
  const listed = [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([group, count]) => `${group} ${count}`);
  return ` (${feature.name}: ${listed.join(', ')})`;
}
