import { describe, expect, it } from 'vitest';
import { setFigures } from '../../../core/fairness/set-figures.ts';
import { auditOf, featureOf, groupOf } from '../../helpers/report-audits.ts';

const target = {
  sensitiveFeature: 'sex',
  metric: 'equalOpportunityDifference',
  missingGroup: '(missing)',
} as const;

describe('setFigures', () => {
  it('are the disparity, the AUC and the worst group of the feature', () => {
    const audit = auditOf(
      [featureOf('sex', [groupOf('f', [12, 2, 8, 8], 0.7), groupOf('m', [18, 1, 9, 2], 0.8)])],
      { auc: 0.75 },
    );
    expect(setFigures(audit, target)).toEqual({
      support: audit.overall.support,
      disparity: { value: expect.closeTo(18 / 20 - 12 / 20, 12), interval: null },
      auc: { value: 0.75, interval: null },
      worstTruePositiveRate: { group: 'f', value: 12 / 20 },
      emptyGroups: [],
    });
  });

  it('name a group without positives, and have no disparity then', () => {
    const audit = auditOf([
      featureOf('sex', [groupOf('f', [0, 2, 8, 0], null), groupOf('m', [18, 1, 9, 2], 0.8)]),
    ]);
    expect(setFigures(audit, target)).toMatchObject({
      disparity: { value: null, interval: null },
      worstTruePositiveRate: { group: 'm', value: 0.9 },
      emptyGroups: ['f'],
    });
  });

  it('leave out the rows without a value', () => {
    const groups = [groupOf('f', [12, 2, 8, 8], 0.7), groupOf('m', [18, 1, 9, 2], 0.8)];
    const audit = auditOf([featureOf('sex', [...groups, groupOf('(missing)', [0, 5, 5, 9], 0.5)])]);
    expect(setFigures(audit, target)).toMatchObject({
      disparity: { value: expect.closeTo(0.3, 12), interval: null },
      worstTruePositiveRate: { group: 'f' },
      emptyGroups: [],
    });
  });
});
