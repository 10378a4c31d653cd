import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import type { FileMetaData, RowGroup, SchemaElement } from 'hyparquet';
import { parquetMetadata } from 'hyparquet';
import { InvalidInputError, isCounterweightError } from '../../../errors.ts';
import { quote } from '../../cells.ts';
import { BATCH_ROWS, type RowBatch, type TableRequest } from '../batch.ts';
import { storageError } from '../source.ts';
import { HugePageError, openColumnChunk } from './column-chunk.ts';
import { DamagedPageError } from './hybrid.ts';
import { columnNames, columnOf, findElements, requireNumbers } from './schema.ts';
import { type ColumnSink, numberSink, textSink } from './sinks.ts';

/** The footer describes each column of each row group; one of this size is of another file. */
const MAX_FOOTER_BYTES = 2 ** 26;
/** Length of the footer, then the format's mark. */
const END_BYTES = 8;

/**
 * Rows of a Parquet file. Pages are read as they are needed, whatever the size of row groups.
 *
 * @throws as `readBatches`
 */
export async function* readParquet(path: string, request: TableRequest): AsyncGenerator<RowBatch> {
  const file = await openFile(path);
  try {
    const metadata = await readMetadata(path, file);
    const columns = columnsOf(path, metadata, request);
    const total = metadata.row_groups.reduce((sum, group) => sum + Number(group.num_rows), 0);
    let start = 0;
    for (const group of metadata.row_groups) {
      const readers = columns.map((column) => columnReader({ path, file, group, start }, column));
      for (let left = Number(group.num_rows); left > 0; left -= BATCH_ROWS) {
        const batch = emptyBatch(path, request, { size: Math.min(BATCH_ROWS, left), start, total });
        const targets = [...batch.texts, ...batch.numbers];
        for (const [index, read] of readers.entries()) await read(targets[index]!);
        yield batch;
        start += batch.size;
      }
    }
    if (start === 0) {
      throw new InvalidInputError(`${path}: expected at least one row, received none`, { path });
    }
  } catch (error) {
    throw storageError(path, error);
  } finally {
    await file.close();
  }
}

/** Names of the columns of a Parquet file. */
export async function parquetColumns(path: string): Promise<readonly string[]> {
  const file = await openFile(path);
  try {
    return columnNames(await readMetadata(path, file));
  } finally {
    await file.close();
  }
}

function openFile(path: string): Promise<FileHandle> {
  return open(path).catch((error) => {
    throw storageError(path, error);
  });
}

async function readMetadata(path: string, file: FileHandle): Promise<FileMetaData> {
  const { size } = await file.stat();
  const read = async (length: number) => {
    const bytes = new Uint8Array(Math.min(length, size));
    await file.read(bytes, 0, bytes.length, size - bytes.length);
    return bytes;
  };
  const end = await read(END_BYTES);
  const length = new DataView(end.buffer).getUint32(0, true) + END_BYTES;
  try {
    if (length > MAX_FOOTER_BYTES) throw new DamagedPageError('a footer of impossible size');
    return parquetMetadata(await read(length), { geoparquet: false });
  } catch (error) {
    throw systemCallOr(
      error,
      new InvalidInputError(
        `${path}: expected a whole Parquet file, received one whose footer cannot be read (cut short?)`,
        { path },
      ),
    );
  }
}

interface WantedColumn {
  readonly element: SchemaElement;
  readonly sink: ColumnSink;
}

function columnsOf(path: string, metadata: FileMetaData, { texts, numbers }: TableRequest): WantedColumn[] {
  const names = [...texts, ...numbers].map(({ name }) => name);
  const elements = findElements(path, metadata, names);
  return elements.map((element, index) => {
    const text = texts[index];
    if (text !== undefined) return { element, sink: textSink(text, element) };
    const number = numbers[index - texts.length]!;
    requireNumbers(path, element, number.expected);
    return { element, sink: numberSink(number) };
  });
}

function emptyBatch(
  path: string,
  { texts, numbers }: TableRequest,
  { size, start, total }: { readonly size: number; readonly start: number; readonly total: number },
): RowBatch {
  return {
    size,
    share: (start + size) / total,
    texts: texts.map(() => new Int32Array(size)),
    numbers: numbers.map(() => new Float64Array(size)),
    place: (row, column) => rowPlace(path, start + row, column),
  };
}

/** @param row  from 0 */
function rowPlace(path: string, row: number, column: string): string {
  return `${path}, row ${row + 1}, column ${quote(column)}`;
}

interface GroupPlace {
  readonly path: string;
  readonly file: FileHandle;
  readonly group: RowGroup;
  /** Rows of the file before this row group. */
  readonly start: number;
}

/** @returns function that fills an array with the column's next rows */
function columnReader({ path, file, group, start }: GroupPlace, { element, sink }: WantedColumn) {
  const meta = group.columns.find(
    ({ meta_data: about }) => about?.path_in_schema[0] === element.name,
  )?.meta_data;
  const column = columnOf(path, element, meta);
  const chunk = openColumnChunk(file, meta!, { column, rows: Number(group.num_rows) });
  let values: Int32Array | Float64Array = new Int32Array(0);
  let used = 0;
  let seen = start;
  const readPage = async () => {
    const page = await chunk.next();
    if (page === null) throw new DamagedPageError('rows are absent');
    const first = seen;
    values = sink(page, chunk.dictionary(), (row) => rowPlace(path, first + row, element.name));
    used = 0;
    seen += page.size;
  };
  return async (target: Int32Array | Float64Array): Promise<void> => {
    let filled = 0;
    while (filled < target.length) {
      while (used === values.length) await readPage().catch((error) => refusePage(error, path, element.name));
      const part = values.subarray(used, used + target.length - filled);
      target.set(part, filled);
      used += part.length;
      filled += part.length;
    }
  };
}

function refusePage(error: unknown, path: string, column: string): never {
  const where = `${path}, column ${quote(column)}`;
  const received =
    error instanceof HugePageError
      ? `${error.message}; write smaller ones`
      : 'damaged ones (is the file cut short?)';
  throw systemCallOr(
    error,
    new InvalidInputError(`${where}: expected whole Parquet pages, received ${received}`, { path, column }),
  );
}

/** Errors of ours and of the file system as they are; what decoders throw repeats pieces of the file. */
function systemCallOr(error: unknown, otherwise: InvalidInputError): unknown {
  if (isCounterweightError(error) || (error instanceof Error && 'syscall' in error)) return error;
  return otherwise;
}
