import { InvalidInputError } from '../errors.ts';
import { plural, quote } from './cells.ts';

/** Distinct values up to which a vocabulary counts as public and is named in a message. */
const MAX_NAMED = 10;
/** Longest value that is named. */
const MAX_NAME_LENGTH = 40;

const NUMERIC_LABEL = /^[01](?:\.0*)?$/;
const BOOLEAN_LABEL = /^(?:true|false)$/i;

/** 1 for the positive label, 0 for the other. */
export type LabelCoding = (label: string) => 0 | 1;

export interface LabelOptions {
  readonly positiveLabel?: string | undefined;
  /** File and column, to begin a message with. */
  readonly where: string;
}

/**
 * How the labels of a column become 0 and 1: `positiveLabel` is 1 and the one other value 0; without it, labels
 * must be 0/1 (also 0.0/1.0) or true/false in any case.
 *
 * @param vocabulary  the distinct labels of the column, none empty
 * @throws InvalidInputError for more than two values, values that need a `positiveLabel`, or one that no row has
 */
export function labelCoding(vocabulary: readonly string[], options: LabelOptions): LabelCoding {
  const { positiveLabel, where } = options;
  if (isCoded(vocabulary) && positiveLabel === undefined) return codedLabel;
  const details = { where, distinct: vocabulary.length };
  if (vocabulary.length > 2) {
    throw new InvalidInputError(`${where}: expected two labels, received ${nameAll(vocabulary)}`, details);
  }
  if (positiveLabel === undefined) {
    throw new InvalidInputError(
      `${where}: expected labels 0/1 or true/false, received ${nameAll(vocabulary)}; ` +
        'say which one means 1 (positiveLabel, --positive-label)',
      details,
    );
  }
  if (!vocabulary.includes(positiveLabel)) {
    throw new InvalidInputError(
      `${where}: expected the positive label ${quote(positiveLabel)} in some row, received ${nameAll(vocabulary)}`,
      details,
    );
  }
  return (label) => (label === positiveLabel ? 1 : 0);
}

export interface PredictionLabelOptions extends LabelOptions {
  /** Distinct values of the label column. */
  readonly labels: readonly string[];
}

/**
 * How a column of predictions becomes 0 and 1: spelled as the labels are, or as 0/1 or true/false where the labels
 * are words. Predictions that are all of one class are as good as any.
 *
 * @param vocabulary  the distinct predictions, none empty
 * @throws InvalidInputError when they are spelled neither way
 */
export function predictionCoding(
  vocabulary: readonly string[],
  options: PredictionLabelOptions,
): LabelCoding {
  const { positiveLabel, labels, where } = options;
  const labelsAreWords = !labels.some((label) => isNumeric(label) || BOOLEAN_LABEL.test(label));
  if (isCoded(vocabulary) && (positiveLabel === undefined || labelsAreWords)) return codedLabel;
  const both = new Set([...labels, ...vocabulary]);
  if (positiveLabel !== undefined && both.size <= 2) return (label) => (label === positiveLabel ? 1 : 0);
  throw new InvalidInputError(
    `${where}: expected predictions spelled as the labels are (${nameAll(labels)}), received ${nameAll(vocabulary)}`,
    { where, distinct: vocabulary.length },
  );
}

/** One family or the other: a mixture of numbers and words is a mistake in the file. */
function isCoded(vocabulary: readonly string[]): boolean {
  return (
    vocabulary.every((label) => NUMERIC_LABEL.test(label)) ||
    vocabulary.every((label) => BOOLEAN_LABEL.test(label))
  );
}

function codedLabel(label: string): 0 | 1 {
  return label.startsWith('1') || label.toLowerCase() === 'true' ? 1 : 0;
}

function isNumeric(label: string): boolean {
  return label !== '' && Number.isFinite(Number(label));
}

function nameAll(vocabulary: readonly string[]): string {
  const count = plural(vocabulary.length, 'distinct value');
  const isPublic =
    vocabulary.length <= MAX_NAMED && vocabulary.every((label) => label.length <= MAX_NAME_LENGTH);
  return isPublic ? `${count}: ${[...vocabulary].sort().map(quote).join(', ')}` : count;
}
