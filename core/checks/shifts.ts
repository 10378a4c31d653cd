import { MISSING_GROUP } from '../data/types.ts';
import { rateGapTest } from '../fairness/statistics/gap-tests.ts';
import { holm } from '../fairness/statistics/multiple-tests.ts';
import { type CheckedSet, featureOf, rowsByGroup } from './sets.ts';
import type { Finding } from './types.ts';
import { percentText, pText } from './words.ts';

/** Level of all tests of one family together, after Holm's adjustment. */
export const CHECK_LEVEL = 0.01;
/** Shares that differ by less than this are different perhaps, but not by an amount that changes a conclusion. */
const LEAST_SHIFT = 0.1;
/** Cramér's V that Cohen (1988) calls a medium effect: then the group says much about the label. */
const MEDIUM_ASSOCIATION = 0.3;

/** A share in one set and in another. */
interface Shift {
  readonly code: string;
  readonly what: string;
  readonly repair: string;
  readonly sets: readonly [string, string];
  readonly counts: readonly [Count, Count];
}
interface Count {
  readonly numerator: number;
  readonly support: number;
}

/** Shares of positive labels and of each group in one set against another, one Holm family for all of them. */
export function shiftFindings(pairs: readonly (readonly [CheckedSet, CheckedSet])[]): Finding[] {
  const shifts = pairs
    .flatMap(([first, second]) => [labelShift(first, second), ...groupShifts(first, second)])
    .filter(({ counts }) => counts.every(({ support }) => support > 0));
  const adjusted = holm(shifts.map(({ counts }) => rateGapTest(counts, 0)!.pValue));
  return shifts.flatMap((shift, index) => {
    const [first, second] = shift.counts.map(({ numerator, support }) => numerator / support) as [
      number,
      number,
    ];
    if (adjusted[index]! >= CHECK_LEVEL || Math.abs(first - second) < LEAST_SHIFT) return [];
    return [
      {
        code: shift.code,
        severity: 'care' as const,
        reason: `${shift.what} are ${percentText(first)} of ${shift.sets[0]} and ${percentText(second)} of ${shift.sets[1]} (${pText(adjusted[index]!)}).`,
        repair: shift.repair,
      },
    ];
  });
}

function labelShift(first: CheckedSet, second: CheckedSet): Shift {
  const count = ({ samples: { labels } }: CheckedSet) => ({
    numerator: labels.reduce((sum, label) => sum + label, 0),
    support: labels.length,
  });
  return {
    code: 'label-shift',
    what: 'Positive labels',
    repair: `Draw both sets from the same patients, or expect thresholds and rates of ${first.name} not to hold on ${second.name}.`,
    sets: [first.name, second.name],
    counts: [count(first), count(second)],
  };
}

function groupShifts(first: CheckedSet, second: CheckedSet): Shift[] {
  return first.samples.sensitiveFeatures.flatMap(({ name }) => {
    const other = featureOf(second, name);
    if (other === null) return [];
    const [own, others] = [first, second].map((set) => rowsByGroup(featureOf(set, name)!));
    const total = (groups: Map<string, number[]>) =>
      [...groups.values()].reduce((sum, rows) => sum + rows.length, 0);
    const groups = [...new Set([...own!.keys(), ...others!.keys()])].filter(
      (group) => group !== MISSING_GROUP,
    );
    // of two groups, one says it all
    return (groups.length === 2 ? groups.slice(0, 1) : groups).map((group) => ({
      code: 'group-shift',
      what: `Rows of group "${group}" of ${name}`,
      repair: `Collect more of the group that is rare, or choose a subset whose groups are those of ${second.name}.`,
      sets: [first.name, second.name] as const,
      counts: [
        { numerator: own!.get(group)?.length ?? 0, support: total(own!) },
        { numerator: others!.get(group)?.length ?? 0, support: total(others!) },
      ] as const,
    }));
  });
}

/**
 * Groups whose shares of positive labels differ so much that the group gives the label away, by Cramér's V of the
 * table of groups and labels.
 */
export function associationFindings({ samples }: CheckedSet): Finding[] {
  return samples.sensitiveFeatures.flatMap((feature) => {
    const rates = [...rowsByGroup(feature)].map(([group, rows]) => ({
      group,
      numerator: rows.filter((row) => samples.labels[row] === 1).length,
      support: rows.length,
    }));
    const association = cramersV(rates);
    const test = rateGapTest(rates, 0);
    if (test === null || association < MEDIUM_ASSOCIATION || test.pValue >= CHECK_LEVEL) return [];
    const shares = rates.map(
      ({ group, numerator, support }) => `${group} ${percentText(numerator / support)}`,
    );
    return [
      {
        code: 'group-gives-label-away',
        severity: 'care' as const,
        reason: `Groups of ${feature.name} differ in their share of positive labels (${shares.join(', ')}; Cramér's V ${association.toFixed(2)}, ${pText(test.pValue)}): a model can read the label off the group.`,
        repair: `Collect rows in which group and label do not go together, or balance the cells; judge by equalised odds, not by demographic parity.`,
      },
    ];
  });
}

/** √(χ²/N) of groups × two labels; 0 where all rows agree. */
function cramersV(rates: readonly Count[]): number {
  const support = rates.reduce((sum, rate) => sum + rate.support, 0);
  const rate = rates.reduce((sum, { numerator }) => sum + numerator, 0) / support;
  if (!(rate > 0 && rate < 1)) return 0;
  const between = rates.reduce(
    (sum, each) => sum + (each.numerator - each.support * rate) ** 2 / each.support,
    0,
  );
  return Math.sqrt(between / (support * rate * (1 - rate)));
}
