import { describe, expect, test } from 'vitest';
import type { GroupMetrics } from '../../../core/fairness/types.ts';
import type { SelectFigures } from '../../../core/jobs/run-record.ts';
import type { SelectionOptions } from '../../../worker/bmft/options.ts';
import type { Judged } from '../../../worker/search/selection.ts';
import {
  chooseCandidate,
  selectFigures,
  standardErrorOf,
  violationsOf,
} from '../../../worker/search/selection.ts';
import { countsFor, groupFrom } from '../../helpers/metric-tables.ts';

const RAILS: SelectionOptions = {
  selectShare: 1 / 3,
  checkpoints: [1],
  maxAucDrop: 0.01,
  maxBalancedAccuracyDrop: 0.02,
  maxGroupAucDrop: 0.05,
  maxGroupTprDrop: 0.1,
};

const ORIGINAL: SelectFigures = {
  disparity: 0.3,
  auc: 0.8,
  balancedAccuracy: 0.75,
  threshold: 0.5,
  groups: [
    { group: 'a', auc: 0.82, truePositiveRate: 0.9, falsePositiveRate: 0.2 },
    { group: 'b', auc: 0.78, truePositiveRate: 0.6, falsePositiveRate: 0.1 },
  ],
};
const withGroup = (place: number, change: Partial<SelectFigures['groups'][number]>): SelectFigures => ({
  ...ORIGINAL,
  groups: ORIGINAL.groups.map((group, other) => (other === place ? { ...group, ...change } : group)),
});

describe('violationsOf', () => {
  test('is empty for the original itself', () => {
    expect(violationsOf(ORIGINAL, ORIGINAL, RAILS)).toEqual({ overall: [], byGroup: [] });
  });

  test('lets a figure rise, or fall by what its rail allows', () => {
    expect(violationsOf({ ...ORIGINAL, auc: 0.9, balancedAccuracy: 0.74 }, ORIGINAL, RAILS).overall).toEqual(
      [],
    );
    expect(violationsOf(withGroup(1, { truePositiveRate: 0.51 }), ORIGINAL, RAILS).byGroup).toEqual([]);
  });

  test('says what fell, from where to where and by more than what', () => {
    expect(violationsOf({ ...ORIGINAL, auc: 0.78, balancedAccuracy: 0.7 }, ORIGINAL, RAILS).overall).toEqual([
      'AUC fell from 0.800 to 0.780, by more than 0.01',
      'balanced accuracy fell from 0.750 to 0.700, by more than 0.02',
    ]);
  });

  test('names the group that loses', () => {
    expect(violationsOf(withGroup(1, { auc: 0.7, truePositiveRate: 0.45 }), ORIGINAL, RAILS)).toEqual({
      overall: [],
      byGroup: [
        'AUC of "b" fell from 0.780 to 0.700, by more than 0.05',
        'true positive rate of "b" fell from 0.600 to 0.450, by more than 0.1',
      ],
    });
  });

  test('a figure that is not defined breaks its rail, before or after', () => {
    expect(violationsOf({ ...ORIGINAL, auc: null, disparity: null }, ORIGINAL, RAILS).overall).toEqual([
      'the disparity is not defined',
      'AUC is not defined',
    ]);
    expect(violationsOf(withGroup(0, { truePositiveRate: null }), ORIGINAL, RAILS).byGroup).toEqual([
      'true positive rate of "a" is not defined',
    ]);
    expect(violationsOf(ORIGINAL, { ...ORIGINAL, balancedAccuracy: null }, RAILS).overall).toEqual([
      'balanced accuracy is not defined',
    ]);
  });
});

const candidate = (
  id: string,
  about: {
    disparity: number;
    auc: number;
    standardError?: number;
    violations?: string[];
    kind?: 'bmft' | 'original';
  },
): Judged => ({
  id,
  kind: about.kind ?? 'bmft',
  settings: {},
  select: { ...ORIGINAL, disparity: about.disparity, auc: about.auc },
  violations: about.violations ?? [],
  standardError: about.standardError ?? 0,
});
const choice = (candidates: readonly Judged[], original = ORIGINAL) =>
  chooseCandidate(candidates, original)?.id ?? null;

describe('chooseCandidate', () => {
  test('takes the highest AUC within one standard error of the smallest disparity', () => {
    const candidates = [
      candidate('smallest', { disparity: 0.1, auc: 0.7, standardError: 0.05 }),
      candidate('within', { disparity: 0.14, auc: 0.75, standardError: 0.5 }),
      candidate('outside', { disparity: 0.16, auc: 0.9, standardError: 0.5 }),
    ];
    expect(choice(candidates)).toBe('within');
  });

  test('breaks a tie of AUC by the smaller disparity', () => {
    const candidates = [
      candidate('larger', { disparity: 0.12, auc: 0.75 }),
      candidate('smaller', { disparity: 0.1, auc: 0.75, standardError: 0.05 }),
    ];
    expect(choice(candidates)).toBe('smaller');
  });

  test('passes over a candidate that breaks a rail, however fair', () => {
    const candidates = [
      candidate('broken', { disparity: 0, auc: 0.99, violations: ['AUC fell'] }),
      candidate('whole', { disparity: 0.2, auc: 0.7 }),
    ];
    expect(choice(candidates)).toBe('whole');
  });

  test('is null when none lowers the disparity, the original among them', () => {
    expect(choice([candidate('same', { disparity: 0.3, auc: 0.9 })])).toBeNull();
    expect(choice([candidate('original', { disparity: 0.1, auc: 0.9, kind: 'original' })])).toBeNull();
    expect(choice([])).toBeNull();
  });

  test('takes any defined disparity where the original has none', () => {
    expect(
      choice([candidate('defined', { disparity: 0.9, auc: 0.8 })], { ...ORIGINAL, disparity: null }),
    ).toBe('defined');
  });
});

/** One target with these groups. */
const only = (groups: readonly GroupMetrics[]) => [{ sensitiveFeature: 'site', groups }];

describe('standardErrorOf', () => {
  const groups = [
    groupFrom('a', countsFor({ tpr: 0.9, fpr: 0.2, support: 20 })),
    groupFrom('b', countsFor({ tpr: 0.5, fpr: 0.3, support: 10 })),
    groupFrom('c', countsFor({ tpr: 0.6, fpr: 0.3, support: 40 })),
  ];
  const variance = (successes: number, support: number) => {
    const share = (successes + 1) / (support + 2);
    return (share * (1 - share)) / (support + 2);
  };

  test('is that of the widest gap, by the two groups that span it', () => {
    const expected = Math.sqrt(variance(18, 20) + variance(5, 10));
    expect(standardErrorOf(only(groups), 'equalOpportunity')).toBeCloseTo(expected, 12);
    expect(standardErrorOf(only(groups), 'equalizedOdds')).toBeCloseTo(expected, 12); // FPR gap .1 < TPR gap .4
  });

  test('of equalised odds follows the false positive rates where their gap is wider', () => {
    const wide = [
      groupFrom('a', countsFor({ tpr: 0.5, fpr: 0.1 })),
      groupFrom('b', countsFor({ tpr: 0.6, fpr: 0.9 })),
    ];
    expect(standardErrorOf(only(wide), 'equalizedOdds')).toBeCloseTo(
      Math.sqrt(variance(1, 10) + variance(9, 10)),
      12,
    );
  });

  test('of demographic parity has every sample behind it', () => {
    const selected = [18 + 4, 5 + 3, 24 + 12];
    const shares = selected.map((count, place) => count / [40, 20, 80][place]!);
    expect(shares).toEqual([0.55, 0.4, 0.45]);
    expect(standardErrorOf(only(groups), 'demographicParity')).toBeCloseTo(
      Math.sqrt(variance(22, 40) + variance(8, 20)),
      12,
    );
  });

  test('does not call rates of 1 on few samples certain', () => {
    const perfect = ['a', 'b'].map((name) => groupFrom(name, countsFor({ tpr: 1, fpr: 0, support: 3 })));
    expect(standardErrorOf(only(perfect), 'equalOpportunity')).toBeGreaterThan(0.2);
  });

  test('is null when the disparity is', () => {
    expect(standardErrorOf(only(groups.slice(0, 1)), 'equalOpportunity')).toBeNull();
  });
});

describe('selectFigures', () => {
  test('reads disparity, AUC, balanced accuracy and rates out of an audit', () => {
    const groups = [
      { ...groupFrom('a', countsFor({ tpr: 0.9, fpr: 0.2 })), auc: { value: 0.9, interval: null } },
      groupFrom('b', countsFor({ tpr: 0.6, fpr: 0.4 })),
    ];
    const overall = {
      ...groupFrom('(all)', countsFor({ tpr: 0.75, fpr: 0.3, support: 20 })),
      auc: { value: 0.8, interval: null },
    };
    expect(selectFigures({ overall, threshold: 0.4 }, only(groups), 'equalizedOdds')).toEqual({
      disparity: expect.closeTo(Math.max(0.9 - 0.6, 0.4 - 0.2), 12),
      auc: 0.8,
      balancedAccuracy: (0.75 + 0.7) / 2,
      threshold: 0.4,
      groups: [
        { group: 'a', auc: 0.9, truePositiveRate: 0.9, falsePositiveRate: 0.2 },
        { group: 'b', auc: null, truePositiveRate: 0.6, falsePositiveRate: 0.4 },
      ],
    });
  });
});
