import { InvalidInputError } from '../../errors.ts';
import { cleanText, quote } from '../cells.ts';
import type { Vocabulary } from '../column-builder.ts';
import { makeNumberColumn, makeVocabulary } from '../column-builder.ts';
import { canonicalNumber } from '../samples.ts';
import { type ReadHooks, readBatches } from '../table.ts';
import type { NumberRequest, TextRequest } from '../tables/batch.ts';

/** A second table that holds sensitive features, joined by an identifier. */
export interface JoinRequest {
  readonly path: string;
  /** Column with the identifier in both tables. */
  readonly id: string;
  /** Its name in the second table, where that is another one. */
  readonly otherId?: string;
  /** What becomes of an id that the second table gives several values. */
  readonly conflicts: 'refuse' | 'first' | 'missing';
}

/** How rows of the first table found theirs in the second. */
interface JoinCounts {
  /** Rows of the first table. */
  readonly matched: number;
  readonly unmatched: number;
  /** Rows of the second table that repeat an id with the same values, and with others. */
  readonly duplicate: number;
  readonly conflicting: number;
  /** Identifiers of the second table that no row of the first has. */
  readonly unused: number;
}

/** The features that the second table is to give. */
export interface JoinedFeatures {
  readonly texts: readonly TextRequest[];
  readonly numbers: readonly NumberRequest[];
}

export interface JoinTable {
  /** Codes of identifiers for the first table: place of the entry, 0 for one that is unknown. */
  readonly ids: Vocabulary;
  /** By feature and entry: codes of texts, NaN or a number; entry 0 is missing. */
  readonly texts: readonly Int32Array[];
  readonly numbers: readonly Float64Array[];
  /** Counts rows of the first table by their entries. */
  match(entries: Int32Array): void;
  counts(): JoinCounts;
}

/**
 * Reads the second table; memory grows with its identifiers.
 *
 * @throws InvalidInputError as `readBatches`, for an empty id, and for an id with several values unless asked otherwise
 */
export async function loadJoin(
  request: JoinRequest,
  features: JoinedFeatures,
  hooks?: ReadHooks,
): Promise<JoinTable> {
  const { path, id, otherId = id } = request;
  const known = makeVocabulary();
  const entries = makeEntries(request, features);
  const wanted = {
    texts: [{ name: otherId, vocabulary: known }, ...features.texts],
    numbers: features.numbers,
  };
  for await (const batch of readBatches(path, wanted, hooks)) {
    const [ids, ...values] = [...batch.texts, ...batch.numbers];
    ids!.forEach((code, row) => {
      const place = () => batch.place(row, otherId);
      if (known.texts[code] === '') throw emptyId(place());
      entries.add(
        code,
        values.map((column) => column[row]!),
        place,
      );
    });
  }
  return makeTable(idLookup(request, known.texts), entries);
}

/** Values by identifier, and how often one was repeated. */
interface Entries {
  /** @param code  of the identifier: those of new ones follow each other */
  add(code: number, values: readonly number[], place: () => string): void;
  size(): number;
  readonly counts: { duplicate: number; conflicting: number };
  texts(): Int32Array[];
  numbers(): Float64Array[];
}

function makeEntries({ conflicts }: JoinRequest, features: JoinedFeatures): Entries {
  const texts = features.texts.map(({ vocabulary }) => startColumn(Int32Array, vocabulary.codeOf('')));
  const numbers = features.numbers.map(() => startColumn(Float64Array, Number.NaN));
  const columns = [...texts, ...numbers];
  const counts = { duplicate: 0, conflicting: 0 };
  let size = 0;
  return {
    counts,
    add(code, values, place) {
      if (code === size) {
        columns.forEach((column, index) => {
          column.push(values[index]!);
        });
        size += 1;
        return;
      }
      if (columns.every((column, index) => Object.is(column.at(code), values[index]))) {
        counts.duplicate += 1;
        return;
      }
      counts.conflicting += 1;
      if (conflicts === 'refuse') throw conflict(place());
      if (conflicts === 'missing') for (const column of columns) column.clear(code);
    },
    size: () => size,
    texts: () => texts.map((column) => column.finish()),
    numbers: () => numbers.map((column) => column.finish()),
  };
}

function makeTable(ids: Vocabulary, entries: Entries): JoinTable {
  const isUsed = new Uint8Array(entries.size() + 1);
  const rows = { matched: 0, unmatched: 0 };
  return {
    ids,
    texts: entries.texts(),
    numbers: entries.numbers(),
    match(codes) {
      for (const entry of codes) {
        isUsed[entry] = 1;
        rows[entry === 0 ? 'unmatched' : 'matched'] += 1;
      }
    },
    counts: () => ({
      ...rows,
      ...entries.counts,
      unused: isUsed.subarray(1).filter((used) => used === 0).length,
    }),
  };
}

/** A column by entry; entry 0 is of the rows without one, so that the n-th identifier has entry n + 1. */
function startColumn<A extends Int32Array | Float64Array>(kind: new (length: number) => A, missing: number) {
  const column = makeNumberColumn<A>(kind);
  column.push(missing);
  return {
    push: column.push,
    at: (code: number) => column.at(code + 1),
    clear: (code: number) => column.set(code + 1, missing),
    finish: column.finish,
  };
}

function idLookup({ path, id, otherId = id }: JoinRequest, known: readonly string[]): Vocabulary {
  const entryOf = new Map(known.map((text, code) => [text, code + 1]));
  assertOneSpelling(`${path}, column ${quote(otherId)}`, known, entryOf);
  let numbers: Set<string> | undefined;
  return {
    texts: known,
    codeOf(text) {
      const entry = entryOf.get(text) ?? entryOf.get(cleanText(text));
      if (entry !== undefined) return entry;
      const number = canonicalNumber(cleanText(text));
      if (number === null) return 0;
      numbers ??= new Set(known.flatMap((other) => canonicalNumber(other) ?? []));
      if (!numbers.has(number)) return 0;
      throw new InvalidInputError(
        `column ${quote(id)}: expected identifiers spelled as in ${path}, received one number in two spellings (1 and 1.0, or zeros in front)`,
        { column: id },
      );
    },
  };
}

/** @throws InvalidInputError when two identifiers are spellings of one number */
function assertOneSpelling(
  where: string,
  known: readonly string[],
  entryOf: ReadonlyMap<string, number>,
): void {
  const respelled = new Set<string>();
  const isRepeated = known.some((text) => {
    const number = canonicalNumber(text);
    if (number === null || number === text) return false;
    if (entryOf.has(number) || respelled.has(number)) return true;
    respelled.add(number);
    return false;
  });
  if (!isRepeated) return;
  throw new InvalidInputError(
    `${where}: expected one spelling per identifier, received one number in two spellings (1 and 1.0, or zeros in front)`,
    { where },
  );
}

function emptyId(place: string): InvalidInputError {
  return new InvalidInputError(`${place}: expected an identifier, received an empty cell`, { place });
}

function conflict(place: string): InvalidInputError {
  return new InvalidInputError(
    `${place}: expected the same sensitive features in each row of an identifier, received others than before (--join-conflicts first or missing takes them)`,
    { place },
  );
}
