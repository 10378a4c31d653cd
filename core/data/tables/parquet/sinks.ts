import type { DecodedArray, SchemaElement } from 'hyparquet';
import {
  type Cell,
  inexactNumber,
  type NumberRequest,
  numberOf,
  refusedNumber,
  type TextRequest,
  textOf,
} from '../batch.ts';
import { DamagedPageError } from './hybrid.ts';
import type { Page } from './page.ts';

/** Place of a row of the page, to begin a message with. */
type PlaceOf = (row: number) => string;

/**
 * What the batches hold of the rows of a page.
 *
 * @param dictionary  what the codes of the page stand for; null for a page of values
 * @throws InvalidInputError for a value that the request refuses, DamagedPageError for a code without a value
 */
export type ColumnSink = (
  page: Page,
  dictionary: DecodedArray | null,
  place: PlaceOf,
) => Int32Array | Float64Array;

/** Codes of a vocabulary. A dictionary is looked up once for each of its values, not once a row. */
export function textSink({ vocabulary }: TextRequest, element: SchemaElement): ColumnSink {
  const spell = speller(element);
  const tables = makeTables((size) => new Int32Array(size).fill(UNKNOWN));
  return (page, dictionary, place) => {
    const learn = (value: unknown, row: number) => {
      const text = spell(value);
      if (text === null) throw inexactNumber(place(row));
      return vocabulary.codeOf(text);
    };
    const read = page.isCoded
      ? throughTable(page, dictionary, {
          table: tables(dictionary),
          learn,
          isKnown: (code) => code !== UNKNOWN,
        })
      : throughMap(page, learn);
    return fill(page, new Int32Array(page.size), { read, readAbsent: () => vocabulary.codeOf('') });
  };
}

/** Numbers, each under the request's rule; NaN where one is absent and may be. */
export function numberSink(request: NumberRequest): ColumnSink {
  const { min, max } = request;
  const tables = makeTables((size) => new Float64Array(size).fill(Number.NaN));
  return (page, dictionary, place) => {
    const learn = (value: unknown, row: number) => {
      const number = numberOf(typeof value === 'bigint' ? Number(value) : (value as Cell), request);
      if (typeof number === 'string') throw refusedNumber(place(row), request, number);
      return number;
    };
    const values = page.values instanceof BigInt64Array ? wide(page.values) : page.values;
    const read = page.isCoded
      ? throughTable(page, dictionary, {
          table: tables(dictionary),
          learn,
          isKnown: (value) => !Number.isNaN(value),
        })
      : (index: number, row: number) => {
          const value = values[index] as number;
          return value >= min && value <= max ? +value : learn(value, row);
        };
    return fill(page, new Float64Array(page.size), { read, readAbsent: (row) => learn(null, row) });
  };
}

/** What the batch holds for the value at a place among the page's values; `row` is where it stands, for messages. */
type ReadValue = (index: number, row: number) => number;

interface Table {
  readonly table: Int32Array | Float64Array;
  readonly learn: (value: unknown, row: number) => number;
  readonly isKnown: (entry: number) => boolean;
}

/** Values by their place in the dictionary, each learnt when the first row has it. */
function throughTable(
  { values }: Page,
  dictionary: DecodedArray | null,
  { table, learn, isKnown }: Table,
): ReadValue {
  return (index, row) => {
    const code = values[index] as number;
    const known = table[code];
    if (known !== undefined && isKnown(known)) return known;
    if (known === undefined) throw new DamagedPageError('a code beyond the dictionary');
    table[code] = learn(dictionary![code], row);
    return table[code]!;
  };
}

function throughMap({ values }: Page, learn: Table['learn']): ReadValue {
  const learnt = new Map<unknown, number>();
  return (index, row) => {
    const value = values[index];
    const known = learnt.get(value);
    if (known !== undefined) return known;
    const code = learn(value, row);
    learnt.set(value, code);
    return code;
  };
}

function fill<A extends Int32Array | Float64Array>(
  { size, present }: Page,
  target: A,
  { read, readAbsent }: { readonly read: ReadValue; readonly readAbsent: (row: number) => number },
): A {
  let index = 0;
  for (let row = 0; row < size; row += 1) {
    const isPresent = present === null || present[row] === 1;
    target[row] = isPresent ? read(index, row) : readAbsent(row);
    if (isPresent) index += 1;
  }
  return target;
}

const UNKNOWN = -1;

/** A table as long as the dictionary, made anew for each dictionary. */
function makeTables<T>(make: (size: number) => T): (dictionary: DecodedArray | null) => T {
  let known: DecodedArray | undefined;
  let table: T | undefined;
  return (dictionary) => {
    if (dictionary === null) throw new DamagedPageError('codes without a dictionary');
    if (dictionary !== known) table = make(dictionary.length);
    known = dictionary;
    return table!;
  };
}

/** 64-bit integers as float64, without an object for each. */
function wide(values: BigInt64Array): Float64Array {
  const halves = new Int32Array(values.buffer, values.byteOffset, values.length * 2);
  return Float64Array.from(
    values,
    (_, index) => halves[2 * index + 1]! * 2 ** 32 + (halves[2 * index]! >>> 0),
  );
}

/** Text of a stored value; null for a number that is not kept exactly. */
function speller({ type }: SchemaElement): (value: unknown) => string | null {
  if (type === 'FLOAT') return (value) => shortestFloat(value as number);
  return (value) => (typeof value === 'bigint' ? String(value) : textOf(value as Cell));
}

/** The fewest digits that are this number in 32 bits: 0.1, not 0.10000000149011612. */
function shortestFloat(value: number): string {
  for (let digits = 1; digits < 9; digits += 1) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return String(short);
  }
  return String(value);
}
