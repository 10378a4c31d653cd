import { describe, expect, it } from 'vitest';
import { unsupportedIn } from '../../../../core/report/facts/unsupported.ts';
import { FIVE_GROUPS } from '../../../helpers/report-samples.ts';

describe('unsupportedIn', () => {
  it('names a group that several disparities leave out once', () => {
    expect(FIVE_GROUPS.features.map(({ disparities }) => unsupportedIn(disparities))).toEqual([['0–19'], []]);
  });
});
