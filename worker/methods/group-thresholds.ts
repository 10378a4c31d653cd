import { logit } from '../search/logit.ts';
import { RATES_OF } from '../search/selection.ts';
import { truthOf } from '../training/batch.ts';
import type { Method } from './method.ts';
import { ONE_FEATURE } from './method.ts';

/** Combinations of cuts that are looked at, at most. */
const MOST_COMBINATIONS = 200_000;
/** Disparities beyond the smallest one that are traded for balanced accuracy, a candidate each. */
const SLACKS = [0, 0.02, 0.05, 0.1];

/** A cut of each group, with what it gives on the select part. */
interface GroupCut {
  readonly cut: number;
  readonly positives: number;
  readonly negatives: number;
  /** By the names of the audit. */
  readonly truePositiveRate: number;
  readonly falsePositiveRate: number;
  readonly selectionRate: number;
}

interface Combination {
  readonly cuts: readonly GroupCut[];
  readonly disparity: number;
  readonly balancedAccuracy: number;
}

export const groupThresholds: Method = {
  name: 'group-thresholds',
  about: 'A threshold for each group, found on the select part; whoever uses it must know the group.',
  source: 'Hardt et al. 2016 (arXiv 1610.02413), as OxonFair (arXiv 2407.13710) searches them',
  expectedEpochs: () => 2,
  propose: async ({ select, objective, judge, options, threshold }) => {
    if (select.groupings) return { kind: 'not-applicable', reason: ONE_FEATURE };
    const truth = truthOf(select, select.rows);
    const logits = await judge.logits();
    const most = Math.max(2, Math.floor(MOST_COMBINATIONS ** (1 / select.groupNames.length)));
    const byGroup = select.groupNames.map((_, group) => {
      const least = (judge.original.groups[group]!.truePositiveRate ?? 0) - options.selection.maxGroupTprDrop;
      const rows = [...logits.keys()].filter((row) => truth.groups[row] === group);
      const scored = rows.map((row) => ({ logit: logits[row]!, label: truth.labels[row]! }));
      const kept = groupCuts(scored).filter(({ truePositiveRate }) => truePositiveRate >= least);
      return thinned(kept, most);
    });
    const combinations = combine(byGroup, RATES_OF[objective.metric]);
    const candidates = [];
    for (const [place, { cuts }] of frontier(combinations).entries()) {
      const own = cuts.map(({ cut }) => cut);
      const about = { kind: 'control', id: `thresholds-${place + 1}`, percentile: null, curve: [] } as const;
      const shifts = own.map((cut, group) => [`shift:${select.groupNames[group]}`, logit(threshold) - cut]);
      candidates.push(await judge.atCuts({ ...about, settings: Object.fromEntries(shifts) }, own));
    }
    return { kind: 'candidates', candidates };
  },
};

/** Every cut between two logits of a group, and those that take all and none, from the highest to the lowest. */
export function groupCuts(rows: readonly { readonly logit: number; readonly label: number }[]): GroupCut[] {
  const ordered = rows.toSorted((a, b) => b.logit - a.logit);
  const positives = rows.reduce((sum, { label }) => sum + label, 0);
  const negatives = rows.length - positives;
  const found = { positives: 0, negatives: 0 };
  const cutAt = (cut: number): GroupCut => ({
    ...{ cut, positives, negatives },
    truePositiveRate: found.positives / positives,
    falsePositiveRate: found.negatives / negatives,
    selectionRate: (found.positives + found.negatives) / rows.length,
  });
  const cuts = [cutAt(ordered[0]!.logit + 1)];
  for (const [place, { logit: value, label }] of ordered.entries()) {
    found[label === 1 ? 'positives' : 'negatives'] += 1;
    const next = ordered[place + 1]?.logit ?? value - 2;
    if (next !== value) cuts.push(cutAt((value + next) / 2));
  }
  return cuts;
}

/** At most so many, evenly spread, the first and the last among them. */
function thinned<Item>(items: readonly Item[], most: number): Item[] {
  if (items.length <= most) return [...items];
  return Array.from(
    { length: most },
    (_, place) => items[Math.round((place * (items.length - 1)) / (most - 1))]!,
  );
}

/** Every combination of one cut a group, with its disparity (largest gap of any rate) and balanced accuracy. */
function* combine(
  byGroup: readonly (readonly GroupCut[])[],
  rates: readonly ('truePositiveRate' | 'falsePositiveRate' | 'selectionRate')[],
): Generator<Combination> {
  const places = byGroup.map(() => 0);
  if (byGroup.some((cuts) => cuts.length === 0)) return;
  for (;;) {
    const cuts = places.map((place, group) => byGroup[group]![place]!);
    yield {
      cuts,
      disparity: Math.max(...rates.map((rate) => rangeOf(cuts.map((cut) => cut[rate])))),
      balancedAccuracy: balancedAccuracyOf(cuts),
    };
    let group = 0;
    while (group < places.length && places[group]! + 1 === byGroup[group]!.length) places[group++] = 0;
    if (group === places.length) return;
    places[group]! += 1;
  }
}

function rangeOf(values: readonly number[]): number {
  return Math.max(...values) - Math.min(...values);
}

function balancedAccuracyOf(cuts: readonly GroupCut[]): number {
  const sum = (pick: (cut: GroupCut) => number) => cuts.reduce((total, cut) => total + pick(cut), 0);
  const sensitivity = sum((cut) => cut.truePositiveRate * cut.positives) / sum(({ positives }) => positives);
  const fallOut = sum((cut) => cut.falsePositiveRate * cut.negatives) / sum(({ negatives }) => negatives);
  return (sensitivity + 1 - fallOut) / 2;
}

/** For each slack the most accurate combination whose disparity is at most that much above the smallest. */
export function frontier(combinations: Iterable<Combination>): Combination[] {
  const all = [...combinations];
  const smallest = all.reduce((least, { disparity }) => Math.min(least, disparity), Number.POSITIVE_INFINITY);
  const best = SLACKS.flatMap((slack) => {
    const [first] = all
      .filter(({ disparity }) => disparity <= smallest + slack)
      .toSorted((a, b) => b.balancedAccuracy - a.balancedAccuracy || a.disparity - b.disparity);
    return first ? [first] : [];
  });
  return [...new Set(best)];
}
