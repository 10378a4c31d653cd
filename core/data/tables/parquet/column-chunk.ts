import type { FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import type { ColumnMetaData, DecodedArray, PageHeader } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { DamagedPageError } from './hybrid.ts';
import { type Page, readDictionary, readPage } from './page.ts';
import type { ParquetColumn } from './schema.ts';

/** Bytes that are read ahead. */
const WINDOW_BYTES = 2 ** 18;
/** A header holds sizes and, of some writers, the least and the largest value. */
const HEADER_BYTES = 2 ** 16;
/** Bytes of one page, compressed or not; writers aim at one MiB. */
const MAX_PAGE_BYTES = 2 ** 28;
/** Rows of one page; writers aim at some 20,000. */
const MAX_PAGE_ROWS = 2 ** 24;

/** A page is larger than any that a writer makes; the message says how large. */
export class HugePageError extends Error {}

export interface ColumnChunk {
  /** Null at the end of the chunk. */
  next(): Promise<Page | null>;
  /** What codes stand for; null until a page with codes has come. */
  dictionary(): DecodedArray | null;
}

/**
 * Pages of one column of one row group, one after the other.
 *
 * @param rows  of the row group
 * @throws from `next`: HugePageError, DamagedPageError or whatever a decoder throws at damaged bytes
 */
export function openColumnChunk(
  file: FileHandle,
  chunk: ColumnMetaData,
  { column, rows }: { readonly column: ParquetColumn; readonly rows: number },
): ColumnChunk {
  const first = Number(chunk.dictionary_page_offset ?? 0n) || Number(chunk.data_page_offset);
  const start = Math.min(first, Number(chunk.data_page_offset));
  const end = start + Number(chunk.total_compressed_size);
  const read = makeWindow(file, end);
  let position = start;
  let left = rows;
  let dictionary: DecodedArray | null = null;
  const nextHeader = async (): Promise<PageHeader> => {
    const bytes = await read(position, Math.min(HEADER_BYTES, end - position));
    const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 };
    const header = parquetHeader(reader);
    position += reader.offset;
    assertSizes(header, end - position);
    return header;
  };
  const nextPage = async () => {
    if (position >= end) throw new DamagedPageError(`${left} rows are absent`);
    const header = await nextHeader();
    const bytes = await read(position, header.compressed_page_size);
    position += header.compressed_page_size;
    if (header.crc !== undefined && crc32(bytes) !== header.crc >>> 0) {
      throw new DamagedPageError('a wrong checksum');
    }
    return { header, bytes };
  };
  return {
    async next() {
      while (left > 0) {
        const { header, bytes } = await nextPage();
        if (header.type === 'DICTIONARY_PAGE') dictionary = readDictionary(bytes, header, column);
        else if (header.type !== 'INDEX_PAGE') {
          const page = readPage(bytes, header, { column, limit: left });
          left -= page.size;
          return page;
        }
      }
      return null;
    },
    dictionary: () => dictionary,
  };
}

function assertSizes(header: PageHeader, bytesLeft: number): void {
  const { compressed_page_size: compressed, uncompressed_page_size: size } = header;
  if (!(compressed >= 0 && compressed <= bytesLeft && size >= 0))
    throw new DamagedPageError('a page of impossible size');
  if (size > MAX_PAGE_BYTES) throw new HugePageError(`a page of ${size} bytes`);
  const rows = (header.data_page_header ?? header.data_page_header_v2)?.num_values ?? 0;
  if (rows > MAX_PAGE_ROWS) throw new HugePageError(`a page of ${rows} rows`);
}

/** Bytes of a file by place; neighbouring ones come from one read. */
function makeWindow(file: FileHandle, end: number) {
  let from = 0;
  let bytes = new Uint8Array(0);
  return async (position: number, length: number): Promise<Uint8Array> => {
    if (position < from || position + length > from + bytes.length) {
      // A new array each time: values of pages that are not compressed lie in the old one.
      const window = new Uint8Array(Math.max(length, Math.min(WINDOW_BYTES, end - position)));
      const { bytesRead } = await file.read(window, 0, window.length, position);
      if (bytesRead < length) throw new DamagedPageError('the file ends early');
      from = position;
      bytes = window.subarray(0, bytesRead);
    }
    return bytes.subarray(position - from, position - from + length);
  };
}
