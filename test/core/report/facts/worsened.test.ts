import { describe, expect, it } from 'vitest';
import { worsened } from '../../../../core/report/facts/worsened.ts';
import { auditOf, featureOf, groupOf } from '../../../helpers/report-audits.ts';
import { TWO_GROUPS_AFTER, TWO_GROUPS_BEFORE, textOf } from '../../../helpers/report-samples.ts';

describe('worsened', () => {
  it('names the groups that lost, worst first, though the gap narrowed', () => {
    const { gaps, groups } = worsened(TWO_GROUPS_BEFORE, TWO_GROUPS_AFTER);
    expect(gaps).toEqual([]);
    expect(groups.map(textOf)).toEqual([
      'male ( sex ): true positive rate 0.900 → 0.760',
      'female ( sex ): false positive rate 0.096 → 0.121',
      'male ( sex ): AUC 0.842 → 0.828',
    ]);
  });

  it('names the gaps that widened when the way is turned round', () => {
    const { gaps } = worsened(TWO_GROUPS_AFTER, TWO_GROUPS_BEFORE);
    expect(gaps.map(textOf)).toContain('equalised odds difference by sex 0.085 → 0.650');
  });

  it('finds nothing between equal audits, nor between features and groups that only one has', () => {
    const other = auditOf([
      featureOf('site', [groupOf('a', [1, 1, 1, 1], 0.5), groupOf('b', [1, 1, 1, 1], 0.5)]),
    ]);
    const renamed = auditOf([
      featureOf('sex', [groupOf('x', [1, 1, 1, 1], 0.5), groupOf('y', [1, 1, 1, 1], 0.5)]),
    ]);
    expect(worsened(TWO_GROUPS_BEFORE, TWO_GROUPS_BEFORE)).toEqual({ gaps: [], groups: [] });
    expect(worsened(TWO_GROUPS_BEFORE, other)).toEqual({ gaps: [], groups: [] });
    expect(worsened(TWO_GROUPS_BEFORE, renamed).groups).toEqual([]);
  });
});
