import type { InputSource, Samples } from '../core/data/types.ts';
import { InvalidInputError } from '../core/errors.ts';
import type { DataPart, DataUse, RunRecord } from '../core/jobs/run-record.ts';
import { DEFAULT_SPLITS } from '../core/jobs/schema.ts';
import type { AuditedSet, FeatureRows, TestSet } from './audited-set.ts';
import { auditedSet, cellsOf } from './audited-set.ts';
import type { SelectionOptions } from './bmft/options.ts';
import type { Random } from './random.ts';
import type { TrainingSet } from './training/batch.ts';
import type { FurtherFeatures } from './training-sets.ts';
import { mitigatedNames, trainingSets } from './training-sets.ts';

export interface DivideInput {
  readonly samples: Samples;
  readonly inputs: InputSource;
  /** Name of the sensitive feature whose disparity is to be mitigated. */
  readonly sensitiveFeature: string;
  /** Where several disparities are to be mitigated at once; absent: that of `sensitiveFeature` alone. */
  readonly further?: FurtherFeatures | undefined;
  /** Values of the split column; null when the table has none and every row is external data. */
  readonly splits: RunRecord['splits'];
  /** Sets in tables of their own, audited after those of the split column. */
  readonly testSets?: readonly TestSet[] | undefined;
  /** Whether subjects may be in both external and test data, as for a check, which counts them; default false. */
  readonly areSubjectsShared?: boolean | undefined;
  readonly selection: SelectionOptions | null;
  readonly random: Random;
}

/** Which rows train, choose and are audited. */
export interface Parts {
  readonly tune: TrainingSet;
  /** Null without a selection: everything tunes. */
  readonly select: TrainingSet | null;
  /** What the audits before and after are made on; the first decides the outcome. */
  readonly audited: readonly [AuditedSet, ...AuditedSet[]];
  readonly use: DataUse;
}

/**
 * Divides the rows: external data into tune and select by subject, test sets for the audits. Rows without a
 * value of the feature do not train, but stay in the audit as a group of their own.
 *
 * @throws InvalidInputError when no row is external, a named split has no rows, or a subject is in both external
 *   and test data
 */
export function divide(input: DivideInput): Parts {
  const { samples, inputs } = input;
  const roles = assignRoles(input);
  const tests = testSetsOf(input, roles);
  const [first, ...further] = tests;
  const testRows = first?.source === 'split' ? first.rows : [];
  const { tune, select, features, withoutGroup, merged } = trainingSets(input, {
    external: roles.external,
    test: testRows,
  });
  const rowsOf = { tune: tune.rows, select: select?.rows ?? [] };
  const ownPart = select ? 'select' : 'tune';
  if (!first) rowsOf[ownPart] = [...rowsOf[ownPart], ...withoutGroup].sort((a, b) => a - b);
  const parts = (['tune', 'select'] as const)
    .filter((name) => rowsOf[name].length > 0)
    .map((name) => describePart(name, samples, { features, rows: rowsOf[name] }));
  const use = {
    // without a test part, rows without a group are in the audited part, though they train nothing
    excluded: describeExcluded(input, roles, first ? withoutGroup.length : 0),
    auditedOn: first ? ('test' as const) : ownPart,
    isIndependent: first !== undefined,
    ...(merged.length > 0 && { merged }),
  } as const;
  if (first) {
    const rows = samples.size + (first.source === 'manifest' ? first.rows.length : 0);
    const test = { name: 'test' as const, support: first.rows.length, cells: first.cells };
    return {
      tune,
      select,
      audited: [first, ...further],
      use: { rows, parts: [...parts, test], ...use },
    };
  }
  const part = { name: ownPart, source: 'part' as const, samples, inputs, rows: rowsOf[ownPart] };
  return {
    tune,
    select,
    audited: [auditedSet(part, { ...input, rows: roles.external })],
    use: { rows: samples.size, parts, ...use },
  };
}

interface Roles {
  readonly external: readonly number[];
  /** Rows of each test split that has some. */
  readonly tests: readonly { readonly name: string; readonly rows: readonly number[] }[];
}

function assignRoles({ samples, splits, testSets = [] }: DivideInput): Roles {
  const rows = Array.from({ length: samples.size }, (_, row) => row);
  if (splits === null) {
    assertNames(testSets.map(({ name }) => name));
    return { external: rows, tests: [] };
  }
  const inSplit = (name: string) => rows.filter((row) => samples.splits![row] === name);
  const external = inSplit(splits.external);
  if (external.length === 0) {
    throw new InvalidInputError(
      `split "${splits.external}": expected rows to tune on, received none among ${samples.size}`,
      { split: splits.external },
    );
  }
  const tests = splits.test.map((name) => ({ name, rows: inSplit(name) }));
  const present = tests.filter((test) => test.rows.length > 0);
  assertNames(
    [...present, ...testSets].map(({ name }) => name),
    splits.external,
  );
  const isDefault = splits.test.join() === DEFAULT_SPLITS.test.join();
  const empty = isDefault ? undefined : tests.find((test) => test.rows.length === 0);
  if (empty !== undefined) {
    throw new InvalidInputError(
      `split "${empty.name}": expected rows to audit on, received none among ${samples.size}`,
      { split: empty.name },
    );
  }
  return { external, tests: present };
}

/** Each set has a name of its own, by which reports call it. */
export function assertNames(names: readonly string[], external?: string): void {
  const twice = names.find((name, place) => name === external || names.indexOf(name) !== place);
  if (twice === undefined) return;
  throw new InvalidInputError(
    twice === external
      ? `split "${twice}": expected another split to audit on than to tune on, received the same`
      : `test set "${twice}": expected each name once, received it twice`,
    { split: twice },
  );
}

function testSetsOf(input: DivideInput, { external, tests }: Roles): AuditedSet[] {
  const { samples, inputs, testSets = [] } = input;
  const sets = [
    ...tests.map((test) => ({ ...test, source: 'split' as const, samples, inputs })),
    ...testSets.map((test) => ({
      ...test,
      source: 'manifest' as const,
      rows: Array.from({ length: test.samples.size }, (_, row) => row),
    })),
  ];
  return sets.map((set) => auditedSet(set, { ...input, rows: external }));
}

function describeExcluded(
  { samples, splits, ...target }: DivideInput,
  { external, tests }: Roles,
  missing: number,
): DataUse['excluded'] {
  const [, ...further] = tests;
  const tested = tests.reduce((sum, { rows }) => sum + rows.length, 0);
  return [
    {
      reason: `no value of ${mitigatedNames(target).join(' nor of ')}: kept out of training`,
      rows: missing,
    },
    ...further.map(({ name, rows }) => ({
      reason: `split "${name}": a further test set, audited apart`,
      rows: rows.length,
    })),
    { reason: otherSplit(splits), rows: samples.size - external.length - tested },
  ].filter(({ rows }) => rows > 0);
}

function otherSplit(splits: RunRecord['splits']): string {
  if (splits === null) return 'not external';
  const { external, test } = splits;
  return test.length === 1
    ? `split is neither "${external}" nor "${test[0]}"`
    : `split is none of ${[external, ...test].map((name) => `"${name}"`).join(', ')}`;
}

function describePart(name: DataPart['name'], samples: Samples, part: FeatureRows): DataPart {
  return { name, support: part.rows.length, cells: cellsOf(samples, part) };
}
