import type { GroupFlips, SetFlips } from '../../core/fairness/flips.ts';
import type { RunRecord } from '../../core/jobs/run-record.ts';
import { IMPROVED_RUN, TWO_GROUPS_AFTER, TWO_GROUPS_BEFORE } from './report-samples.ts';

/** From [TP, FP] 20, 38 to 54, 48 and from 90, 54 to 76, 45: the least flips that lead there. */
const FEMALE: GroupFlips = {
  group: 'female',
  positives: { support: 80, toPositive: 34, toNegative: 0 },
  negatives: { support: 397, toPositive: 10, toNegative: 0 },
  gained: 34,
  lost: 10,
};
const MALE: GroupFlips = {
  group: 'male',
  positives: { support: 100, toPositive: 0, toNegative: 14 },
  negatives: { support: 300, toPositive: 0, toNegative: 9 },
  gained: 9,
  lost: 14,
};
const FLIPS: SetFlips = {
  overall: { ...FEMALE, group: '(all)' },
  features: [{ sensitiveFeature: 'sex', groups: [FEMALE, MALE] }],
};
export const SET = { name: 'test', before: TWO_GROUPS_BEFORE, after: TWO_GROUPS_AFTER, flips: FLIPS };
export const FILES = [
  { name: 'audit-before.json', bytes: 1, sha256: 'a' },
  { name: 'model/model.json', bytes: 2, sha256: 'b' },
];

/** A second set without a changed model, whose groups lack a label each. */
export const TWO_SETS_RUN: RunRecord = {
  ...IMPROVED_RUN,
  audited: [
    ...IMPROVED_RUN.audited,
    {
      ...IMPROVED_RUN.audited[0]!,
      name: 'clinic <b>',
      source: 'manifest',
      after: null,
      figures: {
        before: {
          support: 60,
          disparity: { value: null, interval: null },
          auc: { value: 0.7, interval: { low: 0.61, high: 0.79 } },
          worstTruePositiveRate: null,
          emptyGroups: ['a', 'b'],
        },
        after: null,
      },
    },
  ],
};
