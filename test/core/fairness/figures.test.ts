import { describe, expect, test } from 'vitest';
import { figureOf, lackOf } from '../../../core/fairness/figures.ts';
import { groupFrom } from '../../helpers/metric-tables.ts';

const counts = { truePositives: 4, falsePositives: 2, falseNegatives: 1, trueNegatives: 3 };

describe('figureOf', () => {
  test('reads rates, supports and false negatives per false positive', () => {
    const group = groupFrom('A', counts);
    expect(figureOf(group, 'truePositiveRate')).toBe(4 / 5);
    expect(figureOf(group, 'support')).toBe(10);
    expect(figureOf(group, 'missRatio')).toBe(1 / 2);
    expect(figureOf(group, 'calibrationError')).toBeNull();
  });

  test('is null without false positives, never 0 or infinite', () => {
    const group = groupFrom('A', { ...counts, falsePositives: 0 });
    expect(figureOf(group, 'missRatio')).toBeNull();
    expect(lackOf(group, 'missRatio')).toBe('group "A": no false positives');
  });
});
