import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { InvalidInputError } from '../../errors.ts';
import { plural } from '../cells.ts';
import { findColumns } from './columns-found.ts';
import { checkedText, openTable, storageError, type TableSource } from './source.ts';

/** Bytes that one row may have; a longer one is nearly always a quote left open. */
export const MAX_ROW_BYTES = 2 ** 20;
/** csv-parse makes an error object of each row that differs from the header: a blank one costs 15 times a full one. */
const MAX_BLANK_LINES = 100_000;

/** Cells of one row, by the columns asked for. */
export interface Row<C> {
  /** Line on which the row begins; the file's first line is 1. */
  readonly line: number;
  readonly cells: readonly C[];
}

/**
 * Rows of a CSV file (RFC 4180: commas, double quotes, LF or CRLF). Blank lines are skipped; the first row names the
 * columns.
 *
 * @throws as `readTable`
 */
export async function* readCsv(
  path: string,
  source: TableSource,
  columns: readonly string[],
): AsyncGenerator<Row<string>> {
  let header: { readonly size: number; readonly indices: readonly number[] } | undefined;
  let rows = 0;
  for await (const { line, cells } of readRecords(path, source)) {
    if (header === undefined) {
      header = { size: cells.length, indices: findColumns(path, cells, columns) };
      continue;
    }
    if (cells.length !== header.size) {
      throw malformed(
        path,
        line,
        `${plural(header.size, 'cell')} as in the header, received ${cells.length}`,
      );
    }
    rows += 1;
    yield { line, cells: header.indices.map((index) => cells[index]!) };
  }
  if (rows > 0) return;
  const received = header === undefined ? 'an empty file' : 'a header without rows';
  throw new InvalidInputError(`${path}: expected a header and at least one row, received ${received}`, {
    path,
  });
}

/** Names of the columns of a CSV file; none of an empty one. */
export async function csvColumns(path: string, source: TableSource): Promise<readonly string[]> {
  for await (const { cells } of readRecords(path, source)) return cells;
  return [];
}

async function* readRecords(path: string, source: TableSource): AsyncGenerator<Row<string>> {
  let line = 1;
  let blanks = 0;
  try {
    for await (const cells of parseText(path, source)) {
      if (!isBlank(cells)) yield { line, cells };
      else if (++blanks > MAX_BLANK_LINES) {
        throw malformed(path, line, `at most ${MAX_BLANK_LINES} blank lines, received more`);
      }
      line += 1 + lineBreaks(cells);
    }
  } catch (error) {
    throw await explain(path, error);
  }
}

async function* parseText(path: string, source: TableSource, lastRecord?: number): AsyncGenerator<string[]> {
  const parser = parse({
    bom: true,
    relax_column_count: true,
    record_delimiter: ['\r\n', '\n', '\r'],
    max_record_size: MAX_ROW_BYTES,
    ...(lastRecord === undefined ? {} : { to: lastRecord }),
  });
  // Errors reach the reader of `parser`, which the pipeline destroys with them.
  pipeline(checkedText(path, source), parser, () => {});
  try {
    yield* parser as AsyncIterable<string[]>;
  } finally {
    // A parser that reached its last record leaves the rest of the file unread, and the file open.
    source.close();
  }
}

/** Ours as they are; the parser's and the file system's without the data that they repeat. */
async function explain(path: string, error: unknown): Promise<unknown> {
  if (error instanceof CsvError) return malformed(path, await lineAfter(path, error), csvRule(error.code));
  return storageError(path, error);
}

function csvRule(code: string): string {
  if (code === 'CSV_QUOTE_NOT_CLOSED') return 'every quote to be closed, received one left open';
  if (code === 'CSV_MAX_RECORD_SIZE') {
    return `a row of at most ${MAX_ROW_BYTES} bytes, received a longer one (is a quote left open?)`;
  }
  return 'quotes around a whole cell, those inside it doubled, received a stray quote';
}

/**
 * Line on which the record begins that the parser stopped at: a second pass over the records before it. A pipe
 * cannot be read twice; there, each record counts as one line.
 */
async function lineAfter(path: string, error: CsvError): Promise<number> {
  const before = Number(error.records);
  if (before === 0 || !(await stat(path)).isFile()) return before + 1;
  let line = 1;
  for await (const cells of parseText(path, await openTable(path), before)) line += 1 + lineBreaks(cells);
  return line;
}

function malformed(path: string, line: number, rule: string): InvalidInputError {
  return new InvalidInputError(`${path}, line ${line}: expected ${rule}`, { path, line });
}

function isBlank(cells: readonly string[]): boolean {
  return cells.length === 1 && cells[0]!.trim() === '';
}

function lineBreaks(cells: readonly string[]): number {
  let breaks = 0;
  for (const cell of cells) {
    if (cell.includes('\n') || cell.includes('\r')) breaks += cell.match(/\r\n|\n|\r/g)!.length;
  }
  return breaks;
}
