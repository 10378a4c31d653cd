import type { CheckedResult } from '../core/checks/check-data.ts';
import type { DataCheck } from '../core/checks/types.ts';
import { InvalidInputError } from '../core/errors.ts';
import { PRESETS } from './bmft/options.ts';
import { type CheckedTable, checkParts, loadCheckedTable, type PartRows, partRows } from './check-parts.ts';
import { makeImageFactsStore } from './image-facts-store.ts';
import { assertOneLabel, type DataSource, loadModelAndData, type ModelAndData } from './load-data.ts';
import { loadTestTables, type TestManifest } from './mitigate-files.ts';
import { assertNames, type DivideInput, divide } from './parts.ts';
import type { Progress } from './progress.ts';
import { makeRandom } from './random.ts';

/** A check of files of this machine, divided as a mitigation with this seed would. */
export interface CheckFilesInput {
  readonly source: DataSource;
  readonly splits: NonNullable<DivideInput['splits']>;
  readonly testManifests?: readonly TestManifest[] | undefined;
  /** What the data should resemble: a table of its own, or a split of the manifest. */
  readonly reference?: { readonly manifest: string } | { readonly split: string } | undefined;
  readonly seed: number;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

export interface CheckedFiles {
  readonly check: DataCheck;
  /** Lines of the manifest, for the eyes of who asked alone. */
  readonly lines: CheckedLines;
}

export interface CheckedLines {
  readonly duplicates: readonly { readonly kind: 'exact' | 'near'; readonly rows: readonly RowPlace[] }[];
  readonly blank: readonly RowPlace[];
}

interface RowPlace {
  readonly part: string;
  /** Of the part's manifest; for a table, the number of its row from 1. */
  readonly line: number;
}

/**
 * Checks whether data is fit for a mitigation. Subjects that are in two parts are a finding here, where a mitigation
 * refuses them.
 *
 * @throws CounterweightError for input that cannot be read
 */
export async function checkFiles(input: CheckFilesInput): Promise<CheckedFiles> {
  const { source, splits, seed, progress, signal } = input;
  const facts = makeImageFactsStore();
  const loaded = await loadModelAndData(source, signal, facts.onImage);
  const { model, manifest, inputs } = loaded;
  try {
    assertOneLabel(manifest);
    const table = { manifest, inputs, facts };
    const sensitiveFeature = manifest.sensitiveFeatures[0]!.name;
    const tests = await loadTests(input, loaded);
    const parts = divide({
      samples: manifest,
      inputs,
      sensitiveFeature,
      splits: manifest.splits ? splits : null,
      testSets: [...tests].map(([name, test]) => ({ name, samples: test.manifest, inputs: test.inputs })),
      areSubjectsShared: true,
      selection: PRESETS.robust.selection,
      random: makeRandom(seed),
    });
    const reference = await loadReference(input, loaded, table);
    const checked = { model, table, tests, reference, sensitiveFeature, progress, signal };
    const rows = partRows(parts, checked);
    await readImages([...rows, ...(reference ? [reference] : [])], progress);
    const result = await checkParts(parts, checked);
    return { check: result.check, lines: linesOf(result, rows) };
  } finally {
    model.dispose();
  }
}

async function loadTests(input: CheckFilesInput, { spec }: ModelAndData): Promise<Map<string, CheckedTable>> {
  assertNames((input.testManifests ?? []).map(({ name }) => name)); // a map keeps the last of two
  return new Map((await loadTestTables(input, spec)).map((table) => [table.name, table]));
}

async function loadReference(
  { source, reference, signal }: CheckFilesInput,
  { spec, manifest }: ModelAndData,
  table: CheckedTable,
): Promise<Pick<PartRows, 'table' | 'rows'> | undefined> {
  if (reference === undefined) return undefined;
  if ('manifest' in reference) {
    const other = await loadCheckedTable(source, reference, { spec, signal });
    return { table: other, rows: Array.from({ length: other.manifest.size }, (_, row) => row) };
  }
  const rows = Array.from({ length: manifest.size }, (_, row) => row).filter(
    (row) => manifest.splits?.[row] === reference.split,
  );
  if (rows.length > 0) return { table, rows };
  throw new InvalidInputError(
    `split "${reference.split}": expected rows to compare with, received none among ${manifest.size}`,
    { split: reference.split },
  );
}

/** A bad image shows before the work starts, and all bad ones at once. */
async function readImages(parts: readonly Pick<PartRows, 'table' | 'rows'>[], progress: Progress) {
  progress.start(
    'read images',
    parts.reduce((sum, { rows }) => sum + rows.length, 0),
  );
  for (const { table, rows } of parts) {
    await table.inputs.verify(rows, { onProgress: () => progress.advance() });
  }
}

function linesOf({ duplicates, blank }: CheckedResult, parts: readonly PartRows[]): CheckedLines {
  const places = parts.flatMap(({ name, table: { manifest }, rows }) =>
    rows.map((row) => {
      const line = manifest.input.kind === 'image' ? manifest.input.lines[row]! : row + 1;
      return { part: name, line };
    }),
  );
  return {
    duplicates: duplicates.map(({ kind, rows }) => ({ kind, rows: rows.map((row) => places[row]!) })),
    blank: blank.map((row) => places[row]!),
  };
}
