import { InvalidInputError, isCounterweightError } from '../errors.ts';
import type { AuditChunk } from '../fairness/accumulator.ts';
import type { Vocabularies } from '../fairness/grouping.ts';
import type { InputFacts } from '../fairness/input-facts.ts';
import { type Attributes, openAttributes } from './attributes.ts';
import { quote } from './cells.ts';
import type { Columns } from './columns.ts';
import type { JoinRequest } from './groups/join.ts';
import { openOutcomes } from './outcomes.ts';
import { requireCell } from './samples.ts';
import { makeSlots, type Slots } from './slots.ts';
import { type ReadHooks, readBatches } from './table.ts';
import { type NumberRule, type RowBatch, refusedNumber } from './tables/batch.ts';

/** Squares and sums of weights between these keep all digits of float64; beyond, they vanish or overflow. */
const [LEAST_WEIGHT, MOST_WEIGHT] = [1e-100, 1e100];

const WEIGHT_RULE: NumberRule = {
  expected: `a weight, 0 or a number from ${LEAST_WEIGHT} to ${MOST_WEIGHT}`,
  min: 0,
  max: MOST_WEIGHT,
  isOptional: false,
};

/** A table of what a model answered, and how it is to be read. */
export interface PredictionsRequest {
  readonly path: string;
  readonly columns: Columns;
  /** Rows of this split only. */
  readonly only?: string | undefined;
  readonly join?: JoinRequest | undefined;
  /** Rows beyond which the table is refused. */
  readonly mostRows?: number;
  /** Of each pass over one of the tables. */
  readonly hooks?: ReadHooks;
}

/** A table of predictions on its way into an audit. */
export interface PredictionSource {
  /** The classes that are each audited against the others; null for two classes. */
  readonly classes: readonly string[] | null;
  /** Runs of rows, each as one chunk, or as one of each class. To be read once. */
  chunks(): AsyncGenerator<readonly AuditChunk[]>;
  /** What the codes of the chunks stand for; to be called after the last of them. */
  finish(): { readonly vocabularies: Vocabularies; readonly input: InputFacts };
}

/** The table has more rows than were asked for; `details.mostRows` says how many. */
export function isTooLong(error: unknown): boolean {
  return isCounterweightError(error) && 'mostRows' in error.details;
}

/**
 * Opens a table of predictions: CSV, JSONL or Parquet. Memory is of one batch, of the distinct groups and subjects,
 * and of the identifiers of a second table.
 *
 * @throws InvalidInputError when columns contradict each other, or the second table is refused; its chunks and
 *   `finish` throw it for what they find in the rows, naming line (row, for Parquet) and column
 */
export async function openPredictions(request: PredictionsRequest): Promise<PredictionSource> {
  const { path, columns, only, join, hooks, mostRows = Number.POSITIVE_INFINITY } = request;
  if (only !== undefined && columns.split === undefined) {
    throw new InvalidInputError(
      'only: expected a column of splits (columns.split, --split-column) as well, received none',
      {
        where: 'only',
      },
    );
  }
  const slots = makeSlots(path);
  const outcomes = openOutcomes({ path, columns, slots });
  const features = await openAttributes({ path, columns, join, slots, hooks });
  const side = openSideColumns(columns, slots);
  const facts = startFacts(features);
  const chunksOf = (batch: RowBatch): readonly AuditChunk[] => {
    const groups = features.attributes.map((attribute) => attribute.read(batch));
    const shared = { groups, ...side.read(batch) };
    const chunks = outcomes.read(batch).map((outcome) => ({ ...shared, ...outcome }));
    const kept = only === undefined ? null : side.rowsOf(only, batch);
    return kept === null ? chunks : chunks.map((chunk) => select(chunk, kept));
  };
  return {
    classes: outcomes.classes,
    async *chunks() {
      for await (const batch of readBatches(path, slots.request, hooks)) {
        const chunks = chunksOf(batch);
        facts.add(batch.size, chunks[0]!);
        if (facts.rows() > mostRows) throw tooLong(path, mostRows);
        if (chunks[0]!.labels.length > 0) yield chunks;
      }
      if (facts.audited() === 0) throw noRows(only!, facts.rows());
    },
    finish() {
      outcomes.finish();
      const attributes = features.attributes.map((attribute) => attribute.finish());
      const strata = side.strata();
      return { vocabularies: { attributes, ...(strata && { strata }) }, input: facts.finish(attributes) };
    },
  };
}

/** Columns that rows may have besides truth, answers and groups. */
function openSideColumns(columns: Columns, slots: Slots) {
  const text = (name: string | undefined, isLimited = false) =>
    name === undefined ? null : slots.text(name, { check: requireCell, isLimited });
  const subjects = text(columns.subject);
  const strata = text(columns.stratum, true);
  const splits = text(columns.split);
  const weights = columns.weight === undefined ? null : openWeights(columns.weight, slots);
  return {
    read: (batch: RowBatch) => ({
      weights: weights?.(batch) ?? null,
      subjects: subjects?.read(batch) ?? null,
      strata: strata?.read(batch) ?? null,
    }),
    rowsOf: (split: string, batch: RowBatch) =>
      rowsWith(splits!.read(batch), splits!.vocabulary.texts.indexOf(split)),
    strata: () => strata?.vocabulary.texts,
  };
}

function openWeights(column: string, slots: Slots): (batch: RowBatch) => Float64Array {
  const read = slots.number(column, WEIGHT_RULE);
  return (batch) => {
    const weights = read(batch);
    const row = weights.findIndex((weight) => weight > 0 && weight < LEAST_WEIGHT);
    if (row < 0) return weights;
    throw refusedNumber(batch.place(row, column), WEIGHT_RULE, `a number below ${LEAST_WEIGHT}`);
  };
}

function startFacts({ attributes, bins, join }: Attributes) {
  let rows = 0;
  let audited = 0;
  const missing = attributes.map(() => 0);
  return {
    rows: () => rows,
    audited: () => audited,
    add(size: number, { labels, groups }: AuditChunk) {
      rows += size;
      audited += labels.length;
      groups.forEach((codes, place) => {
        missing[place]! += rowsWith(codes, attributes[place]!.missingCode()).length;
      });
    },
    finish(named: Vocabularies['attributes']): InputFacts {
      const joined = join();
      const found = named.map(({ name }, place) => ({ sensitiveFeature: name, rows: missing[place]! }));
      return {
        rows,
        audited,
        missing: found.filter((each) => each.rows > 0),
        bins,
        ...(joined && { join: joined }),
      };
    },
  };
}

/** Rows of a code; none where it is -1. */
function rowsWith(codes: Int32Array, wanted: number): Int32Array {
  const rows = new Int32Array(codes.length);
  let size = 0;
  codes.forEach((code, row) => {
    if (code === wanted) rows[size++] = row;
  });
  return rows.subarray(0, size);
}

function select(chunk: AuditChunk, rows: Int32Array): AuditChunk {
  const codes = (values: Int32Array) => rows.map((row) => values[row]!);
  const numbers = (values: Float64Array) => Float64Array.from(rows, (row) => values[row]!);
  return {
    labels: codes(chunk.labels),
    groups: chunk.groups.map(codes),
    scores: chunk.scores && numbers(chunk.scores),
    predictions: chunk.predictions && codes(chunk.predictions),
    weights: chunk.weights && numbers(chunk.weights),
    subjects: chunk.subjects && codes(chunk.subjects),
    strata: chunk.strata && codes(chunk.strata),
  };
}

function noRows(only: string, size: number): InvalidInputError {
  return new InvalidInputError(
    `only ${quote(only)}: expected a split with rows, received none among ${size}`,
    { where: 'only', only },
  );
}

function tooLong(path: string, mostRows: number): InvalidInputError {
  return new InvalidInputError(`${path}: expected at most ${mostRows} rows, received more`, {
    path,
    mostRows,
  });
}
