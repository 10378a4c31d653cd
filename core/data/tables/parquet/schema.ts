import type { ColumnMetaData, CompressionCodec, FileMetaData, ParquetType, SchemaElement } from 'hyparquet';
import { parquetSchema } from 'hyparquet';
import { InvalidInputError } from '../../../errors.ts';
import { quote } from '../../cells.ts';
import { findColumns } from '../columns-found.ts';
import { CODECS, isReadable } from './codecs.ts';

/** A column without parts, as the pages of one row group hold it. */
export interface ParquetColumn {
  readonly name: string;
  readonly type: ParquetType;
  readonly element: SchemaElement;
  readonly isNullable: boolean;
  readonly codec: CompressionCodec;
}

/** Stored types that are texts or numbers only when a logical type says which. */
const ANNOTATED: readonly ParquetType[] = ['FIXED_LEN_BYTE_ARRAY'];
/** Logical types whose values are neither text nor number nor time. */
const UNREADABLE = ['JSON', 'BSON', 'INTERVAL', 'GEOMETRY', 'GEOGRAPHY', 'VARIANT', 'FILE'];
const TIMES = ['DATE', 'TIMESTAMP', 'TIMESTAMP_MILLIS', 'TIMESTAMP_MICROS'];

/** Names of the columns of a file, those with parts too. */
export function columnNames(metadata: FileMetaData): string[] {
  return parquetSchema(metadata).children.map(({ element }) => element.name);
}

/**
 * Elements of the columns asked for, in that order.
 *
 * @throws InvalidInputError when one is missing, nested, or of a kind that is neither text nor number
 */
export function findElements(
  path: string,
  metadata: FileMetaData,
  asked: readonly string[],
): SchemaElement[] {
  const { children } = parquetSchema(metadata);
  const names = children.map(({ element }) => element.name);
  return findColumns(path, names, asked).map((place) => {
    const { element, children: parts } = children[place]!;
    if (parts.length > 0 || element.repetition_type === 'REPEATED') {
      throw refusedColumn(path, element.name, 'one with parts (list, map or struct)');
    }
    const kind = logicalKind(element);
    if (UNREADABLE.includes(kind)) throw refusedColumn(path, element.name, `one of ${kind}`);
    if (ANNOTATED.includes(element.type!) && kind === '') {
      throw refusedColumn(path, element.name, 'one of bytes');
    }
    return element;
  });
}

/** @throws InvalidInputError for values that are no numbers: true and false, dates, times */
export function requireNumbers(path: string, element: SchemaElement, expected: string): void {
  const received =
    element.type === 'BOOLEAN'
      ? 'true and false'
      : TIMES.includes(logicalKind(element)) || element.type === 'INT96'
        ? 'dates or times'
        : null;
  if (received === null) return;
  throw new InvalidInputError(
    `${path}, column ${quote(element.name)}: expected ${expected} in each row, received ${received}`,
    { path, column: element.name },
  );
}

function logicalKind({ logical_type: logical, converted_type: kind }: SchemaElement): string {
  return kind ?? logical?.type ?? '';
}

/** @throws InvalidInputError when the chunk is encrypted, elsewhere, or compressed by a codec that is not read */
export function columnOf(
  path: string,
  element: SchemaElement,
  chunk: ColumnMetaData | undefined,
): ParquetColumn {
  const { name, type } = element;
  if (chunk === undefined || type === undefined) {
    throw refusedColumn(path, name, 'one that is encrypted or lies in another file');
  }
  if (!isReadable(chunk.codec)) {
    throw new InvalidInputError(
      `${path}, column ${quote(name)}: expected compression by ${CODECS}, received ${chunk.codec}`,
      { path, column: name },
    );
  }
  return { name, type, element, isNullable: element.repetition_type !== 'REQUIRED', codec: chunk.codec };
}

function refusedColumn(path: string, column: string, received: string): InvalidInputError {
  return new InvalidInputError(
    `${path}, column ${quote(column)}: expected a column of texts or numbers, received ${received}`,
    { path, column },
  );
}
