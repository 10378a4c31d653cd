import { describe, expect, it } from 'vitest';
import { worstGroupTable } from '../../../../core/report/tables/worst-group-table.ts';
import { FIVE_GROUPS, TWO_GROUPS_AFTER, TWO_GROUPS_BEFORE, textOf } from '../../../helpers/report-samples.ts';

const [before, after] = [TWO_GROUPS_BEFORE.features[0]!, TWO_GROUPS_AFTER.features[0]!];

describe('worstGroupTable', () => {
  it('shows the lowest group before and after', () => {
    expect(textOf(worstGroupTable(before, after))).toContain('Accuracy 0.795 female 0.828 male');
  });

  it('names the groups left out', () => {
    expect(textOf(worstGroupTable(FIVE_GROUPS.features[0]!, undefined))).toContain(
      'AUC 0.500 80+ left out: 0–19',
    );
  });

  it('says when no group has the figure, or when the audit after lacks it', () => {
    const nobody = { metric: 'auc', group: null, value: null, unsupportedGroups: ['F'] } as const;
    const text = textOf(worstGroupTable({ ...before, worstGroups: [nobody] }, { ...after, worstGroups: [] }));
    expect(text).toContain('AUC not defined left out: F not in the audit after');
  });
});
