import { InvalidInputError, UnsupportedModelError } from '../errors.ts';
import { ownEntry } from './own-entry.ts';

/** The units of a head in its file, and how the positive one makes a score. */
export interface Units {
  readonly count: number;
  /** Index of the unit whose class counts as positive. */
  readonly positive: number;
  /** Whether the units share a softmax; otherwise what a unit says does not depend on the others. */
  readonly isShared: boolean;
  /** What the model's own output is. */
  readonly output: 'logit' | 'score';
  /** Where each unit stands for a class of the labels and all are tuned; `positive` then means nothing. */
  readonly areClasses?: true;
}

interface Found {
  /** Name of the head, to begin a message with. */
  readonly head: string;
  readonly count: number;
  /** Activations of the head and after it, as the file spells them, without linear ones. */
  readonly activations: readonly string[];
  /** As the user gave it. */
  readonly positiveClass: number | undefined;
  /** Names of the classes of the units, as the user gave them. */
  readonly classes?: readonly string[] | undefined;
}

/** What units are by the activations after them: one alone, and two or more. */
type Kind = Pick<Units, 'isShared' | 'output'>;
const OF_ONE: Readonly<Record<string, Kind>> = {
  '': { isShared: false, output: 'logit' },
  sigmoid: { isShared: false, output: 'score' },
};
const OF_MANY: Readonly<Record<string, Kind>> = {
  '': { isShared: true, output: 'logit' },
  logsoftmax: { isShared: true, output: 'logit' },
  softmax: { isShared: true, output: 'score' },
  sigmoid: { isShared: false, output: 'score' },
};

/**
 * Reads the units of a head. Of two that share a softmax the second is positive unless another is named; of any others
 * one has to be.
 *
 * @throws UnsupportedModelError when activations after the head make no scores of its units
 * @throws InvalidInputError when no unit is named where one has to be, or the one that is named is not there
 */
export function readUnits({ head, count, activations, positiveClass, classes }: Found): Units {
  const received = activations.join(' then ');
  const kind = ownEntry(count === 1 ? OF_ONE : OF_MANY, received.toLowerCase());
  if (kind === undefined) {
    const expected =
      count === 1 ? 'no activation or one sigmoid' : 'no activation, one softmax or one sigmoid';
    throw new UnsupportedModelError(`head "${head}": expected ${expected} after it, received ${received}`, {
      head,
      received: activations,
    });
  }
  if (classes !== undefined) {
    assertClasses({ head, count, positiveClass, classes }, kind);
    return { count, positive: 0, areClasses: true, ...kind };
  }
  return {
    count,
    positive: positiveOf({ head, count, positiveClass }, kind.isShared),
    ...kind,
  };
}

/** Each unit is the logit of one class. */
function assertClasses(
  { head, count, positiveClass, classes = [] }: Omit<Found, 'activations'>,
  { isShared }: Kind,
): void {
  const problem =
    classes.length < 3
      ? `expected three classes at least, received ${classes.length}; two are one label with a positive value`
      : classes.length !== count
        ? `expected a class for each of its ${count} units, in their order, received ${classes.length}`
        : positiveClass !== undefined
          ? 'expected classes or a positive class, received both'
          : isShared
            ? null
            : 'expected one softmax over all classes, received a sigmoid for each';
  if (problem !== null) throw new InvalidInputError(`head "${head}": ${problem}`, { head, units: count });
}

function positiveOf(
  { head, count, positiveClass }: Pick<Found, 'head' | 'count' | 'positiveClass'>,
  isShared: boolean,
): number {
  if (positiveClass === undefined && count === 1) return 0;
  if (positiveClass === undefined && count === 2 && isShared) return 1;
  const isOne = Number.isInteger(positiveClass) && positiveClass! >= 0 && positiveClass! < count;
  if (isOne && count > 1) return positiveClass!;
  const expected =
    count === 1
      ? 'no positive class for its one unit, which makes the score of the positive label'
      : `the positive class among its ${count} units, from 0 to ${count - 1} (--positive-class, positiveClass in a job)`;
  throw new InvalidInputError(`head "${head}": expected ${expected}, received ${positiveClass ?? 'none'}`, {
    head,
    units: count,
    received: positiveClass ?? null,
  });
}

/** What there is to know about a head of several units, in a sentence or two. */
export function notesOnUnits({ count, positive, isShared, output, areClasses }: Units): string[] {
  if (count === 1) return [];
  if (areClasses) {
    return [`Each of the head's ${count} units stands for a class; that of the highest score is predicted.`];
  }
  const unit = `Unit ${positive} of the head's ${count} (the first is 0) is the positive class`;
  if (!isShared) {
    return [
      `${unit}, with a sigmoid of its own. The other units keep their weights, but their scores move with the features, and no audit looks at them.`,
    ];
  }
  const against = count === 2 ? 'the other' : 'the others';
  const assumed =
    output === 'logit' && count > 2
      ? ', which are taken for the logits of one softmax since no activation follows'
      : '';
  return [`${unit} against ${against}${assumed}: its score is the softmax probability of that class.`];
}
