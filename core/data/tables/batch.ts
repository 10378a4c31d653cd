import { InvalidInputError } from '../../errors.ts';
import { describeCell, parseNumber, quote } from '../cells.ts';
import type { Vocabulary } from '../column-builder.ts';

/** Rows of one batch: a few hundred kB in all columns together, and few enough stops between batches. */
export const BATCH_ROWS = 16_384;

/** A cell as formats with types give it; absent and null are one. */
export type Cell = string | number | boolean | null | undefined;

/** A column whose texts become codes of a vocabulary; an absent value is the empty text. */
export interface TextRequest {
  readonly name: string;
  readonly vocabulary: Vocabulary;
}

/** A column of numbers. */
export interface NumberRequest extends NumberRule {
  readonly name: string;
}

export interface NumberRule {
  /** What each value must be, in words: `a score in [0, 1]`. */
  readonly expected: string;
  readonly min: number;
  readonly max: number;
  /** May a value be absent or NaN? It is NaN in the batch then. */
  readonly isOptional: boolean;
}

/** Which columns of a table are wanted, and as what; a column may be asked for several times. */
export interface TableRequest {
  readonly texts: readonly TextRequest[];
  readonly numbers: readonly NumberRequest[];
}

/** A run of rows, column by column. */
export interface RowBatch {
  readonly size: number;
  /** Share of the file that is read with it, up to 1; 0 for a pipe, whose length is not known. */
  readonly share: number;
  /** By text request: [size] codes of its vocabulary. */
  readonly texts: readonly Int32Array[];
  /** By number request: [size] values. */
  readonly numbers: readonly Float64Array[];
  /** Where a row of this batch is, to begin a message with: `t.csv, line 7, column "p"`. */
  place(row: number, column: string): string;
}

/** What a cell holds, by kind and never by value. */
function describeTyped(cell: Cell): string {
  if (cell === null || cell === undefined) return 'an empty cell';
  if (typeof cell === 'string') return describeCell(cell);
  return typeof cell === 'boolean' ? 'true or false' : describeCell(String(cell));
}

/**
 * Number of a cell under a rule.
 *
 * @returns NaN where there is none and none is needed; in words what came instead, where it breaks the rule
 */
export function numberOf(cell: Cell, rule: NumberRule): number | string {
  if (typeof cell === 'boolean') return describeTyped(cell);
  const value = typeof cell === 'number' ? cell : parseNumber(cell ?? '');
  if (value !== null && value >= rule.min && value <= rule.max) return value;
  if (value !== null && Number.isFinite(value)) {
    return value < rule.min ? `a number below ${rule.min}` : `a number above ${rule.max}`;
  }
  const received = describeTyped(cell);
  return rule.isOptional && (received === 'an empty cell' || received === 'NaN') ? Number.NaN : received;
}

/** @param place  of the cell, to begin the message with */
export function refusedNumber(place: string, rule: NumberRule, received: string): InvalidInputError {
  return new InvalidInputError(`${place}: expected ${rule.expected}, received ${received}`, { place });
}

/**
 * Text of a cell: numbers as JavaScript spells them, so that 1 and 1.0 are one text.
 *
 * @returns null for a whole number that float64 does not hold exactly: two of them may share a text
 */
export function textOf(cell: Cell): string | null {
  if (typeof cell === 'number' && Number.isInteger(cell) && !Number.isSafeInteger(cell)) return null;
  return cell === null || cell === undefined ? '' : String(cell);
}

/** @param place  of the cell, to begin the message with */
export function inexactNumber(place: string): InvalidInputError {
  return new InvalidInputError(
    `${place}: expected text or a number, received a whole number beyond 2^53, which is not kept exactly; write it as text`,
    { place },
  );
}

/** Where a problem is, as every message about a table spells it. */
export function cellPlace(path: string, line: number, column: string): string {
  return `${path}, line ${line}, column ${quote(column)}`;
}
