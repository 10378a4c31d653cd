import { setImmediate } from 'node:timers/promises';
import { InterruptedError } from '../errors.ts';
import { cleanText } from './cells.ts';
import { makeVocabulary } from './column-builder.ts';
import { cellPlace, inexactNumber, type RowBatch, type TableRequest, textOf } from './tables/batch.ts';
import { csvColumns, type Row, readCsv } from './tables/csv.ts';
import { jsonlColumns, readJsonl } from './tables/jsonl.ts';
import { batchRows } from './tables/rows.ts';
import { openTable } from './tables/source.ts';

export type TableRow = Row<string>;

export interface TableOptions {
  /** Names of the columns to read; a name may be asked for twice. */
  readonly columns: readonly string[];
}

/**
 * Rows of a table, as texts, one by one, in bounded memory: CSV, JSONL (both also inside gzip) or Parquet. Text is
 * UTF-8 with or without a byte order mark; blank lines are skipped. In Parquet, the first row counts as line 1.
 *
 * @throws StorageError when the file cannot be read
 * @throws InvalidInputError when it is empty or damaged, lacks a column or has a malformed row; the message names
 *   line and column and never repeats a cell
 */
export async function* readTable(path: string, { columns }: TableOptions): AsyncGenerator<TableRow> {
  const source = await openTable(path);
  if (source.format === 'csv') yield* readCsv(path, source, columns);
  else if (source.format === 'jsonl') {
    for await (const { line, cells } of readJsonl(path, source, columns)) {
      const texts = cells.map((cell, index) => {
        const text = textOf(cell);
        if (text === null) throw inexactNumber(cellPlace(path, line, columns[index]!));
        return text;
      });
      yield { line, cells: texts };
    }
  } else {
    source.close();
    yield* parquetRows(path, columns);
  }
}

async function* parquetRows(path: string, columns: readonly string[]): AsyncGenerator<TableRow> {
  const { readParquet } = await import('./tables/parquet/file.ts');
  const texts = columns.map((name) => ({ name, vocabulary: makeVocabulary() }));
  let line = 0;
  for await (const batch of readParquet(path, { texts, numbers: [] })) {
    for (let row = 0; row < batch.size; row += 1) {
      line += 1;
      yield {
        line,
        cells: texts.map(({ vocabulary }, index) => vocabulary.texts[batch.texts[index]![row]!]!),
      };
    }
  }
}

/** What a reader of a large table tells, and is told, on its way. */
export interface ReadHooks {
  /** A pass over a file begins; what it gives hears of each batch the share of the file that is read, up to 1. */
  readonly onPass?: (path: string) => (share: number) => void;
  /** The last pass is over. */
  readonly onRead?: () => void;
  readonly signal?: AbortSignal;
}

/**
 * Rows of a table of any of those formats, column by column.
 *
 * @throws as `readTable`; also for a number that breaks its rule and for nested values, and InterruptedError
 */
export async function* readBatches(
  path: string,
  request: TableRequest,
  { onPass, signal }: ReadHooks = {},
): AsyncGenerator<RowBatch> {
  const onShare = onPass?.(path);
  for await (const batch of batchesOf(path, request)) {
    await setImmediate(); // lets Ctrl-C and the progress bar through
    assertRunning(signal);
    onShare?.(batch.share);
    yield batch;
  }
}

/** @throws InterruptedError once the signal is aborted */
export function assertRunning(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new InterruptedError('reading a table was stopped');
}

async function* batchesOf(path: string, request: TableRequest): AsyncGenerator<RowBatch> {
  const source = await openTable(path);
  const columns = [...request.texts, ...request.numbers].map(({ name }) => name);
  const use = { request, share: source.share };
  if (source.format === 'csv') yield* batchRows(path, readCsv(path, source, columns), use);
  else if (source.format === 'jsonl') yield* batchRows(path, readJsonl(path, source, columns), use);
  else {
    source.close();
    const { readParquet } = await import('./tables/parquet/file.ts');
    yield* readParquet(path, request);
  }
}

/**
 * Names of a table's columns, trimmed; for JSONL, the keys of its first row.
 *
 * @throws as `readTable`
 */
export async function tableColumns(path: string): Promise<readonly string[]> {
  return (await namesIn(path)).map(cleanText);
}

async function namesIn(path: string): Promise<readonly string[]> {
  const source = await openTable(path);
  try {
    if (source.format === 'csv') return await csvColumns(path, source);
    if (source.format === 'jsonl') return await jsonlColumns(path, source);
    return await (await import('./tables/parquet/file.ts')).parquetColumns(path);
  } finally {
    source.close();
  }
}
