import { describe, expect, it } from 'vitest';
import { hasSelection } from '../../../../core/report/facts/selection.ts';
import { IMPROVED_RUN, REJECTED_RUN } from '../../../helpers/report-samples.ts';

describe('hasSelection', () => {
  it('is true where a select part exists', () => {
    expect([hasSelection(IMPROVED_RUN.data), hasSelection(REJECTED_RUN.data)]).toEqual([true, false]);
  });
});
