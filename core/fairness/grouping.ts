import { EmptyGroupError } from '../errors.ts';
import { rateOfCells } from './rates.ts';
import { CELLS } from './tally.ts';
import type { MinSupport } from './types.ts';

/** Name of the group that takes in those below a minimum support. */
export const OTHER = '(other)';

/** What the codes of rows stand for, once all rows are counted. */
export interface Vocabularies {
  readonly attributes: readonly Vocabulary[];
  /** By code; needed where rows have strata. */
  readonly strata?: readonly string[];
}

export interface Vocabulary {
  readonly name: string;
  /** By code. */
  readonly groupNames: readonly string[];
  /** Codes in the order of the report; that of `groupNames` when absent. */
  readonly order?: readonly number[];
}

/** The groups of a feature as the report lists them. */
export interface Grouping {
  readonly sensitiveFeature: string;
  readonly attributes: readonly string[];
  readonly groupNames: readonly string[];
  /** [groups as counted] → place among `groupNames` */
  readonly groupOf: Int32Array;
  readonly merged: readonly string[];
}

export interface CountedFeature {
  readonly attributes: readonly number[];
  readonly intersection: { readonly combinations: readonly (readonly number[])[] };
  /** [groups · 4] */
  readonly rows: ArrayLike<number>;
}

/**
 * Groups of one attribute in the order of its vocabulary, empty ones included; of an intersection those that occur.
 *
 * @throws EmptyGroupError when small groups are to be refused and there are some
 */
export function groupingOf(
  feature: CountedFeature,
  { attributes }: Vocabularies,
  minSupport: MinSupport,
): Grouping {
  const own = feature.attributes.map((attribute) => attributes[attribute]!);
  const ranks = own.map(ranksOf);
  const combinations =
    own.length === 1 ? own[0]!.groupNames.map((_, code) => [code]) : feature.intersection.combinations;
  const groups = combinations
    .map((codes, counted) => ({
      counted,
      name: codes.map((code, place) => own[place]!.groupNames[code]!).join(' × '),
      ranks: codes.map((code, place) => ranks[place]![code]!),
      cells: Array.from({ length: CELLS }, (_, cell) => feature.rows[counted * CELLS + cell] ?? 0),
    }))
    .sort((a, b) => a.ranks.reduce((order, rank, place) => order || rank - b.ranks[place]!, 0));
  const sensitiveFeature = own.map(({ name }) => name).join(' × ');
  const small = groups.filter(({ cells }) => isBelow(cells, minSupport));
  if (minSupport.action === 'refuse' && small.length > 0) refuse(sensitiveFeature, small, minSupport);
  const isMerged = minSupport.action === 'merge' && small.length > 1;
  const merged = isMerged ? groups.filter((group) => small.includes(group) || group.name === OTHER) : [];
  const kept = groups.filter((group) => !merged.includes(group));
  const groupOf = new Int32Array(groups.length).fill(kept.length);
  kept.forEach(({ counted }, place) => {
    groupOf[counted] = place;
  });
  return {
    sensitiveFeature,
    attributes: own.map(({ name }) => name),
    groupNames: [...kept.map(({ name }) => name), ...(merged.length > 0 ? [OTHER] : [])],
    groupOf,
    merged: merged.map(({ name }) => name),
  };
}

function ranksOf({ groupNames, order }: Vocabulary): number[] {
  const codes = order ?? groupNames.map((_, code) => code);
  const ranks: number[] = [];
  codes.forEach((code, rank) => {
    ranks[code] = rank;
  });
  return ranks;
}

/** @param cells  [4] rows of one group */
export function isBelow(cells: ArrayLike<number>, minSupport: MinSupport): boolean {
  const { numerator: positives, support } = rateOfCells(cells, 'baseRate');
  return (
    support < minSupport.group ||
    positives < minSupport.positives ||
    support - positives < minSupport.negatives
  );
}

function refuse(
  sensitiveFeature: string,
  small: readonly { readonly name: string; readonly cells: readonly number[] }[],
  { group, positives, negatives }: MinSupport,
): never {
  const named = small.slice(0, 5).map(({ name, cells }) => {
    const base = rateOfCells(cells, 'baseRate');
    return `"${name}" (${base.support}, ${base.numerator}, ${base.support - base.numerator})`;
  });
  const more = small.length > 5 ? ` and ${small.length - 5} more` : '';
  throw new EmptyGroupError(
    `${sensitiveFeature}: expected at least ${group} rows, ${positives} positives and ${negatives} negatives in each group, received ${named.join(', ')}${more}`,
    { where: sensitiveFeature, groups: small.length },
  );
}
