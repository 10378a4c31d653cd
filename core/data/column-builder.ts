import { cleanText } from './cells.ts';

const FIRST_CAPACITY = 1024;

interface NumberArrayConstructor<A> {
  new (length: number): A;
}

export interface NumberColumn<A> {
  push(value: number): void;
  /** The value at a place below the size. */
  at(index: number): number;
  set(index: number, value: number): void;
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
    at: (index) => values[index]!,
    set(index, value) {
      values[index] = value;
    },
    finish: () => values.slice(0, size) as A,
  };
}

/** Distinct texts and the number that stands for each. */
export interface Vocabulary {
  /** In order of appearance, outer white space gone; index = code. */
  readonly texts: readonly string[];
  /** Code of a text, which is learnt when it is new. */
  codeOf(text: string): number;
}

/** A vocabulary that grows: each text is kept once, however often it comes. */
export function makeVocabulary(): Vocabulary {
  const codeOfText = new Map<string, number>();
  const codeOfName = new Map<string, number>();
  const texts: string[] = [];
  const learn = (text: string) => {
    const name = cleanText(text);
    const code = codeOfName.get(name) ?? texts.push(name) - 1;
    codeOfName.set(name, code);
    codeOfText.set(text, code);
    return code;
  };
  return { texts, codeOf: (text) => codeOfText.get(text) ?? learn(text) };
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
  const { texts, codeOf } = makeVocabulary();
  return {
    push(cell) {
      codes.push(codeOf(cell));
      return texts.length;
    },
    vocabulary: texts,
    codes: codes.finish,
  };
}

/** The texts of a column by row; equal texts share one string. */
export function textsOf(column: TextColumn): string[] {
  return Array.from(column.codes(), (code) => column.vocabulary[code]!);
}
