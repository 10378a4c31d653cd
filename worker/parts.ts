import { cellCounts, splitBySubject } from '../core/data/split.ts';
import type { InputSource, Samples } from '../core/data/types.ts';
import { MISSING_GROUP } from '../core/data/types.ts';
import { InvalidInputError } from '../core/errors.ts';
import type { SensitiveFeature } from '../core/fairness/types.ts';
import type { DataPart, DataUse } from '../core/jobs/run-record.ts';
import type { SelectionOptions } from './bmft/options.ts';
import type { Random } from './random.ts';
import type { TrainingSet } from './training/batch.ts';
import { truthOf } from './training/batch.ts';

/** Values of the split column when none are named; the test split may then be absent. */
export const DEFAULT_SPLITS = { external: 'external', test: 'test' } as const;

export interface DivideInput {
  readonly samples: Samples;
  readonly inputs: InputSource;
  /** Name of the sensitive feature whose disparity is to be mitigated. */
  readonly sensitiveFeature: string;
  /** Values of the split column; null when the table has none and every row is external data. */
  readonly splits: { readonly external: string; readonly test: string } | null;
  readonly selection: SelectionOptions | null;
  readonly random: Random;
}

/** Which rows train, choose and are audited. */
export interface Parts {
  readonly tune: TrainingSet;
  /** Null without a selection: everything tunes. */
  readonly select: TrainingSet | null;
  /** Rows that the audits before and after are made on, rows without a group included. */
  readonly auditedRows: readonly number[];
  /** Every sensitive feature over all rows, with the groups that the used rows hold. */
  readonly sensitiveFeatures: readonly SensitiveFeature[];
  readonly use: DataUse;
}

/**
 * Divides the rows: external data into tune and select by subject, test data for the audits. Rows without a
 * value of the feature do not train, but stay in the audit as a group of their own.
 *
 * @throws InvalidInputError when no row is external, or a subject is in both external and test data
 */
export function divide(input: DivideInput): Parts {
  const { samples, inputs, selection, random } = input;
  const roles = assignRoles(input);
  const sensitiveFeatures = samples.sensitiveFeatures.map((feature) =>
    keepGroupsOf(feature, [...roles.external, ...roles.test]),
  );
  const feature = sensitiveFeatures.find(({ name }) => name === input.sensitiveFeature)!;
  const missing = feature.groupNames.indexOf(MISSING_GROUP);
  const trainable = roles.external.filter((row) => feature.groups[row] !== missing);
  const setOf = (rows: ArrayLike<number>): TrainingSet => ({
    inputs,
    labels: samples.labels,
    groups: feature.groups, // the missing group comes last, so the others keep their index
    groupNames: feature.groupNames.filter((name) => name !== MISSING_GROUP),
    rows: Array.from(rows),
  });
  const [tune, select] = selection
    ? splitForSelection(samples, trainable, { feature, share: selection.selectShare, random }).map(setOf)
    : [setOf(trainable)];
  const auditedOn = roles.test.length > 0 ? 'test' : select ? 'select' : 'tune';
  const rowsOf = { tune: tune!.rows, select: select?.rows ?? [], test: roles.test };
  const withoutGroup = roles.external.filter((row) => feature.groups[row] === missing);
  if (auditedOn !== 'test') {
    rowsOf[auditedOn] = [...rowsOf[auditedOn], ...withoutGroup].sort((a, b) => a - b);
  }
  return {
    tune: tune!,
    select: select ?? null,
    auditedRows: rowsOf[auditedOn],
    sensitiveFeatures,
    use: {
      rows: samples.size,
      // without a test part, rows without a group are in the audited part, though they train nothing
      excluded: describeExcluded(input, roles, auditedOn === 'test' ? withoutGroup.length : 0),
      parts: (['tune', 'select', 'test'] as const)
        .filter((name) => rowsOf[name].length > 0)
        .map((name) => describePart(name, samples, { feature, rows: rowsOf[name] })),
      auditedOn,
      isIndependent: auditedOn === 'test',
    },
  };
}

interface Roles {
  readonly external: readonly number[];
  readonly test: readonly number[];
}

function assignRoles({ samples, splits }: DivideInput): Roles {
  const rows = Array.from({ length: samples.size }, (_, row) => row);
  if (splits === null) return { external: rows, test: [] };
  if (splits.external === splits.test) {
    throw new InvalidInputError(
      `split "${splits.test}": expected another split to audit on than to tune on, received the same`,
      { split: splits.test },
    );
  }
  const inSplit = (name: string) => rows.filter((row) => samples.splits![row] === name);
  const roles = { external: inSplit(splits.external), test: inSplit(splits.test) };
  if (roles.external.length === 0) {
    throw new InvalidInputError(
      `split "${splits.external}": expected rows to tune on, received none among ${samples.size}`,
      { split: splits.external },
    );
  }
  if (roles.test.length === 0 && splits.test !== DEFAULT_SPLITS.test) {
    throw new InvalidInputError(
      `split "${splits.test}": expected rows to audit on, received none among ${samples.size}`,
      { split: splits.test },
    );
  }
  assertSubjectsApart(samples, roles);
  return roles;
}

function splitForSelection(
  samples: Samples,
  rows: readonly number[],
  { feature, share, random }: { feature: SensitiveFeature; share: number; random: Random },
): [Int32Array, Int32Array] {
  const { first, second } = splitBySubject(samples, rows, {
    fraction: 1 - share,
    sensitiveFeature: feature,
    random: random.fork('split').next,
  });
  return [first, second];
}

function describeExcluded(
  { samples, splits, sensitiveFeature }: DivideInput,
  { external, test }: Roles,
  missing: number,
): DataUse['excluded'] {
  return [
    { reason: `no value of ${sensitiveFeature}: kept out of training`, rows: missing },
    {
      reason: `split is neither "${splits?.external}" nor "${splits?.test}"`,
      rows: samples.size - external.length - test.length,
    },
  ].filter(({ rows }) => rows > 0);
}

function describePart(
  name: DataPart['name'],
  { labels }: Samples,
  { feature, rows }: { feature: SensitiveFeature; rows: readonly number[] },
): DataPart {
  const truth = truthOf({ labels, groups: feature.groups }, rows);
  const counts = cellCounts(truth.labels, truth.groups, feature.groupNames.length);
  const cells = feature.groupNames.flatMap((group, index) =>
    ([0, 1] as const).map((label) => ({ group, label, support: counts[index * 2 + label]! })),
  );
  return { name, support: rows.length, cells };
}

/** The feature with only the groups that some of the rows are in; other rows get group -1. */
function keepGroupsOf(
  { name, groupNames, groups }: SensitiveFeature,
  rows: readonly number[],
): SensitiveFeature {
  const present = new Set(rows.map((row) => groups[row]!));
  const kept = groupNames.flatMap((_, group) => (present.has(group) ? [group] : []));
  return {
    name,
    groupNames: kept.map((group) => groupNames[group]!),
    groups: groups.map((group) => kept.indexOf(group)),
  };
}

function assertSubjectsApart({ subjects }: Samples, { external, test }: Roles): void {
  if (!subjects) return;
  const tuned = new Set(external.map((row) => subjects[row]!));
  const shared = new Set(test.map((row) => subjects[row]!).filter((subject) => tuned.has(subject)));
  if (shared.size === 0) return;
  throw new InvalidInputError(
    `subjects: expected none in both external and test data, received ${shared.size}; the test would not be independent`,
    { shared: shared.size },
  );
}
