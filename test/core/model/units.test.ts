import { describe, expect, test } from 'vitest';
import { notesOnUnits, readUnits } from '../../../core/model/units.ts';

const read = (count: number, activations: readonly string[], positiveClass?: number) =>
  readUnits({ head: 'head', count, activations, positiveClass });

describe('readUnits', () => {
  test.each([
    [1, [], undefined, { positive: 0, isShared: false, output: 'logit' }],
    [1, ['Sigmoid'], undefined, { positive: 0, isShared: false, output: 'score' }],
    [2, [], undefined, { positive: 1, isShared: true, output: 'logit' }],
    [2, ['softmax'], undefined, { positive: 1, isShared: true, output: 'score' }],
    [2, ['softmax'], 0, { positive: 0, isShared: true, output: 'score' }],
    [2, ['sigmoid'], 1, { positive: 1, isShared: false, output: 'score' }],
    [7, ['LogSoftmax'], 6, { positive: 6, isShared: true, output: 'logit' }],
    [14, ['Sigmoid'], 0, { positive: 0, isShared: false, output: 'score' }],
  ] as const)('reads %i units behind %j, of which %s is named', (count, activations, named, expected) => {
    expect(read(count, activations, named)).toEqual({ count, ...expected });
  });

  test.each([
    [
      3,
      [],
      undefined,
      /^head "head": expected the positive class among its 3 units, from 0 to 2 \(--positive-class, positiveClass in a job\), received none$/,
    ],
    [2, ['sigmoid'], undefined, /among its 2 units/],
    [3, [], 3, /from 0 to 2 .* received 3$/],
    [3, [], -1, /received -1$/],
    [3, [], 0.5, /received 0.5$/],
    [3, [], Number.NaN, /received NaN$/],
    [
      1,
      [],
      0,
      /^head "head": expected no positive class for its one unit, which makes the score of the positive label, received 0$/,
    ],
  ] as const)('of %i units behind %j refuses %s', (count, activations, named, message) => {
    expect(() => read(count, activations, named)).toThrow(
      expect.objectContaining({ code: 'INVALID_INPUT', message: expect.stringMatching(message) }),
    );
  });

  test.each([
    [1, ['softmax'], /expected no activation or one sigmoid after it, received softmax$/],
    [3, ['tanh'], /expected no activation, one softmax or one sigmoid after it, received tanh$/],
    [3, ['softmax', 'sigmoid'], /received softmax then sigmoid$/],
    [3, ['toString'], /received toString$/],
  ] as const)('refuses %i units behind %j', (count, activations, message) => {
    expect(() => read(count, activations, 0)).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED_MODEL', message: expect.stringMatching(message) }),
    );
  });
});

test('notes on units say which is positive, and what became of the others', () => {
  const notes = (...about: Parameters<typeof read>) => notesOnUnits(read(...about));
  expect(notes(1, [])).toEqual([]);
  expect(notes(2, ['softmax'])).toEqual([
    "Unit 1 of the head's 2 (the first is 0) is the positive class against the other: its score is the softmax probability of that class.",
  ]);
  expect(notes(5, [], 3)[0]).toMatch(
    /^Unit 3 of the head's 5 .* against the others, which are taken for the logits of one softmax since no activation follows/,
  );
  expect(notes(14, ['sigmoid'], 3)[0]).toMatch(
    /sigmoid of its own\. The other units keep their weights, but/,
  );
});

describe('units that each stand for a class', () => {
  const classes = ['nv', 'mel', 'bcc'];
  const found = { head: 'head', count: 3, activations: ['softmax'], positiveClass: undefined, classes };

  test('are those of one softmax, none of them positive', () => {
    expect(readUnits(found)).toEqual({
      count: 3,
      positive: 0,
      areClasses: true,
      isShared: true,
      output: 'score',
    });
    expect(notesOnUnits(readUnits(found))[0]).toMatch(/^Each of the head's 3 units stands for a class/);
  });

  test.each([
    [{ classes: ['nv', 'mel'] }, /three classes at least, received 2/],
    [{ count: 4 }, /a class for each of its 4 units, in their order, received 3$/],
    [{ positiveClass: 1 }, /classes or a positive class, received both$/],
    [{ activations: ['sigmoid'] }, /one softmax over all classes, received a sigmoid for each$/],
  ])('refuse %o', (change, message) => {
    expect(() => readUnits({ ...found, ...change })).toThrow(message);
  });
});
