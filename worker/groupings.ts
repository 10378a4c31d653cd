import { cellCounts } from '../core/data/split.ts';
import { MISSING_GROUP } from '../core/data/types.ts';
import { attributeSets } from '../core/fairness/groups/attribute-sets.ts';
import type { SensitiveFeature } from '../core/fairness/types.ts';
import type { MergedCell } from '../core/jobs/run-record.ts';
import type { Grouping } from './training/batch.ts';

/** Several sensitive features as one, whose groups are the combinations that occur. */
export interface Combined {
  readonly features: readonly SensitiveFeature[];
  /** `groups` is -1 for rows that are not used; those without a value of any feature come last, as missing. */
  readonly feature: SensitiveFeature;
  /** [combination][feature] groups */
  readonly combinations: readonly (readonly number[])[];
}

export const CROSS = ' × ';

/** @param rows  that are used: only their combinations count */
export function combineFeatures(features: readonly SensitiveFeature[], rows: readonly number[]): Combined {
  const missing = features.map(({ groupNames }) => groupNames.indexOf(MISSING_GROUP));
  const codesOf = (row: number) => features.map(({ groups }) => groups[row]!);
  const isMissing = (codes: readonly number[]) => codes.every((code, place) => code === missing[place]);
  const found = new Map(rows.map((row) => [codesOf(row).join(), codesOf(row)]));
  const combinations = [...found.values()].sort(
    (a, b) => Number(isMissing(a)) - Number(isMissing(b)) || compare(a, b),
  );
  const numbers = new Map(combinations.map((codes, number) => [codes.join(), number]));
  const used = new Set(rows);
  return {
    features,
    combinations,
    feature: {
      name: features.map(({ name }) => name).join(CROSS),
      groupNames: combinations.map((codes) =>
        isMissing(codes) ? MISSING_GROUP : nameOf(features, { codes, places: [...features.keys()] }),
      ),
      groups: Int32Array.from(features[0]!.groups, (_, row) =>
        used.has(row) ? numbers.get(codesOf(row).join())! : -1,
      ),
    },
  };
}

function compare(a: readonly number[], b: readonly number[]): number {
  return a.reduce((order, code, place) => order || code - b[place]!, 0);
}

function nameOf(
  features: readonly SensitiveFeature[],
  { codes, places }: { readonly codes: readonly number[]; readonly places: readonly number[] },
): string {
  return places.map((place) => features[place]!.groupNames[codes[place]!]!).join(CROSS);
}

/** A part of the data, and how many rows of each label a combination needs there to be a group of its own. */
export interface PartNeed {
  readonly part: string;
  readonly labels: Int32Array;
  readonly classNames?: readonly string[] | undefined;
  /** Numbers of combinations. */
  readonly groups: Int32Array;
  readonly least: number;
}

/**
 * Each feature alone, then their intersections. A cell of an intersection with too few positives or negatives in a part
 * is no group of its own: its rows count in its parents only, the groups of fewer features that it is made of.
 *
 * @param depth  features that are combined at most; 1 for none
 * @returns the groupings, and the cells that went into their parents
 */
export function groupingsFor(
  { features, feature, combinations }: Combined,
  depth: number,
  needs: readonly PartNeed[],
): { readonly groupings: readonly Grouping[]; readonly merged: readonly MergedCell[] } {
  const counted = needs.map((need) => ({
    ...need,
    counts: cellCounts(need.labels, need.groups, {
      groupCount: feature.groupNames.length,
      labelCount: need.classNames?.length ?? 2,
    }),
  }));
  const merged: MergedCell[] = [];
  const groupings = attributeSets(features.length, depth).map((places): Grouping => {
    const name = places.map((place) => features[place]!.name).join(CROSS);
    const cells = cellsOf({ features, combinations }, places).filter(({ group, numbers }) => {
      const reason = places.length > 1 ? lackOf(numbers, counted) : null;
      if (reason !== null) merged.push({ sensitiveFeature: name, group, reason });
      return reason === null;
    });
    const groupOf = new Int32Array(combinations.length).fill(-1);
    for (const [group, { numbers }] of cells.entries()) {
      for (const number of numbers) groupOf[number] = group;
    }
    return { name, groupNames: cells.map(({ group }) => group), groupOf };
  });
  return { groupings, merged };
}

/** Groups of some of the features, with the combinations of all features that lie in each. */
function cellsOf(
  { features, combinations }: Pick<Combined, 'features' | 'combinations'>,
  places: readonly number[],
): { group: string; numbers: number[] }[] {
  const cells = new Map<string, { group: string; codes: number[]; numbers: number[] }>();
  for (const [number, codes] of combinations.entries()) {
    const own = places.map((place) => codes[place]!);
    const isMissing = places.some((place) => features[place]!.groupNames[codes[place]!] === MISSING_GROUP);
    if (isMissing) continue;
    const cell = cells.get(own.join()) ?? {
      group: nameOf(features, { codes, places }),
      codes: own,
      numbers: [],
    };
    cell.numbers.push(number);
    cells.set(own.join(), cell);
  }
  return [...cells.values()].sort((a, b) => compare(a.codes, b.codes));
}

/** What the cell has too few of, in words; null when it has enough. */
function lackOf(
  numbers: readonly number[],
  parts: readonly (PartNeed & { readonly counts: Int32Array })[],
): string | null {
  for (const { part, counts, least, classNames } of parts) {
    const kinds = classNames?.map((name) => `"${name}"`) ?? ['negative', 'positive'];
    const supports = kinds.map((_, label) =>
      numbers.reduce((sum, number) => sum + counts[number * kinds.length + label]!, 0),
    );
    const label = supports.findLastIndex((support) => support < least);
    if (label < 0) continue;
    const support = supports[label]!;
    return `${support} ${kinds[label]} ${support === 1 ? 'label' : 'labels'} in the ${part} part, expected at least ${least}`;
  }
  return null;
}
