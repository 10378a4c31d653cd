import { describe, expect, it } from 'vitest';
import { labelCoding, predictionCoding } from '../../../core/data/labels.ts';

const where = 't.csv, column "y"';

describe('labelCoding', () => {
  it.each<[string[], string | undefined, number[]]>([
    [['0', '1'], undefined, [0, 1]],
    [['1', '0'], undefined, [1, 0]],
    [['0.0', '1.0'], undefined, [0, 1]],
    [['0', '0.0', '1.', '1'], undefined, [0, 0, 1, 1]],
    [['True', 'FALSE'], undefined, [1, 0]],
    [['1'], undefined, [1]],
    [['benign', 'malignant'], 'malignant', [0, 1]],
    [['malignant'], 'malignant', [1]],
    [['0', '1'], '0', [1, 0]],
    [['1', '2'], '2', [0, 1]],
    [['yes', 'Yes'], 'Yes', [0, 1]],
  ])('codes %j with positive label %j', (vocabulary, positiveLabel, codes) => {
    expect(vocabulary.map(labelCoding(vocabulary, { positiveLabel, where }))).toEqual(codes);
  });

  const many = Array.from({ length: 11 }, (_, index) => `dx${index}`);
  it.each<[string[], string | undefined, string]>([
    [
      ['b', 'a'],
      undefined,
      'expected labels 0/1 or true/false, received 2 distinct values: "a", "b"; say which one means 1 (positiveLabel, --positive-label)',
    ],
    [
      ['0', 'true'],
      undefined,
      'expected labels 0/1 or true/false, received 2 distinct values: "0", "true"; say which one means 1 (positiveLabel, --positive-label)',
    ],
    [
      ['x'],
      undefined,
      'expected labels 0/1 or true/false, received 1 distinct value: "x"; say which one means 1 (positiveLabel, --positive-label)',
    ],
    [['0', '1', '2'], undefined, 'expected two labels, received 3 distinct values: "0", "1", "2"'],
    [['a', 'b', 'c'], 'a', 'expected two labels, received 3 distinct values: "a", "b", "c"'],
    [many, 'dx1', 'expected two labels, received 11 distinct values'],
    [
      ['0.0', '1.0'],
      '1',
      'expected the positive label "1" in some row, received 2 distinct values: "0.0", "1.0"',
    ],
    [['a', 'x'.repeat(41)], 'b', 'expected the positive label "b" in some row, received 2 distinct values'],
  ])('refuses %j with positive label %j', (vocabulary, positiveLabel, sentence) => {
    expect(() => labelCoding(vocabulary, { positiveLabel, where })).toThrow(
      expect.objectContaining({ name: 'InvalidInputError', message: `${where}: ${sentence}` }),
    );
  });
});

describe('predictionCoding', () => {
  it.each<[string[], string[], string | undefined, number[]]>([
    [['0', '1'], ['0', '1'], undefined, [0, 1]],
    [['false', 'true'], ['0', '1'], undefined, [0, 1]],
    [['b', 'm'], ['b', 'm'], 'm', [0, 1]],
    [['b'], ['b', 'm'], 'm', [0]],
    [['b', 'm'], ['m'], 'm', [0, 1]],
    [['0', '1'], ['b', 'm'], 'm', [0, 1]],
    [['0', '1'], ['0', '1'], '0', [1, 0]],
    [['1'], ['1', '2'], '2', [0]],
  ])('codes %j for labels %j with positive label %j', (...row) => {
    const [vocabulary, labels, positiveLabel, codes] = row;
    const coding = predictionCoding(vocabulary, { labels, positiveLabel, where });
    expect(vocabulary.map(coding)).toEqual(codes);
  });

  it.each<[string[], string[], string | undefined, string]>([
    [['x', 'y'], ['b', 'm'], 'm', '2 distinct values: "x", "y"'],
    [['0.0', '1.0'], ['0', '1'], '0', '2 distinct values: "0.0", "1.0"'],
    [['0', '1'], ['1', '2'], '2', '2 distinct values: "0", "1"'],
    [['0', '0.5', '1'], ['0', '1'], undefined, '3 distinct values: "0", "0.5", "1"'],
    [['true'], ['False', 'True'], 'True', '1 distinct value: "true"'],
  ])('refuses %j for labels %j with positive label %j', (...row) => {
    const [vocabulary, labels, positiveLabel, received] = row;
    const named = `2 distinct values: "${labels.join('", "')}"`;
    expect(() => predictionCoding(vocabulary, { labels, positiveLabel, where })).toThrow(
      expect.objectContaining({
        name: 'InvalidInputError',
        message: `${where}: expected predictions spelled as the labels are (${named}), received ${received}`,
      }),
    );
  });
});
