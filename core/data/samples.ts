import { InvalidInputError } from '../errors.ts';
import type { SensitiveFeature } from '../fairness/types.ts';
import { cleanText, parseNumber, quote } from './cells.ts';
import { makeTextColumn, type TextColumn, textsOf } from './column-builder.ts';
import type { Columns } from './columns.ts';
import { type LabelCoding, labelCoding } from './labels.ts';
import type { TableRow } from './table.ts';
import { cellPlace } from './tables/batch.ts';
import { MISSING_GROUP, type Samples } from './types.ts';

/** Distinct values above which a column is taken for an identifier or a measurement, not for groups or labels. */
export const MAX_GROUPS = 1000;

/** Longest text that may be a group's number; `DECIMAL` backtracks on long ones. */
const MAX_NUMBER_LENGTH = 40;
const DECIMAL = /^([+-]?)0*(\d*)(?:\.(\d*?)0*)?$/;

export interface SampleReader {
  /** Columns that `add` expects as the first cells of each row. */
  readonly columns: readonly string[];
  add(row: TableRow): void;
  /** Distinct labels so far. */
  readonly labelVocabulary: readonly string[];
  finish(): Samples;
}

/**
 * Collects what every table of samples has: labels, sensitive features, subjects, splits.
 *
 * Groups are the trimmed texts of a column in code unit order; an empty cell belongs to `(missing)`, which comes
 * last and is never dropped.
 *
 * @param path  of the table, to name it in messages
 * @returns a reader that throws InvalidInputError from `add` and `finish`, naming line or column
 */
export function makeSampleReader(path: string, columns: Columns): SampleReader {
  const labels = makeColumnReader(path, columns.label, requireCell);
  const features = columns.sensitiveFeatures.map((name) => makeColumnReader(path, name, checkGroup));
  const optional = (name: string | undefined) =>
    name === undefined ? [] : [makeColumnReader(path, name, requireCell)];
  const subjects = optional(columns.subject);
  const splits = optional(columns.split);
  const readers = [labels, ...features, ...subjects, ...splits];
  const limited = new Set([labels, ...features]);
  return {
    columns: readers.map(({ name }) => name),
    labelVocabulary: labels.column.vocabulary,
    add({ line, cells }) {
      readers.forEach((reader, index) => {
        const distinct = reader.add(line, cells[index]!);
        if (distinct > MAX_GROUPS && limited.has(reader)) throw tooManyValues(path, reader.name);
      });
    },
    finish() {
      const where = `${path}, column ${quote(labels.name)}`;
      const { classes, positiveLabel } = columns;
      const { vocabulary } = labels.column;
      const coding = classes
        ? classCoding(vocabulary, { classes, where })
        : labelCoding(vocabulary, { positiveLabel, where });
      const values = codeLabels(labels.column, coding);
      return {
        size: values.length,
        labels: values,
        ...(classes && { classNames: classes }),
        sensitiveFeatures: features.map(({ name, column }) => sensitiveFeature(path, name, column)),
        ...(subjects[0] === undefined ? {} : { subjects: textsOf(subjects[0].column) }),
        ...(splits[0] === undefined ? {} : { splits: textsOf(splits[0].column) }),
      };
    },
  };
}

/** The index of each class. */
function classCoding(
  vocabulary: readonly string[],
  { classes, where }: { readonly classes: readonly string[]; readonly where: string },
): (text: string) => number {
  const unknown = vocabulary.find((text) => !classes.includes(text));
  if (unknown !== undefined) {
    throw new InvalidInputError(
      `${where}: expected labels among the classes (${classes.join(', ')}), received ${quote(unknown)}`,
      { where },
    );
  }
  return (text) => classes.indexOf(text);
}

/** [N] 0 or 1, or the index of a class, for each row of a column of labels or predictions. */
function codeLabels(column: TextColumn, coding: LabelCoding | ((text: string) => number)): Int32Array {
  const labelOfCode = column.vocabulary.map(coding);
  return column.codes().map((code) => labelOfCode[code]!);
}

/** Refuses an empty cell; `place` begins the message. */
export function requireCell(place: string, cell: string): void {
  if (cell.trim() === '') {
    throw new InvalidInputError(`${place}: expected a value, received an empty cell`, { place });
  }
}

interface ColumnReader {
  readonly name: string;
  readonly column: TextColumn;
  /** Adds a checked cell; returns how many distinct values there are now. */
  add(line: number, cell: string): number;
}

/** A text column whose cells are checked as they come. */
function makeColumnReader(
  path: string,
  name: string,
  check: (place: string, cell: string) => void,
): ColumnReader {
  const column = makeTextColumn();
  let known = 0;
  return {
    name,
    column,
    add(line, cell) {
      const distinct = column.push(cell);
      // A value seen before has passed its check.
      if (distinct > known) check(cellPlace(path, line, name), cell);
      known = distinct;
      return distinct;
    },
  };
}

export function checkGroup(place: string, cell: string): void {
  if (cleanText(cell) === MISSING_GROUP) {
    throw new InvalidInputError(
      `${place}: expected a group, received ${quote(MISSING_GROUP)}, which names the rows without one; leave the cell empty`,
      { place },
    );
  }
}

export function tooManyValues(path: string, column: string): InvalidInputError {
  return new InvalidInputError(
    `${path}, column ${quote(column)}: expected at most ${MAX_GROUPS} distinct values, received more ` +
      '(an identifier or a measurement?)',
    { path, column },
  );
}

function sensitiveFeature(path: string, name: string, column: TextColumn): SensitiveFeature {
  const real = sortedGroups(`${path}, column ${quote(name)}`, column.vocabulary);
  const groupNames = real.length < column.vocabulary.length ? [...real, MISSING_GROUP] : real;
  const groupOfName = new Map(groupNames.map((group, index) => [group, index]));
  const groupOfCode = column.vocabulary.map((text) => groupOfName.get(text === '' ? MISSING_GROUP : text)!);
  return { name, groupNames, groups: column.codes().map((code) => groupOfCode[code]!) };
}

/**
 * Names of groups in code unit order, without the empty one.
 *
 * @param where  file and column, to begin a message with
 * @throws InvalidInputError when two of them spell one number
 */
export function sortedGroups(where: string, texts: readonly string[]): string[] {
  const groups = texts.filter((group) => group !== '').sort();
  refuseLookAlikes(where, groups);
  return groups;
}

/** `1`, `1.0` and `01` as three groups mean that a tool upstream rewrote part of the column. */
function refuseLookAlikes(where: string, groups: readonly string[]): void {
  const spellings = new Map<string, string>();
  for (const group of groups) {
    const number = canonicalNumber(group);
    if (number === null) continue;
    const other = spellings.get(number);
    if (other !== undefined) {
      throw new InvalidInputError(
        `${where}: expected one spelling per group, received ${quote(other)} and ${quote(group)} for one number`,
        { where, spellings: [other, group] },
      );
    }
    spellings.set(number, group);
  }
}

/** The number that a text spells, as text, so that long identifiers stay apart; null when it is no decimal. */
export function canonicalNumber(text: string): string | null {
  if (text.length > MAX_NUMBER_LENGTH || parseNumber(text) === null) return null;
  const match = DECIMAL.exec(text);
  if (match === null) return String(Number(text));
  const [, sign, whole, fraction] = match;
  const digits = `${whole}${fraction ? `.${fraction}` : ''}`;
  return `${sign === '-' && digits !== '' ? '-' : ''}${digits}`;
}
