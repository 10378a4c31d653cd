import { describe, expect, it } from 'vitest';
import { DISPARITY_NAMES } from '../../../../core/fairness/types.ts';
import { DISPARITY_LABELS } from '../../../../core/report/text/labels.ts';

describe('DISPARITY_LABELS', () => {
  it('name every disparity, no two alike', () => {
    expect(Object.keys(DISPARITY_LABELS)).toEqual([...DISPARITY_NAMES]);
    expect(new Set(Object.values(DISPARITY_LABELS)).size).toBe(DISPARITY_NAMES.length);
  });
});
