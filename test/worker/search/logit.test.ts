import { describe, expect, test } from 'vitest';
import { logit, sigmoid } from '../../../worker/search/logit.ts';

describe('logit and sigmoid', () => {
  test('turn odds of three to one into log 3 and back', () => {
    expect(logit(0.75)).toBeCloseTo(Math.log(3), 12);
    expect(sigmoid(Math.log(3))).toBeCloseTo(0.75, 12);
    expect(sigmoid(-Math.log(3))).toBeCloseTo(0.25, 12);
  });
});
