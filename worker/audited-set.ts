import { cellCounts, labelCountOf } from '../core/data/split.ts';
import type { InputSource, Samples } from '../core/data/types.ts';
import { MISSING_GROUP } from '../core/data/types.ts';
import { InvalidInputError } from '../core/errors.ts';
import type { SensitiveFeature } from '../core/fairness/types.ts';
import type { AuditedSetRecord, Cell } from '../core/jobs/run-record.ts';
import { truthOf } from './training/batch.ts';

/** A set in a table of its own, to be audited. */
export interface TestSet {
  readonly name: string;
  readonly samples: Samples;
  readonly inputs: InputSource;
}

/** Rows that the model is audited on, before and after; rows without a group included. */
export interface AuditedSet extends TestSet {
  readonly source: AuditedSetRecord['source'];
  readonly rows: readonly number[];
  /** Over all samples, with the groups of these rows and those of the external data: a group without rows shows. */
  readonly sensitiveFeatures: readonly SensitiveFeature[];
  readonly cells: readonly Cell[];
}

/** What the model is tuned with. */
interface ExternalData {
  readonly samples: Samples;
  readonly rows: readonly number[];
  /** Name of the feature that is mitigated, and of those that are besides it. */
  readonly sensitiveFeature: string;
  readonly further?: { readonly sensitiveFeatures: readonly string[] } | undefined;
  /** Subjects in both are counted elsewhere. */
  readonly areSubjectsShared?: boolean | undefined;
}

/** An audited set before its groups are known. */
export type SetRows = Omit<AuditedSet, 'sensitiveFeatures' | 'cells'>;

/**
 * A set with its groups and, beside them, those of the external data that it has no rows of.
 *
 * @throws InvalidInputError when a subject is in the external data as well
 */
export function auditedSet(set: SetRows, external: ExternalData): AuditedSet {
  const { samples, rows, areSubjectsShared = false } = external;
  if (set.source !== 'part' && !areSubjectsShared) assertSubjectsApart(samples, rows, set);
  const sensitiveFeatures = samples.sensitiveFeatures.map((trained) =>
    withGroupsOf(featureNamed(set.samples, trained.name), set.rows, keepGroupsOf(trained, rows)),
  );
  const mitigated = new Set([external.sensitiveFeature, ...(external.further?.sensitiveFeatures ?? [])]);
  const features = sensitiveFeatures.filter(({ name }) => mitigated.has(name));
  const cells = cellsOf(set.samples, { features, rows: set.rows });
  return { ...set, sensitiveFeatures, cells };
}

export function featureNamed({ sensitiveFeatures }: Samples, name: string): SensitiveFeature {
  return sensitiveFeatures.find((feature) => feature.name === name)!;
}

/** The feature with the groups of these rows and of another table; rows of other groups get group -1. */
function withGroupsOf(
  feature: SensitiveFeature,
  rows: readonly number[],
  { groupNames: others }: SensitiveFeature,
): SensitiveFeature {
  const own = keepGroupsOf(feature, rows);
  const names = [...new Set([...own.groupNames, ...others])].filter((name) => name !== MISSING_GROUP).sort();
  const hasMissing = own.groupNames.includes(MISSING_GROUP) || others.includes(MISSING_GROUP);
  const groupNames = hasMissing ? [...names, MISSING_GROUP] : names;
  return {
    name: feature.name,
    groupNames,
    groups: feature.groups.map((group) => groupNames.indexOf(feature.groupNames[group]!)),
  };
}

export interface FeatureRows {
  /** Rows may have the group -1, to be in none. */
  readonly features: readonly SensitiveFeature[];
  readonly rows: readonly number[];
}

/** Cells of each feature, which is named where there are several. */
export function cellsOf(samples: Samples, { features, rows }: FeatureRows): Cell[] {
  return features.flatMap(({ name, groupNames, groups }) => {
    const grouped = rows.filter((row) => groups[row]! >= 0);
    const truth = truthOf({ labels: samples.labels, groups }, grouped);
    const labelCount = labelCountOf(samples);
    const counts = cellCounts(truth.labels, truth.groups, { groupCount: groupNames.length, labelCount });
    return groupNames.flatMap((group, index) =>
      Array.from({ length: labelCount }, (_, label) => ({
        ...(features.length > 1 && { sensitiveFeature: name }),
        group,
        label,
        ...(samples.classNames && { className: samples.classNames[label]! }),
        support: counts[index * labelCount + label]!,
      })),
    );
  });
}

/** The feature with only the groups that some of the rows are in; other rows get group -1. */
export function keepGroupsOf(
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

function assertSubjectsApart(
  { subjects }: Samples,
  external: readonly number[],
  { name, samples, rows }: SetRows,
): void {
  if (!subjects || !samples.subjects) return;
  const tuned = new Set(external.map((row) => subjects[row]!));
  const shared = new Set(rows.map((row) => samples.subjects![row]!).filter((subject) => tuned.has(subject)));
  if (shared.size === 0) return;
  throw new InvalidInputError(
    `subjects: expected none in both external and test data ("${name}"), received ${shared.size}; the test would not be independent`,
    { shared: shared.size, set: name },
  );
}
