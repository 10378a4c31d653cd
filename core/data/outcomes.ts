import { InvalidInputError } from '../errors.ts';
import { quote } from './cells.ts';
import type { Columns } from './columns.ts';
import { labelCoding, predictionCoding } from './labels.ts';
import { requireCell } from './samples.ts';
import type { Slots, TextSlot } from './slots.ts';
import type { NumberRule, RowBatch } from './tables/batch.ts';

/** Truth and answers of a batch for one audit: of two classes, or of one class against the others. */
interface Outcome {
  /** [size] 0 or 1 */
  readonly labels: Int32Array;
  readonly scores: Float64Array | null;
  /** [size] 0 or 1; null where scores meet a threshold */
  readonly predictions: Int32Array | null;
}

export interface Outcomes {
  /** null for two classes */
  readonly classes: readonly string[] | null;
  /** One outcome, or one of each class. */
  read(batch: RowBatch): readonly Outcome[];
  /** @throws InvalidInputError when the labels or predictions of the whole table do not fit together */
  finish(): void;
}

const SCORE_RULE: NumberRule = { expected: 'a score in [0, 1]', min: 0, max: 1, isOptional: false };
const NUMBER_RULE: NumberRule = {
  expected: 'a number, since labels have a threshold',
  min: -Number.MAX_VALUE,
  max: Number.MAX_VALUE,
  isOptional: false,
};

interface Request {
  readonly path: string;
  readonly columns: Columns;
  readonly slots: Slots;
}

/**
 * How the columns say what is true of a row and what the model answered.
 *
 * @throws InvalidInputError when they do not say so, or twice
 */
export function openOutcomes(request: Request): Outcomes {
  const { columns } = request;
  const classes = columns.classes ?? (columns.classScores && Object.keys(columns.classScores));
  return classes === undefined ? twoClasses(request) : severalClasses(request, classes);
}

function twoClasses({ path, columns, slots }: Request): Outcomes {
  const labels = openLabels({ path, columns, slots });
  const answer = answerColumn(path, columns);
  if (answer.kind === 'score') {
    const scores = slots.number(answer.column, SCORE_RULE);
    return {
      classes: null,
      read: (batch) => [{ labels: labels.read(batch), scores: scores(batch), predictions: null }],
      finish: labels.finish,
    };
  }
  const predictions = openPredictions({ path, columns, slots }, answer.column, labels.texts);
  return {
    classes: null,
    read: (batch) => [{ labels: labels.read(batch), scores: null, predictions: predictions.read(batch) }],
    finish() {
      labels.finish();
      predictions.finish();
    },
  };
}

function answerColumn(
  path: string,
  { score, prediction }: Columns,
): { readonly kind: 'score' | 'prediction'; readonly column: string } {
  if (score !== undefined && prediction === undefined) return { kind: 'score', column: score };
  if (prediction !== undefined && score === undefined) return { kind: 'prediction', column: prediction };
  const received = score === undefined ? 'neither' : 'both';
  throw new InvalidInputError(
    `${path}: expected a score column or a prediction column, received ${received} (--score, --prediction)`,
    { path, received },
  );
}

interface CodedColumn {
  /** [size] 0 or 1 */
  read(batch: RowBatch): Int32Array;
  finish(): void;
  /** Distinct labels so far; empty for numbers. */
  readonly texts: readonly string[];
}

function openLabels({ path, columns, slots }: Request): CodedColumn {
  const { label, labelThreshold, positiveLabel } = columns;
  if (labelThreshold !== undefined) {
    const values = slots.number(label, NUMBER_RULE);
    const read = (batch: RowBatch) =>
      Int32Array.from(values(batch), (value) => (value > labelThreshold ? 1 : 0));
    return { read, finish() {}, texts: [] };
  }
  const slot = slots.text(label, { check: requireCell, isLimited: true });
  const { texts } = slot.vocabulary;
  const where = `${path}, column ${quote(label)}`;
  const positives = columns.positiveLabels ?? (positiveLabel === undefined ? undefined : [positiveLabel]);
  const code = (text: string) => ((positives?.includes(text) ?? isPositive(text)) ? 1 : 0);
  const check = () => {
    if (columns.positiveLabels === undefined) labelCoding(texts, { positiveLabel, where });
    else requirePositives(where, columns.positiveLabels, texts);
  };
  const { read } = coded(slot, code);
  return {
    texts,
    read(batch) {
      const labels = read(batch);
      // Later rows could not make more than two labels fit.
      if (texts.length > 2 && columns.positiveLabels === undefined) check();
      return labels;
    },
    finish: check,
  };
}

function requirePositives(where: string, positives: readonly string[], texts: readonly string[]): void {
  const absent = positives.find((label) => !texts.includes(label));
  if (absent === undefined) return;
  throw new InvalidInputError(
    `${where}: expected each positive label in some row, received none with ${quote(absent)}`,
    { where },
  );
}

function openPredictions(
  { path, columns, slots }: Request,
  column: string,
  labels: readonly string[],
): Pick<CodedColumn, 'read' | 'finish'> {
  const { positiveLabel, positiveLabels, labelThreshold } = columns;
  const slot = slots.text(column, { check: requireCell, isLimited: true });
  const { texts } = slot.vocabulary;
  const where = `${path}, column ${quote(column)}`;
  const isNumeric = positiveLabels !== undefined || labelThreshold !== undefined;
  /** As it looks so far: whether 0 and 1 are predictions of labels that are words shows when all labels are known. */
  const code = (text: string) => {
    if (positiveLabel === undefined) return positiveLabels?.includes(text) || isPositive(text) ? 1 : 0;
    return text === positiveLabel || (isPositive(text) && !labels.includes(text)) ? 1 : 0;
  };
  const { read, used } = coded(slot, code);
  return {
    read,
    finish() {
      if (isNumeric) {
        requireDecisions(where, texts, positiveLabels ? [...labels] : []);
        return;
      }
      const coding = predictionCoding(texts, { positiveLabel, labels, where });
      if (texts.every((text, place) => coding(text) === used[place])) return;
      throw new InvalidInputError(
        `${where}: expected predictions spelled as the labels are, received 0 or 1 that is a label too`,
        { where },
      );
    },
  };
}

/** Where many labels become two classes, a prediction is one of those labels, or 0/1, true/false. */
function requireDecisions(where: string, texts: readonly string[], labels: readonly string[]): void {
  if (texts.every((text) => labels.includes(text))) return;
  if (texts.every((text) => DECISION.test(text))) return;
  throw new InvalidInputError(
    `${where}: expected predictions 0/1 or true/false${labels.length > 0 ? ', or labels' : ''}, received others`,
    { where },
  );
}

const POSITIVE = /^(?:1(?:\.0*)?|true)$/i;
const DECISION = /^(?:[01](?:\.0*)?|true|false)$/i;

function isPositive(text: string): boolean {
  return POSITIVE.test(text);
}

/** Looks each text up once, when it is new; `used` are the codes by text, as rows had them. */
function coded({ vocabulary, read }: TextSlot, code: (text: string) => number) {
  const used: number[] = [];
  return {
    used,
    read(batch: RowBatch): Int32Array {
      const codes = read(batch);
      while (used.length < vocabulary.texts.length) used.push(code(vocabulary.texts[used.length]!));
      return codes.map((each) => used[each]!);
    },
  };
}

function severalClasses({ path, columns, slots }: Request, classes: readonly string[]): Outcomes {
  const { label, prediction, classScores } = columns;
  const places = new Map(classes.map((name, place) => [name, place]));
  const classColumn = (name: string) => {
    const check = (place: string, text: string) => {
      if (places.has(text)) return;
      throw new InvalidInputError(
        `${place}: expected one of the ${classes.length} classes, received another value`,
        {
          place,
        },
      );
    };
    return coded(slots.text(name, { check }), (text) => places.get(text) ?? -1).read;
  };
  const labels = classColumn(label);
  const scores = classScores && classes.map((name) => slots.number(classScores[name]!, SCORE_RULE));
  if ((scores === undefined) === (prediction === undefined)) {
    const received = scores === undefined ? 'neither' : 'both';
    throw new InvalidInputError(
      `${path}: expected a prediction column, or a column of scores for each class, received ${received}`,
      { path, received },
    );
  }
  const predictions = prediction === undefined ? null : classColumn(prediction);
  return {
    classes,
    read(batch) {
      const truth = labels(batch);
      const given = scores?.map((read) => read(batch)) ?? null;
      const answers = predictions === null ? highest(given!) : predictions(batch);
      const isClass = (values: Int32Array, place: number) => values.map((value) => (value === place ? 1 : 0));
      return classes.map((_, place) => ({
        labels: isClass(truth, place),
        scores: given?.[place] ?? null,
        predictions: isClass(answers, place),
      }));
    },
    finish() {},
  };
}

/** Place of the highest score of each row, the first of equal ones. */
function highest(scores: readonly Float64Array[]): Int32Array {
  return Int32Array.from(scores[0]!, (_, row) =>
    scores.reduce((best, own, place) => (own[row]! > scores[best]![row]! ? place : best), 0),
  );
}
