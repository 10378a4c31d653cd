import { type CheckedResult, checkData } from '../core/checks/check-data.ts';
import type { CheckedSet } from '../core/checks/sets.ts';
import { subset } from '../core/data/split.ts';
import type { InputSource, Manifest } from '../core/data/types.ts';
import type { Classifier } from '../core/model/classifier.ts';
import { observe } from '../core/model/observe.ts';
import { type ImageFactsStore, makeImageFactsStore } from './image-facts-store.ts';
import { type DataSource, loadSecondTable, type ModelAndData } from './load-data.ts';
import type { Parts } from './parts.ts';
import type { Progress } from './progress.ts';

/** A table as it was read, with the facts of its images. */
export interface CheckedTable {
  readonly manifest: Manifest;
  readonly inputs: InputSource;
  readonly facts: ImageFactsStore;
}

/** A second table as it is read, its images looked at as they are decoded. */
export async function loadCheckedTable(
  source: Pick<DataSource, 'columns'>,
  where: { readonly manifest: string; readonly root?: string | undefined },
  options: Pick<ModelAndData, 'spec'> & { readonly signal: AbortSignal },
): Promise<CheckedTable> {
  const facts = makeImageFactsStore();
  return { ...(await loadSecondTable(source, where, { ...options, onImage: facts.onImage })), facts };
}

export interface CheckPartsInput {
  readonly model: Classifier;
  /** What tunes, is chosen on, and is audited by split. */
  readonly table: CheckedTable;
  /** Further test sets by name. */
  readonly tests?: ReadonlyMap<string, CheckedTable> | undefined;
  /** Rows that the data should resemble. */
  readonly reference?: { readonly table: CheckedTable; readonly rows: readonly number[] } | undefined;
  /** Name of the feature that is mitigated, and of those that are besides it. */
  readonly sensitiveFeature: string;
  readonly further?: { readonly sensitiveFeatures: readonly string[] } | undefined;
  /** As beside a mitigation; default false. */
  readonly isBrief?: boolean | undefined;
  readonly progress: Progress;
  readonly signal?: AbortSignal | undefined;
}

/** Rows of one part, in the table that they are from. */
export interface PartRows {
  readonly name: string;
  readonly isTest: boolean;
  readonly table: CheckedTable;
  readonly rows: readonly number[];
}

/** The parts of a run in the order in which they are checked: tune, select, test sets. */
export function partRows({ tune, select, audited }: Parts, input: CheckPartsInput): PartRows[] {
  const { table, tests } = input;
  const further = audited.filter(({ source }) => source !== 'part');
  return [
    { name: 'tune', isTest: false, table, rows: tune.rows },
    ...(select === null ? [] : [{ name: 'select', isTest: false, table, rows: select.rows }]),
    ...further.map(({ name, source, rows }) => ({
      name,
      isTest: true,
      table: source === 'split' ? table : tests!.get(name)!,
      rows,
    })),
  ];
}

/** Checks the parts of a run: one pass of the model over their rows, and what is known of rows and images. */
export async function checkParts(parts: Parts, input: CheckPartsInput): Promise<CheckedResult> {
  const { progress, reference, sensitiveFeature, further, signal } = input;
  const all = partRows(parts, input);
  const compared = reference === undefined ? [] : [{ name: 'reference', isTest: false, ...reference }];
  progress.start(
    'check data',
    [...all, ...compared].reduce((sum, { rows }) => sum + rows.length, 0),
  );
  const sets: CheckedSet[] = [];
  for (const part of [...all, ...compared]) sets.push(await checkedSet(part, input));
  const result = await checkData(
    {
      parts: sets.slice(0, all.length),
      reference: sets[all.length] ?? null,
      isBrief: input.isBrief ?? false,
      withoutGroup: parts.use.excluded.find(({ reason }) => reason.startsWith('no value of'))?.rows ?? 0,
      mitigated: [sensitiveFeature, ...(further?.sensitiveFeatures ?? [])],
    },
    signal,
  );
  progress.finish();
  return result;
}

async function checkedSet(part: PartRows, { model, progress, signal }: CheckPartsInput): Promise<CheckedSet> {
  const { name, isTest, rows, table } = part;
  const { manifest, inputs, facts } = table;
  const seen = await observe({ model, inputs, rows }, { onProgress: progress.advance, signal });
  const { input } = manifest;
  const samples = subset(manifest, rows);
  if (input.kind === 'image') {
    return { name, isTest, samples, images: rows.map((row) => facts.of(row)!), table: null, seen };
  }
  const width = input.columns.length;
  const values = new Float64Array(rows.length * width);
  rows.forEach((row, index) => {
    values.set(input.values.subarray(row * width, (row + 1) * width), index * width);
  });
  return { name, isTest, samples, images: null, table: { ...input, values }, seen };
}
