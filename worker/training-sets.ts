import { splitBySubject } from '../core/data/split.ts';
import { MISSING_GROUP } from '../core/data/types.ts';
import type { SensitiveFeature } from '../core/fairness/types.ts';
import type { MergedCell } from '../core/jobs/run-record.ts';
import { keepGroupsOf } from './audited-set.ts';
import type { Combined } from './groupings.ts';
import { combineFeatures, groupingsFor } from './groupings.ts';
import type { DivideInput } from './parts.ts';
import type { Grouping, TrainingSet } from './training/batch.ts';
import { regroup, truthOf } from './training/batch.ts';

/** What is mitigated besides one sensitive feature. */
export interface FurtherFeatures {
  /** Names of the others, one at least. */
  readonly sensitiveFeatures: readonly string[];
  /** Features that are combined at most, 1 for none: the disparity of each combination is then mitigated too. */
  readonly intersections: number;
  /** Least positives and negatives that a combination needs in the tune part to be a group of its own. */
  readonly cellMinimum: number;
}

/** Names of all features that are mitigated. */
export function mitigatedNames({
  sensitiveFeature,
  further,
}: Pick<DivideInput, 'sensitiveFeature'> & {
  readonly further?: Pick<FurtherFeatures, 'sensitiveFeatures'> | undefined;
}): string[] {
  return [sensitiveFeature, ...(further?.sensitiveFeatures ?? [])];
}

/** Rows that train or choose, and those of the test split that decides the outcome. */
interface UsedRows {
  readonly external: readonly number[];
  readonly test: readonly number[];
}

interface TrainingSets {
  readonly tune: TrainingSet;
  readonly select: TrainingSet | null;
  /** By whose cells parts are described: those that are mitigated, each alone or in an intersection. */
  readonly features: readonly SensitiveFeature[];
  /** External rows without a value of any mitigated feature, which do not train. */
  readonly withoutGroup: readonly number[];
  readonly merged: readonly MergedCell[];
}

/** The external rows as sets to tune and select on, with the groups whose disparities are mitigated. */
export function trainingSets(input: DivideInput, { external, test }: UsedRows): TrainingSets {
  const { samples, inputs, selection } = input;
  const trained = trainedFeatures(input, [...external, ...test]);
  const combined = input.further ? combineFeatures(trained, [...external, ...test]) : null;
  const feature = combined?.feature ?? trained[0]!;
  const missing = feature.groupNames.indexOf(MISSING_GROUP);
  const trainable = external.filter((row) => feature.groups[row] !== missing);
  const setOf = (rows: ArrayLike<number>): TrainingSet => ({
    inputs,
    labels: samples.labels,
    ...(samples.classNames && { classNames: samples.classNames }),
    groups: feature.groups, // the missing group comes last, so the others keep their index
    groupNames: feature.groupNames.filter((name) => name !== MISSING_GROUP),
    rows: Array.from(rows),
  });
  const [tune, select = null] = selection
    ? splitForSelection(input, trainable, { feature, share: selection.selectShare }).map(setOf)
    : [setOf(trainable)];
  const { groupings, merged } = groupingsOf(combined, input, { tune: tune!, select, test: setOf(test) });
  return {
    tune: { ...tune!, groupings },
    select: select && { ...select, groupings },
    features: groupings?.map((grouping) => inFeature(grouping, feature)) ?? [feature],
    withoutGroup: external.filter((row) => feature.groups[row] === missing),
    merged,
  };
}

/** In the order of the samples, by which the audit names intersections; with the groups of these rows. */
function trainedFeatures(input: DivideInput, rows: readonly number[]): SensitiveFeature[] {
  const names = new Set(mitigatedNames(input));
  return input.samples.sensitiveFeatures
    .filter(({ name }) => names.has(name))
    .map((feature) => keepGroupsOf(feature, rows));
}

function splitForSelection(
  { samples, random }: DivideInput,
  rows: readonly number[],
  { feature, share }: { feature: SensitiveFeature; share: number },
): [Int32Array, Int32Array] {
  const { first, second } = splitBySubject(samples, rows, {
    fraction: 1 - share,
    sensitiveFeature: feature,
    random: random.fork('split').next,
  });
  return [first, second];
}

function groupingsOf(
  combined: Combined | null,
  { further }: DivideInput,
  sets: Pick<TrainingSets, 'tune' | 'select'> & { readonly test: TrainingSet },
): { readonly groupings?: readonly Grouping[]; readonly merged: readonly MergedCell[] } {
  if (combined === null || further === undefined) return { merged: [] };
  const needs = (['tune', 'select', 'test'] as const).flatMap((part) => {
    const set = sets[part];
    if (set === null || set.rows.length === 0) return [];
    const { classNames } = set;
    return [
      { part, classNames, ...truthOf(set, set.rows), least: part === 'tune' ? further.cellMinimum : 1 },
    ];
  });
  return groupingsFor(combined, further.intersections, needs);
}

/** A grouping of combined features as a feature of the rows. */
function inFeature(grouping: Grouping, { groups }: SensitiveFeature): SensitiveFeature {
  const { name, groupNames } = grouping;
  return { name, groupNames, groups: regroup(groups, grouping) };
}
