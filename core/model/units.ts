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
}

interface Found {
  /** Name of the head, to begin a message with. */
  readonly head: string;
  readonly count: number;
  /** Activations of the head and after it, as the file spells them, without linear ones. */
  readonly activations: readonly string[];
  /** As the user gave it. */
  readonly positiveClass: number | undefined;
}

/** What units are by the activations after them: one alone, and two or more. */
const OF_ONE: Readonly<Record<string, Pick<Units, 'isShared' | 'output'>>> = {
  '': { isShared: false, output: 'logit' },
  sigmoid: { isShared: false, output: 'score' },
};
const OF_MANY: Readonly<Record<string, Pick<Units, 'isShared' | 'output'>>> = {
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
export function readUnits({ head, count, activations, positiveClass }: Found): Units {
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
  return { count, positive: positiveOf({ head, count, positiveClass }, kind.isShared), ...kind };
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
export function notesOnUnits({ count, positive, isShared, output }: Units): string[] {
  if (count === 1) return [];
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
