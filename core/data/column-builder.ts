import { cleanText } from './cells.ts';

const FIRST_CAPACITY = 1024;

interface NumberArrayConstructor<A> {
  new (length: number): A;
}

export interface NumberColumn<A> {
  push(value: number): void;
  /** [N] the values so far, without spare room */
  finish(): A;
}

/** A typed array that grows by doubling: a long column costs its element size per row, not an object. */
export function makeNumberColumn<A extends Int32Array | Float64Array>(
  ArrayKind: NumberArrayConstructor<A>,
): NumberColumn<A> {
  let values = new ArrayKind(FIRST_CAPACITY);
  let size = 0;
  return {
    push(value) {
      if (size === values.length) {
        const larger = new ArrayKind(size * 2);
        larger.set(values);
        values = larger;
      }
      values[size] = value;
      size += 1;
    },
    finish: () => values.slice(0, size) as A,
  };
}

export interface TextColumn {
  /** Adds a cell; returns how many distinct values there are now. */
  push(cell: string): number;
  /** Distinct values in order of appearance, outer white space gone; index = code. */
  readonly vocabulary: readonly string[];
  /** [N] index into `vocabulary` */
  codes(): Int32Array;
}

/** A column of few distinct texts, each kept once. */
export function makeTextColumn(): TextColumn {
  const codes = makeNumberColumn(Int32Array);
  const codeOfCell = new Map<string, number>();
  const codeOfName = new Map<string, number>();
  const vocabulary: string[] = [];
  const learn = (cell: string) => {
    const name = cleanText(cell);
    const code = codeOfName.get(name) ?? vocabulary.push(name) - 1;
    codeOfName.set(name, code);
    codeOfCell.set(cell, code);
    return code;
  };
  return {
    push(cell) {
      codes.push(codeOfCell.get(cell) ?? learn(cell));
      return vocabulary.length;
    },
    vocabulary,
    codes: codes.finish,
  };
}

/** The texts of a column by row; equal texts share one string. */
export function textsOf(column: TextColumn): string[] {
  return Array.from(column.codes(), (code) => column.vocabulary[code]!);
}
