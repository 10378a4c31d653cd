import { setImmediate } from 'node:timers/promises';
import { type Selection, selectBalanced } from '../core/checks/balanced-selection.ts';
import { csvCell } from '../core/data/csv-text.ts';
import { assertRunning, readTable, tableColumns } from '../core/data/table.ts';
import { InvalidInputError } from '../core/errors.ts';
import type { Classifier } from '../core/model/classifier.ts';
import { extractFeatures } from '../core/model/predict.ts';
import {
  assertOneLabel,
  type DataSource,
  loadModelAndData,
  loadSecondTable,
  type ModelAndData,
} from './load-data.ts';
import { writeNewFile } from './new-file.ts';
import type { Progress } from './progress.ts';
import { type CellName, type Pool, poolOf, rowsOfSplit, samplesPerCell } from './selection-pool.ts';

export interface SelectJob {
  readonly source: DataSource;
  /** Value of the split column that the pool has, and that the choice gets. */
  readonly external: string;
  /** What the choice should be like: a table with the same columns but for the split, or a split; else the pool. */
  readonly reference?: { readonly manifest: string } | { readonly split: string } | undefined;
  /** Samples to choose. */
  readonly size: number;
  /** CSV file to make. */
  readonly out: string;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

export interface SelectSummary extends Pick<Pool, 'leftOut'>, Pick<Selection, 'bandwidth'> {
  /** Null where the table names no subjects. */
  readonly subjects: number | null;
  readonly size: number;
  readonly perCell: number;
  readonly cells: readonly (CellName & Selection['cells'][number])[];
  /** Column of the output that says which split a row is in. */
  readonly splitColumn: string;
}

/** Name of the column that a table without splits gets. */
const SPLIT_COLUMN = 'split';

/**
 * Chooses a subset of a pool with as many samples in every cell (groups × label), closest to a reference by the model's
 * features (core/checks/balanced-selection.ts), and writes it as a manifest: rows as they were, those of other splits
 * too, without the rest of the pool.
 *
 * @throws InvalidInputError when cells cannot be filled, naming each that lacks samples and how many; nothing is written
 */
export async function selectSubset(job: SelectJob): Promise<SelectSummary> {
  const splitColumn = await splitColumnOf(job);
  const loaded = await loadModelAndData(job.source, job.signal);
  try {
    assertOneLabel(loaded.manifest);
    const pool = poolOf(loaded.manifest, job.external);
    const perCell = samplesPerCell(job.size, pool);
    const reference = await referenceOf(job, loaded, pool);
    const { rows, cells, subjects, bandwidth } = await choose(job, { loaded, pool, reference, perCell });
    const chosen = new Set(rows);
    const dropped = new Set(pool.rows.filter((_, place) => !chosen.has(place)));
    await writeNewFile(job.out, await manifestText(job, dropped));
    return {
      size: rows.length,
      subjects: pool.subjects === undefined ? null : subjects,
      perCell,
      cells: cells.map((cell, index) => ({ ...pool.cells.names[index]!, ...cell })),
      leftOut: pool.leftOut,
      bandwidth,
      splitColumn,
    };
  } finally {
    loaded.model.dispose();
  }
}

/** @throws InvalidInputError when the table has a column of the name that the split is to have */
async function splitColumnOf({ source: { manifest, columns } }: SelectJob): Promise<string> {
  if (columns.split !== undefined) return columns.split;
  if (!(await tableColumns(manifest)).includes(SPLIT_COLUMN)) return SPLIT_COLUMN;
  throw new InvalidInputError(
    `${manifest}: expected --split-column, since the table has a column "${SPLIT_COLUMN}", received none`,
    { path: manifest, flag: '--split-column' },
  );
}

interface Reference extends Pick<ModelAndData, 'manifest' | 'inputs'> {
  readonly rows: readonly number[];
}

async function referenceOf(job: SelectJob, loaded: ModelAndData, pool: Pool): Promise<Reference> {
  const { source, reference, external, signal } = job;
  if (reference === undefined) return { ...loaded, rows: pool.rows };
  if ('manifest' in reference) {
    const table = await loadSecondTable(source, reference, { spec: loaded.spec, signal });
    return { ...table, rows: Array.from({ length: table.manifest.size }, (_, row) => row) };
  }
  if (loaded.manifest.splits !== undefined && reference.split !== external) {
    return { ...loaded, rows: rowsOfSplit(loaded.manifest, reference.split) };
  }
  const received = reference.split === external ? "the pool's own" : 'no --split-column';
  throw new InvalidInputError(
    `--reference-split: expected a split of the table other than the pool's, received ${received}`,
    { flag: '--reference-split' },
  );
}

interface Choice {
  readonly loaded: ModelAndData;
  readonly pool: Pool;
  readonly reference: Reference;
  readonly perCell: number;
}

/** Rows of the result are places in the pool. */
async function choose(job: SelectJob, { loaded, pool, reference, perCell }: Choice): Promise<Selection> {
  const { progress, signal, size } = job;
  const own = await pointsOf(job, loaded.model, { ...loaded, rows: pool.rows });
  const known = reference.rows === pool.rows ? own : await pointsOf(job, loaded.model, reference);
  progress.start('choose', size);
  let done = 0;
  const found = await selectBalanced({
    pool: { points: own, cells: pool.cellOf, subjects: pool.subjects },
    reference: {
      points: known,
      cells: reference.rows.map((row) => pool.cells.of(reference.manifest, row)),
    },
    cellCount: pool.cells.names.length,
    perCell,
    onChosen: async (samples) => {
      progress.advance(samples - done);
      done = samples;
      await setImmediate(); // lets Ctrl-C and the progress bar through
      assertRunning(signal);
    },
  });
  progress.finish();
  if (found !== null) return found;
  throw new InvalidInputError(
    `--size: expected whole subjects (--subject) to fill each cell with exactly ${perCell}, received subjects that do not add up to it; try another size`,
    { flag: '--size', received: size },
  );
}

/** Features of the rows, after a look at all of them: a bad image shows before the work starts. */
async function pointsOf(
  { progress, signal }: SelectJob,
  model: Classifier,
  { inputs, rows }: Pick<Reference, 'inputs' | 'rows'>,
) {
  progress.start('read images', rows.length);
  await inputs.verify(rows, { onProgress: () => progress.advance() });
  progress.start('features', rows.length);
  const features = await extractFeatures({ model, inputs, rows }, { onProgress: progress.advance, signal });
  const points = { values: features.dataSync(), width: features.shape[1] };
  features.dispose();
  return points;
}

/** The table without some of its rows, and with a column of the split where it has none. */
async function manifestText(
  { source: { manifest, columns }, external }: SelectJob,
  dropped: ReadonlySet<number>,
): Promise<string> {
  const names = await tableColumns(manifest);
  const more = (text: string) => (columns.split === undefined ? [text] : []);
  const lines = [[...names, ...more(SPLIT_COLUMN)]];
  let row = 0;
  for await (const { cells } of readTable(manifest, { columns: names })) {
    if (!dropped.has(row)) lines.push([...cells, ...more(external)]);
    row += 1;
  }
  return lines.map((cells) => `${cells.map(csvCell).join(',')}\n`).join('');
}
