import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { InvalidInputError, StorageError } from '../../errors.ts';
import { systemCode } from '../read-json.ts';

type TableFormat = 'csv' | 'jsonl' | 'parquet';

/** Endings that name a format, without the `.gz` behind them. */
const FORMAT_OF_ENDING: Readonly<Record<string, TableFormat>> = {
  csv: 'csv',
  jsonl: 'jsonl',
  ndjson: 'jsonl',
  parquet: 'parquet',
  pq: 'parquet',
};
const FORMAT_NAMES: Readonly<Record<TableFormat, string>> = {
  csv: 'CSV',
  jsonl: 'JSONL',
  parquet: 'Parquet',
};

const PARQUET_MAGIC = 'PAR1';
/** Byte order marks of UTF-16; these bytes occur nowhere in UTF-8. */
const UTF_16_MARKS = ['fffe', 'feff'];

/** Bytes that a gzip file may always become. */
const FREE_BYTES = 16 * 2 ** 20;
/** Beyond those: tables of text shrink by 3 to 50 times; gzip's limit, which only made files reach, is 1032. */
const MAX_RATIO = 250;

export interface TableSource {
  readonly format: TableFormat;
  /** The content, without gzip around it; of Parquet only its beginning. */
  readonly chunks: AsyncIterable<Buffer>;
  /** Share of the file that has been read, up to 1; 0 for a pipe. */
  share(): number;
  close(): void;
}

/**
 * Opens a table of whatever format: its ending says which one, else its content. Gzip around text is found by
 * content.
 *
 * @throws StorageError when the file cannot be read; InvalidInputError when it is not what its ending says, or for
 *   gzip around Parquet
 */
export async function openTable(path: string): Promise<TableSource> {
  const file = await open(path).catch((cause) => {
    throw new StorageError(`${path}: cannot be read (${systemCode(cause)})`, { path }, { cause });
  });
  const stats = await file.stat();
  const raw = file.createReadStream();
  const share = () => (stats.size > 0 ? Math.min(1, raw.bytesRead / stats.size) : 0);
  const close = () => {
    raw.destroy();
  };
  try {
    const bytes = await beginningOf(raw);
    const isGzip = bytes.first.toString('hex', 0, 2) === '1f8b';
    const text = isGzip ? await beginningOf(gunzip(path, bytes.all())) : bytes;
    const format = formatOf(path, text.first);
    if (format !== 'parquet') return { format, chunks: text.all(), share, close };
    if (isGzip) throw notParquet(path, 'Parquet inside gzip (it has compression of its own)');
    if (!stats.isFile()) throw notParquet(path, 'a pipe, which can be read from its beginning only');
    return { format, chunks: text.all(), share, close };
  } catch (error) {
    close();
    throw storageError(path, error);
  }
}

/** The file system's error as ours; any other as it is. */
export function storageError(path: string, error: unknown): unknown {
  if (!(error instanceof Error && 'syscall' in error)) return error;
  return new StorageError(`${path}: cannot be read (${systemCode(error)})`, { path }, { cause: error });
}

/** What a file of Parquet's ending or content is instead of a file that can be read as such. */
function notParquet(path: string, received: string): InvalidInputError {
  return new InvalidInputError(`${path}: expected a Parquet file, received ${received}`, { path });
}

/** A stream of which the first chunk is known; `all` gives it with the rest. */
async function beginningOf(chunks: AsyncIterable<Buffer>) {
  const iterator = chunks[Symbol.asyncIterator]();
  const { value: first = Buffer.alloc(0) } = await iterator.next();
  return {
    first: first as Buffer,
    async *all(): AsyncGenerator<Buffer> {
      yield first;
      yield* { [Symbol.asyncIterator]: () => iterator };
    },
  };
}

function formatOf(path: string, first: Buffer): TableFormat {
  const ending = /\.([a-z]+)(?:\.gz)?$/i.exec(path)?.[1]?.toLowerCase();
  const named = ending === undefined ? undefined : FORMAT_OF_ENDING[ending];
  const isParquet = first.toString('latin1', 0, 4) === PARQUET_MAGIC;
  if (named !== undefined && (named === 'parquet') !== isParquet) {
    if (named === 'parquet') throw notParquet(path, 'a file without its mark at the beginning');
    throw new InvalidInputError(`${path}: expected ${FORMAT_NAMES[named]}, received a Parquet file`, {
      path,
    });
  }
  if (isParquet) return 'parquet';
  return named ?? (/^(?:\uFEFF)?\s*\{/.test(first.toString('utf8', 0, 1024)) ? 'jsonl' : 'csv');
}

/** @throws InvalidInputError when the file is cut short or damaged, or is made to grow beyond all measure */
async function* gunzip(path: string, chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let read = 0;
  let written = 0;
  const counted = async function* () {
    for await (const chunk of chunks) {
      read += chunk.length;
      yield chunk;
    }
  };
  const source = Readable.from(counted());
  const inflated = createGunzip();
  source.on('error', (error) => inflated.destroy(error));
  source.pipe(inflated);
  try {
    for await (const chunk of inflated as AsyncIterable<Buffer>) {
      written += chunk.length;
      if (written > FREE_BYTES && written > MAX_RATIO * read) {
        throw new InvalidInputError(
          `${path}: expected gzip of at most ${MAX_RATIO} times its size, received one that grows beyond; decompress it first`,
          { path },
        );
      }
      yield chunk;
    }
  } catch (error) {
    throw systemCode(error).startsWith('Z_') ? damagedGzip(path, systemCode(error)) : error;
  } finally {
    source.destroy();
  }
}

function damagedGzip(path: string, code: string): InvalidInputError {
  const received = code === 'Z_BUF_ERROR' ? 'one that ends early' : 'a damaged one';
  return new InvalidInputError(`${path}: expected a whole gzip file, received ${received}`, { path });
}

/**
 * Passes text on as it is.
 *
 * @throws InvalidInputError at the first byte that is no UTF-8
 */
export async function* checkedText(
  path: string,
  { format, chunks }: Pick<TableSource, 'format' | 'chunks'>,
): AsyncGenerator<Buffer> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const refuse = (received: string): never => {
    throw new InvalidInputError(`${path}: expected ${FORMAT_NAMES[format]} in UTF-8, received ${received}`, {
      path,
    });
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
