import { type Accumulator, columnsOf } from './accumulator.ts';
import { type Grouping, groupingOf, type Vocabularies } from './grouping.ts';
import { MOST_CODES } from './intersection.ts';
import type { GroupCells } from './rates.ts';
import { type ScoreColumn, type ScoreTable, tableOf } from './score-column.ts';
import { type Clusters, clustersOf } from './subject-cells.ts';
import { CELLS, confusionOf } from './tally.ts';
import type { MinSupport, StratumCounts } from './types.ts';

/** Everything that was counted of one feature, by the groups of the report. */
export interface FeatureTable extends Grouping {
  /** Place among the features of the accumulator. */
  readonly place: number;
  /** [group] */
  readonly cells: readonly GroupCells[];
  /** [group] → [of negatives, of positives]; null without scores */
  readonly columns: readonly (readonly [ScoreColumn, ScoreColumn])[] | null;
  /** [group] both labels of a group's scores side by side; null without scores */
  readonly scores: readonly ScoreTable[] | null;
  readonly clusters: Clusters | null;
  readonly strata: readonly StratumCounts[];
}

/** @throws EmptyGroupError when small groups are to be refused and there are some */
export function featureTable(
  accumulator: Accumulator,
  place: number,
  { vocabularies, minSupport }: { readonly vocabularies: Vocabularies; readonly minSupport: MinSupport },
): FeatureTable {
  const feature = accumulator.features[place]!;
  const isWhole = feature.attributes.length === 0;
  const grouping = isWhole ? WHOLE : groupingOf(feature, vocabularies, minSupport);
  const { groupOf, groupNames } = grouping;
  const groupCount = groupNames.length;
  const regrouping = { groupOf, groupCount };
  const regrouped = (cells: ArrayLike<number>) => regroup(cells, regrouping);
  const clusters = accumulator.parts?.subjects ? clustersOf(feature.subjects, regrouping) : null;
  const rows = regrouped(feature.rows);
  const columns = columnsOf(accumulator, place, regrouping);
  const weights = accumulator.parts?.weights ? regrouped(feature.weights) : null;
  const squares = weights && regrouped(feature.squares);
  const slice = (cells: Float64Array, group: number) => cells.subarray(group * CELLS, (group + 1) * CELLS);
  return {
    ...grouping,
    place,
    cells: groupNames.map((_, group) => ({
      rows: slice(rows, group),
      weights: weights && { sums: slice(weights, group), squares: slice(squares!, group) },
      effective: clusters && clusters.effective[group]!,
    })),
    columns,
    scores: columns?.map(([negatives, positives]) => tableOf(positives, negatives)) ?? null,
    clusters,
    strata: isWhole ? [] : strataOf(feature.strata, regrouping, vocabularies.strata ?? []),
  };
}

const WHOLE: Grouping = {
  sensitiveFeature: '(all)',
  attributes: [],
  groupNames: ['(all)'],
  groupOf: Int32Array.of(0),
  merged: [],
};

interface Regrouping {
  readonly groupOf: Int32Array;
  readonly groupCount: number;
}

function regroup(cells: ArrayLike<number>, { groupOf, groupCount }: Regrouping): Float64Array {
  const sums = new Float64Array(groupCount * CELLS);
  groupOf.forEach((group, counted) => {
    for (let cell = 0; cell < CELLS; cell += 1) {
      sums[group * CELLS + cell]! += cells[counted * CELLS + cell] ?? 0;
    }
  });
  return sums;
}

function strataOf(
  counted: ReadonlyMap<number, Float64Array>,
  { groupOf, groupCount }: Regrouping,
  names: readonly string[],
): StratumCounts[] {
  const byStratum = new Map<number, Float64Array>();
  for (const [key, counts] of counted) {
    const stratum = Math.floor(key / MOST_CODES);
    const cells = byStratum.get(stratum) ?? new Float64Array(groupCount * CELLS);
    counts.forEach((count, cell) => {
      cells[groupOf[key % MOST_CODES]! * CELLS + cell]! += count;
    });
    byStratum.set(stratum, cells);
  }
  return [...byStratum]
    .map(([stratum, cells]) => ({
      stratum: names[stratum]!,
      counts: Array.from({ length: groupCount }, (_, group) => confusionOf(cells, group)),
    }))
    .sort((a, b) => (a.stratum < b.stratum ? -1 : 1));
}
