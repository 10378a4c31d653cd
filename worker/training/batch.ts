import { setImmediate } from 'node:timers/promises';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { InputSource } from '../../core/data/types.ts';

/** What a loss may look at besides the logits: labels (0 or 1, or of classes) and groups of the batch, both [B]. */
export interface BatchTruth {
  readonly labels: Int32Array;
  readonly groups: Int32Array;
}

/** One way to divide the rows of a set: by a sensitive feature, or by a combination of several. */
export interface Grouping {
  /** Of the feature, or of features with ` × ` between, as the audit names an intersection. */
  readonly name: string;
  readonly groupNames: readonly string[];
  /** By the group that a row has in the set: its group here, or -1 where this grouping has none for it. */
  readonly groupOf: Int32Array;
}

export interface Batch extends BatchTruth {
  /** [B, ...sample shape] */
  readonly inputs: Tensor;
}

/** The rows that training may see, with their truth by row of the whole data set. */
export interface TrainingSet extends BatchTruth {
  readonly inputs: InputSource;
  readonly rows: readonly number[];
  readonly groupNames: readonly string[];
  /** Names of the classes that labels are indices of; absent where labels are 0 or 1. */
  readonly classNames?: readonly string[] | undefined;
  /**
   * Where several disparities are lowered at once: each of them by groups of `groups`, which are then the combinations
   * of features that occur. Absent: the groups themselves.
   */
  readonly groupings?: readonly Grouping[] | undefined;
}

/** Loads the rows as one batch, in the order given; the caller disposes `inputs`. */
export async function loadBatch(set: TrainingSet, rows: readonly number[]): Promise<Batch> {
  await setImmediate(); // a batch from the cache resolves at once, and Ctrl-C could never be heard
  return { inputs: await set.inputs.batch(rows), ...truthOf(set, rows) };
}

/** The groupings of a set; that of its groups themselves, without a name, where it has no others. */
export function groupingsOf({ groupNames, groupings }: Pick<TrainingSet, 'groupNames' | 'groupings'>) {
  return groupings ?? [{ name: '', groupNames, groupOf: Int32Array.from(groupNames.keys()) }];
}

/** [B] groups of the rows in one grouping; -1 for rows without one. */
export function regroup(groups: Int32Array, { groupOf }: Pick<Grouping, 'groupOf'>): Int32Array {
  return groups.map((group) => groupOf[group] ?? -1);
}

/** The set with the groups of one of its groupings; rows that it leaves out have the group -1. */
export function inGrouping(set: TrainingSet, grouping: Grouping): TrainingSet {
  return {
    ...set,
    groups: regroup(set.groups, grouping),
    groupNames: grouping.groupNames,
    groupings: undefined,
  };
}

export function truthOf(set: BatchTruth, rows: readonly number[]): BatchTruth {
  return {
    labels: Int32Array.from(rows, (row) => set.labels[row]!),
    groups: Int32Array.from(rows, (row) => set.groups[row]!),
  };
}
