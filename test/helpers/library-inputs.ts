import type { LibraryInput, LibraryNumber } from '../../core/fairness/libraries/types.ts';
import { ratesOf } from '../../core/fairness/rates.ts';
import type { ConfusionCounts, GroupMetrics, Rate } from '../../core/fairness/types.ts';
import { groupFrom } from './metric-tables.ts';

/** A table by column; labels and predictions are 0 or 1. */
export interface Rows {
  readonly labels: readonly number[];
  readonly predictions: readonly number[];
  readonly groups: readonly string[];
  /** Group that the others are compared with. */
  readonly reference: string;
  readonly weights?: readonly number[];
  readonly strata?: readonly string[];
}

const CELLS = [
  ['trueNegatives', 'falsePositives'],
  ['falseNegatives', 'truePositives'],
] as const;

/** A feature as an audit of the rows would have it. */
export function inputFrom(rows: Rows): LibraryInput {
  const { groups, reference, strata = [] } = rows;
  const names = [...new Set(groups)].sort();
  return {
    groups: names.map((name) => groupOf(rows, name)),
    reference: { group: reference, rule: 'named' },
    strata: [...new Set(strata)].map((stratum) => ({
      stratum,
      counts: names.map((name) => countsOf(rows, (row) => groups[row] === name && strata[row] === stratum)),
    })),
  };
}

function groupOf(rows: Rows, name: string): GroupMetrics {
  const isMember = (row: number) => rows.groups[row] === name;
  const group = groupFrom(name, countsOf(rows, isMember));
  const { weights } = rows;
  if (weights === undefined) return group;
  const sums = ratesOf(countsOf(rows, isMember, weights));
  const entries = Object.entries(group.rates).map(([rate, { numerator, support, interval }]) => {
    const weighted = sums[rate as keyof typeof sums];
    return [rate, { value: weighted.value, numerator, support, interval, weighted } satisfies Rate];
  });
  return { ...group, rates: Object.fromEntries(entries) as GroupMetrics['rates'] };
}

function countsOf(
  { labels, predictions }: Rows,
  isWanted: (row: number) => boolean,
  weights?: readonly number[],
): ConfusionCounts {
  const counts = { truePositives: 0, falsePositives: 0, trueNegatives: 0, falseNegatives: 0 };
  for (const row of labels.keys()) {
    if (isWanted(row)) counts[CELLS[labels[row]!]![predictions[row]!]!] += weights?.[row] ?? 1;
  }
  return counts;
}

/** The number of a name that is about the first of the groups that has one. */
export function findNumber(
  numbers: readonly LibraryNumber[],
  name: string,
  groups: readonly (string | null)[],
): LibraryNumber {
  for (const group of groups) {
    const found = numbers.find((number) => number.name === name && number.group === group);
    if (found !== undefined) return found;
  }
  throw new Error(`no ${name} of ${groups.join(' or ')}`);
}
