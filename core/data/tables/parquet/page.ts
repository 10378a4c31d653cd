import type { DataReader, DecodedArray, Encoding, PageHeader, SchemaElement } from 'hyparquet';
import { convert, DEFAULT_PARSERS } from 'hyparquet/src/convert.js';
import { deltaBinaryUnpack, deltaByteArray, deltaLengthByteArray } from 'hyparquet/src/delta.js';
import { byteStreamSplit } from 'hyparquet/src/encoding.js';
import { readPlain } from 'hyparquet/src/plain.js';
import { decompress } from './codecs.ts';
import { DamagedPageError, readHybrid } from './hybrid.ts';
import type { ParquetColumn } from './schema.ts';

/** Values of a column for a run of rows. */
export interface Page {
  readonly size: number;
  /** [size] 1 for a row that has a value, 0 for null; null when every row has one. */
  readonly present: Uint8Array | null;
  /** Of the rows that have one: the values, or places in the dictionary. */
  readonly values: DecodedArray;
  readonly isCoded: boolean;
}

/** @throws DamagedPageError, or what a decoder throws at bytes that are not what they should be */
export function readDictionary(bytes: Uint8Array, header: PageHeader, column: ParquetColumn): DecodedArray {
  const content = decompress(column.codec, bytes, header.uncompressed_page_size);
  const size = header.dictionary_page_header?.num_values ?? -1;
  if (size < 0 || size > content.length * 8) throw new DamagedPageError(`a dictionary of ${size} values`);
  return converted(
    readPlain(readerOf(content), column.type, size, column.element.type_length),
    column.element,
  );
}

/** What both versions of a page's header say. */
interface PageContent {
  readonly size: number;
  readonly encoding: Encoding;
  readonly present: Uint8Array | null;
  /** Decompressed values, without levels. */
  readonly body: Uint8Array;
}

interface PageOptions {
  readonly column: ParquetColumn;
  /** Rows that the page may have. */
  readonly limit: number;
}

/**
 * Values of a data page of either version.
 *
 * @throws DamagedPageError, or what a decoder throws at bytes that are not what they should be
 */
export function readPage(bytes: Uint8Array, header: PageHeader, { column, limit }: PageOptions): Page {
  const rows = (header.data_page_header ?? header.data_page_header_v2)?.num_values ?? -1;
  if (!(rows >= 0 && rows <= limit)) throw new DamagedPageError(`${rows} rows where ${limit} are left`);
  const content = firstVersion(bytes, header, column) ?? secondVersion(bytes, header, column);
  const { size, encoding, present, body } = content;
  const count = present === null ? size : present.reduce((sum, one) => sum + one, 0);
  const isCoded = encoding === 'PLAIN_DICTIONARY' || encoding === 'RLE_DICTIONARY';
  const values = isCoded ? readCodes(body, count) : readValues(body, encoding, { column, count });
  if (values.length !== count) throw new DamagedPageError(`${values.length} values instead of ${count}`);
  return { size, present: count === size ? null : present, values, isCoded };
}

/** Levels and values are compressed together. */
function firstVersion(bytes: Uint8Array, header: PageHeader, column: ParquetColumn): PageContent | null {
  const { data_page_header: about, uncompressed_page_size: uncompressed } = header;
  if (about === undefined) return null;
  const { num_values: size, encoding } = about;
  const content = decompress(column.codec, bytes, uncompressed);
  if (!column.isNullable) return { size, encoding, present: null, body: content };
  const start = 4 + readerOf(content).view.getUint32(0, true);
  return { size, encoding, present: readPresent(content, [4, start], size), body: content.subarray(start) };
}

/** Levels come first and are not compressed. */
function secondVersion(bytes: Uint8Array, header: PageHeader, column: ParquetColumn): PageContent {
  const about = header.data_page_header_v2!;
  const { num_values: size, encoding, repetition_levels_byte_length: skipped } = about;
  const start = skipped + about.definition_levels_byte_length;
  const packed = bytes.subarray(start);
  return {
    size,
    encoding,
    present: column.isNullable ? readPresent(bytes, [skipped, start], size) : null,
    body:
      about.is_compressed === false
        ? packed
        : decompress(column.codec, packed, header.uncompressed_page_size - start),
  };
}

function readPresent(bytes: Uint8Array, range: readonly [number, number], size: number): Uint8Array {
  if (range[1] > bytes.length) throw new DamagedPageError('levels that end early');
  const present = new Uint8Array(size);
  readHybrid(bytes, range, { width: 1, out: present });
  return present;
}

function readCodes(bytes: Uint8Array, count: number): Int32Array {
  const codes = new Int32Array(count);
  if (count > 0) readHybrid(bytes, [1, bytes.length], { width: bytes[0]!, out: codes });
  return codes;
}

function readValues(
  bytes: Uint8Array,
  encoding: Encoding,
  { column, count }: { readonly column: ParquetColumn; readonly count: number },
): DecodedArray {
  const { type, element } = column;
  const reader = readerOf(bytes);
  if (encoding === 'PLAIN') return converted(readPlain(reader, type, count, element.type_length), element);
  if (encoding === 'RLE' && type === 'BOOLEAN') {
    const bits = new Uint8Array(count);
    // Four bytes of length come first.
    readHybrid(bytes, [4, bytes.length], { width: 1, out: bits });
    return Array.from(bits, (bit) => bit === 1);
  }
  if (encoding === 'BYTE_STREAM_SPLIT') {
    if (count * 2 > bytes.length) throw new DamagedPageError(`${count} values in ${bytes.length} bytes`);
    return converted(byteStreamSplit(reader, count, type, element.type_length), element);
  }
  return converted(readDelta(reader, encoding, { type, count }), element);
}

function readDelta(
  reader: DataReader,
  encoding: Encoding,
  { type, count }: { readonly type: string; readonly count: number },
): DecodedArray {
  if (encoding === 'DELTA_BINARY_PACKED') {
    const values = type === 'INT32' ? new Int32Array(count) : new BigInt64Array(count);
    if (count > 0) deltaBinaryUnpack(reader, count, values);
    return values;
  }
  const texts = new Array<Uint8Array>(count);
  if (encoding === 'DELTA_LENGTH_BYTE_ARRAY') deltaLengthByteArray(reader, count, texts);
  else if (encoding === 'DELTA_BYTE_ARRAY') deltaByteArray(reader, count, texts);
  else throw new DamagedPageError(`values encoded as ${encoding}`);
  return texts;
}

function readerOf(bytes: Uint8Array): DataReader {
  return { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 };
}

const utf8 = new TextDecoder('utf-8', { fatal: true });
const day = (date: Date) => date.toISOString().slice(0, 10);
const PARSERS = {
  ...DEFAULT_PARSERS,
  stringFromBytes: (bytes: Uint8Array) => utf8.decode(bytes),
  dateFromDays: (days: number) => day(DEFAULT_PARSERS.dateFromDays(days)),
  timestampFromMilliseconds: (time: bigint) => DEFAULT_PARSERS.timestampFromMilliseconds(time).toISOString(),
  timestampFromMicroseconds: (time: bigint) => DEFAULT_PARSERS.timestampFromMicroseconds(time).toISOString(),
  timestampFromNanoseconds: (time: bigint) => DEFAULT_PARSERS.timestampFromNanoseconds(time).toISOString(),
};

/** Stored values as texts, numbers (bigint for 64 bits) and booleans. */
function converted(values: DecodedArray, element: SchemaElement): DecodedArray {
  // Of the decoder, these are what the conversion of a column without parts reads.
  return convert(values, { element, parsers: PARSERS, schemaPath: [] } as never);
}
