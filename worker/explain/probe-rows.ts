import { splitBySubject } from '../../core/data/split.ts';
import type { InputSource, Samples } from '../../core/data/types.ts';
import { MISSING_GROUP } from '../../core/data/types.ts';
import type { SensitiveFeature } from '../../core/fairness/types.ts';
import { featureNamed, keepGroupsOf } from '../audited-set.ts';
import type { Parts } from '../parts.ts';
import type { Random } from '../random.ts';

/** Rows that are looked at, each with its group and label. */
export interface Side {
  readonly part: string;
  /** Name of the further table that the rows are of; null for that of the external data. */
  readonly table: string | null;
  readonly inputs: InputSource;
  readonly rows: readonly number[];
  /** [rows.length] of `groupNames` */
  readonly groups: readonly number[];
  /** [rows.length] 0 or 1 */
  readonly labels: readonly number[];
}

/** Rows that probes are trained on and rows that they are measured on, without a subject in both. */
export interface ProbeSplit {
  readonly groupNames: readonly string[];
  readonly trained: Side;
  /** One row of each subject. */
  readonly measured: Side;
}

export interface ProbeRowsInput {
  readonly samples: Samples;
  readonly sensitiveFeature: string;
  readonly parts: Parts;
  /** Rows of a side at most, drawn at random. */
  readonly most: number;
  readonly random: Random;
}

/**
 * Tune part and first audited set; where they are one, its two halves by subject. Groups are those of the tune part;
 * rows of none of them are left out.
 */
export function probeRows({ samples, sensitiveFeature, parts, most, random }: ProbeRowsInput): ProbeSplit {
  const { tune, audited, use } = parts;
  const [first] = audited;
  const known = keepGroupsOf(featureNamed(samples, sensitiveFeature), tune.rows);
  const groupNames = known.groupNames.filter((name) => name !== MISSING_GROUP);
  const own: Table = { table: null, samples, inputs: tune.inputs, groups: renamed(known, groupNames) };
  const other: Table =
    first.source === 'manifest'
      ? {
          table: first.name,
          samples: first.samples,
          inputs: first.inputs,
          groups: renamed(featureNamed(first.samples, sensitiveFeature), groupNames),
        }
      : { ...own, groups: renamed(featureNamed(samples, sensitiveFeature), groupNames) };
  const draw = (rows: readonly number[], purpose: string) =>
    random
      .fork(purpose)
      .shuffle(rows)
      .slice(0, most)
      .sort((a, b) => a - b);
  if (use.auditedOn !== 'tune') {
    const measured = onePerSubject(other, first.rows, random);
    return {
      groupNames,
      trained: sideOf('tune', own, draw(withGroup(own, tune.rows), 'trained')),
      measured: sideOf(use.auditedOn, other, draw(measured, 'measured')),
    };
  }
  const halves = splitBySubject(samples, withGroup(own, tune.rows), {
    fraction: 0.5,
    sensitiveFeature: { name: sensitiveFeature, groupNames, groups: own.groups },
    random: random.fork('halves').next,
  });
  const measured = onePerSubject(own, Array.from(halves.second), random);
  return {
    groupNames,
    trained: sideOf('half of tune', own, draw(Array.from(halves.first), 'trained')),
    measured: sideOf('other half of tune', own, draw(measured, 'measured')),
  };
}

interface Table {
  readonly table: string | null;
  readonly samples: Samples;
  readonly inputs: InputSource;
  /** By row; -1 for none */
  readonly groups: Int32Array;
}

/** Groups by their place among `groupNames`, -1 for others. */
function renamed({ groupNames: own, groups }: SensitiveFeature, groupNames: readonly string[]): Int32Array {
  return groups.map((group) => groupNames.indexOf(own[group] ?? ''));
}

function withGroup({ groups }: Table, rows: readonly number[]): number[] {
  return rows.filter((row) => groups[row]! >= 0);
}

/** A random row of each subject, so that an interval over rows is one over subjects. */
function onePerSubject(table: Table, rows: readonly number[], random: Random): number[] {
  const { subjects } = table.samples;
  const seen = new Set<string | number>();
  return random
    .fork('subjects')
    .shuffle(withGroup(table, rows))
    .filter((row) => {
      const subject = subjects?.[row] ?? row;
      const isNew = !seen.has(subject);
      seen.add(subject);
      return isNew;
    });
}

function sideOf(part: string, { table, inputs, groups, samples }: Table, rows: readonly number[]): Side {
  return {
    part,
    table,
    inputs,
    rows,
    groups: rows.map((row) => groups[row]!),
    labels: rows.map((row) => samples.labels[row]!),
  };
}
