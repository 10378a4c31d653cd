import { describe, expect, test } from 'vitest';
import { searchSentence } from '../../../../core/report/facts/search-text.ts';

describe('searchSentence', () => {
  const bracket = (...settings: number[]) =>
    settings.map((count, place) => ({ epoch: [1, 3, 5][place]!, settings: count }));

  test('counts what was drawn, and shows each kind of bracket once', () => {
    const brackets = [bracket(9, 3, 1), bracket(9, 3, 1), bracket(2, 1, 1)];
    expect(searchSentence({ budget: '3x', gridSettings: 4, brackets, epochs: 60, diverged: 0 })).toBe(
      'Beside the 4 settings of the preset, 20 more were drawn and raced in 3 brackets of successive halving (9 to epoch 1, 3 to epoch 3, 1 to epoch 5; 2 to epoch 1, 1 to epoch 3, 1 to epoch 5), 60 epochs of training in all, within a budget of 3x.',
    );
  });

  test('says how many drawn settings lost because their training diverged', () => {
    const record = { budget: '3x', gridSettings: 4, brackets: [bracket(9, 3, 1)], epochs: 38, diverged: 2 };
    expect(searchSentence(record)).toMatch(
      / 2 drawn settings left the finite numbers in training and lost\.$/,
    );
  });

  test('says when the budget left nothing', () => {
    expect(searchSentence({ budget: '1m', gridSettings: 1, brackets: [], epochs: 5, diverged: 0 })).toBe(
      'The budget of 1m left nothing beyond the 1 setting of the preset, which took 5 epochs.',
    );
  });
});
