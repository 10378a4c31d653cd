import { makeVocabulary, type Vocabulary } from './column-builder.ts';
import { MAX_GROUPS, tooManyValues } from './samples.ts';
import type { NumberRequest, NumberRule, RowBatch, TableRequest, TextRequest } from './tables/batch.ts';

/** A column of texts that is read batch by batch. */
export interface TextSlot {
  readonly name: string;
  readonly vocabulary: Vocabulary;
  /**
   * [size] codes of the batch
   *
   * @throws InvalidInputError for a text that the check refuses, where it first occurs, and for too many distinct ones
   */
  read(batch: RowBatch): Int32Array;
}

interface TextOptions {
  /** Refuses a text; `place` begins the message. */
  readonly check?: (place: string, text: string) => void;
  readonly vocabulary?: Vocabulary;
  /** Is it for groups or labels, of which there are not many? */
  readonly isLimited?: boolean;
}

/** Columns that several parts of a reader want of one table. */
export interface Slots {
  readonly request: TableRequest;
  text(name: string, options?: TextOptions): TextSlot;
  /** @returns [size] values of a batch */
  number(name: string, rule: NumberRule): (batch: RowBatch) => Float64Array;
}

/** @param path  of the table, to name it in messages */
export function makeSlots(path: string): Slots {
  const texts: TextRequest[] = [];
  const numbers: NumberRequest[] = [];
  return {
    request: { texts, numbers },
    text(name, { check, vocabulary = makeVocabulary(), isLimited = false } = {}) {
      const place = texts.push({ name, vocabulary }) - 1;
      const checkNew = check && makeCheck(name, vocabulary, check);
      return {
        name,
        vocabulary,
        read(batch) {
          const codes = batch.texts[place]!;
          if (isLimited && vocabulary.texts.length > MAX_GROUPS) throw tooManyValues(path, name);
          checkNew?.(batch, codes);
          return codes;
        },
      };
    },
    number(name, rule) {
      const place = numbers.push({ name, ...rule }) - 1;
      return (batch) => batch.numbers[place]!;
    },
  };
}

/** Looks at each text once, in the first row that has it. */
function makeCheck(
  name: string,
  { texts }: Vocabulary,
  check: (place: string, text: string) => void,
): (batch: RowBatch, codes: Int32Array) => void {
  let checked = new Uint8Array(64);
  let count = 0;
  return (batch, codes) => {
    if (count === texts.length) return;
    if (texts.length > checked.length) {
      const larger = new Uint8Array(texts.length * 2);
      larger.set(checked);
      checked = larger;
    }
    codes.forEach((code, row) => {
      if (checked[code] === 1) return;
      check(batch.place(row, name), texts[code]!);
      checked[code] = 1;
      count += 1;
    });
  };
}
