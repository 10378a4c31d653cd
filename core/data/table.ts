import { open, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { InvalidInputError, StorageError } from '../errors.ts';
import { cleanText, plural, quote } from './cells.ts';
import { systemCode } from './read-json.ts';

/** Bytes that one row may have; a longer one is nearly always a quote left open. */
const MAX_ROW_BYTES = 2 ** 20;
/** csv-parse makes an error object of each row that differs from the header: a blank one costs 15 times a full one. */
const MAX_BLANK_LINES = 100_000;
/** Byte order marks of UTF-16; these bytes occur nowhere in UTF-8. */
const UTF_16_MARKS = ['fffe', 'feff'];
/** Columns that a message lists. */
const MAX_LISTED = 20;

export interface TableRow {
  /** Line on which the row begins; the file's first line is 1. */
  readonly line: number;
  /** Cells of the columns asked for, in that order. */
  readonly cells: readonly string[];
}

export interface TableOptions {
  /** Names of the columns to read; a name may be asked for twice. */
  readonly columns: readonly string[];
}

/**
 * Rows of a CSV file (RFC 4180: commas, double quotes, LF or CRLF), one by one, in bounded memory. UTF-8 with
 * or without a byte order mark; blank lines are skipped; the first row names the columns.
 *
 * @throws StorageError when the file cannot be read
 * @throws InvalidInputError when it is empty, no UTF-8 text, lacks a column or has a malformed row; the message
 *   names line and column and never repeats a cell
 */
export async function* readTable(path: string, { columns }: TableOptions): AsyncGenerator<TableRow> {
  let header: { readonly size: number; readonly indices: readonly number[] } | undefined;
  let rows = 0;
  for await (const { line, cells } of readRecords(path)) {
    if (header === undefined) {
      header = { size: cells.length, indices: columnIndices(path, cells, columns) };
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

/** Where a problem is, as every message about a table spells it. */
export function cellPlace(path: string, line: number, column: string): string {
  return `${path}, line ${line}, column ${quote(column)}`;
}

async function* readRecords(path: string): AsyncGenerator<TableRow> {
  let line = 1;
  let blanks = 0;
  try {
    for await (const cells of parseFile(path)) {
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

async function* parseFile(path: string, lastRecord?: number): AsyncGenerator<string[]> {
  const file = await open(path).catch((cause) => {
    throw new StorageError(`${path}: cannot be read (${systemCode(cause)})`, { path }, { cause });
  });
  const parser = parse({
    bom: true,
    relax_column_count: true,
    record_delimiter: ['\r\n', '\n', '\r'],
    max_record_size: MAX_ROW_BYTES,
    ...(lastRecord === undefined ? {} : { to: lastRecord }),
  });
  const source = file.createReadStream();
  // Errors reach the reader of `parser`, which the pipeline destroys with them.
  pipeline(
    source,
    (chunks: AsyncIterable<Buffer>) => checkText(path, chunks),
    parser,
    () => {},
  );
  try {
    yield* parser as AsyncIterable<string[]>;
  } finally {
    // A parser that reached its last record leaves the rest of the file unread, and the file open.
    source.destroy();
  }
}

async function* checkText(path: string, chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const refuse = (received: string): never => {
    throw new InvalidInputError(`${path}: expected CSV in UTF-8, received ${received}`, { path });
  };
  const check = (chunk?: Buffer) => {
    try {
      decoder.decode(chunk, { stream: chunk !== undefined });
    } catch {
      refuse('bytes that are no UTF-8 (another encoding?)');
    }
  };
  for await (const chunk of chunks) {
    if (UTF_16_MARKS.includes(chunk.toString('hex', 0, 2))) refuse('UTF-16 text');
    if (chunk.includes(0)) refuse('binary content (NUL bytes)');
    check(chunk);
    yield chunk;
  }
  check();
}

function columnIndices(path: string, cells: readonly string[], columns: readonly string[]): number[] {
  const names = cells.map(cleanText);
  const twice = names.find((name, index) => name !== '' && names.indexOf(name) < index);
  if (twice !== undefined) {
    throw new InvalidInputError(`${path}: expected distinct column names, received ${quote(twice)} twice`, {
      path,
      column: twice,
    });
  }
  return columns.map((column) => {
    const index = names.indexOf(cleanText(column));
    if (index < 0) throw missingColumn(path, column, names);
    return index;
  });
}

function missingColumn(path: string, column: string, names: readonly string[]): InvalidInputError {
  const listed = names.slice(0, MAX_LISTED).map(quote).join(', ');
  const more = names.length > MAX_LISTED ? ` and ${names.length - MAX_LISTED} more` : '';
  const hint = names.length === 1 && /[;\t|]/.test(names[0]!) ? ' (cells must be separated by commas)' : '';
  return new InvalidInputError(
    `${path}: expected a column ${quote(column)}, received the columns ${listed}${more}${hint}`,
    { path, column, received: names },
  );
}

/** Ours as they are; the parser's and the file system's without the data that they repeat. */
async function explain(path: string, error: unknown): Promise<unknown> {
  if (error instanceof CsvError) return malformed(path, await lineAfter(path, error), csvRule(error.code));
  if (error instanceof Error && 'syscall' in error) {
    return new StorageError(`${path}: cannot be read (${systemCode(error)})`, { path }, { cause: error });
  }
  return error;
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
  for await (const cells of parseFile(path, before)) line += 1 + lineBreaks(cells);
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
