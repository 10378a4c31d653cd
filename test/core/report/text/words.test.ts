import { describe, expect, it } from 'vitest';
import { DISPARITY_NAMES, RATE_NAMES } from '../../../../core/fairness/types.ts';
import {
  DISPARITY_WORDS,
  inSentence,
  NO_SUPPORT_WORDS,
  OUTCOME_WORDS,
} from '../../../../core/report/text/words.ts';

describe('words', () => {
  it('has words for every disparity and every rate', () => {
    expect(Object.keys(DISPARITY_WORDS)).toEqual([...DISPARITY_NAMES]);
    expect(Object.keys(NO_SUPPORT_WORDS)).toEqual([...RATE_NAMES]);
  });

  it('says of every disparity but the signed one which value stands for no gap', () => {
    for (const [name, { meaning, isRatio }] of Object.entries(DISPARITY_WORDS)) {
      if (name === 'bmftEqualizedOdds') expect(meaning).toContain('opposite gaps cancel');
      else expect(meaning).toContain(`${isRatio ? 1 : 0} is no gap`);
    }
  });

  it('gives each status a symbol of its own', () => {
    expect(new Set(Object.values(OUTCOME_WORDS).map(({ symbol }) => symbol)).size).toBe(3);
  });

  it('starts a label small inside a sentence, unless it is an abbreviation', () => {
    expect([inSentence('Equal opportunity'), inSentence('AUC')]).toEqual(['equal opportunity', 'AUC']);
  });
});
