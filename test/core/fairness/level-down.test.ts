import { describe, expect, it } from 'vitest';
import type { FeatureFlips } from '../../../core/fairness/flips.ts';
import { levelDown } from '../../../core/fairness/level-down.ts';
import type { GroupMetrics } from '../../../core/fairness/types.ts';
import { featureOf, groupOf } from '../../helpers/report-audits.ts';

const RAILS = { maxGroupAucDrop: 0.05, maxGroupTprDrop: 0.1 };

/** Flips that lead from one confusion table to the other without any that cancel. */
function flipsBetween(before: readonly GroupMetrics[], after: readonly GroupMetrics[]): FeatureFlips {
  const flips = (change: number, support: number) => ({
    support,
    toPositive: Math.max(0, change),
    toNegative: Math.max(0, -change),
  });
  return {
    sensitiveFeature: 'sex',
    groups: before.map(({ group, counts, positives, negatives }, place) => ({
      group,
      positives: flips(after[place]!.counts.truePositives - counts.truePositives, positives),
      negatives: flips(after[place]!.counts.falsePositives - counts.falsePositives, negatives),
      gained: 0,
      lost: 0,
    })),
  };
}

/** Counts are [TP, FP, TN, FN]. */
function judged(before: readonly GroupMetrics[], after: readonly GroupMetrics[]) {
  return levelDown({
    metric: 'equalOpportunityDifference',
    before: featureOf('sex', before),
    after: featureOf('sex', after),
    flips: flipsBetween(before, after),
    rails: RAILS,
    level: 0.95,
  });
}

const FEMALE = groupOf('f', [60, 20, 180, 40], 0.8);
const MALE = groupOf('m', [90, 20, 180, 10], 0.85);

describe('levelDown', () => {
  it('is raised when the gap closed because the better group fell beyond the rail', () => {
    const found = judged([FEMALE, MALE], [FEMALE, groupOf('m', [65, 20, 180, 35], 0.85)]);
    expect(found).toMatchObject({
      status: 'levelled-down',
      before: expect.closeTo(0.3, 12),
      after: expect.closeTo(0.05, 12),
    });
    expect(found.losses).toEqual([
      {
        group: 'm',
        figure: 'truePositiveRate',
        before: 0.9,
        after: 0.65,
        interval: { low: expect.any(Number), high: expect.any(Number) },
        isBeyondRail: true,
        isCertain: true,
      },
    ]);
    expect(found.losses[0]!.interval!.high).toBeLessThan(0);
  });

  it('is not raised when the worse group rose and nobody fell', () => {
    const found = judged([FEMALE, MALE], [groupOf('f', [85, 20, 180, 15], 0.84), MALE]);
    expect(found).toMatchObject({ status: 'not-levelled-down', losses: [] });
  });

  it('is not raised by a loss within the rail that may be chance, and lists it', () => {
    const found = judged(
      [FEMALE, MALE],
      [groupOf('f', [85, 20, 180, 15], 0.84), groupOf('m', [89, 20, 180, 11], 0.85)],
    );
    expect(found.status).toBe('not-levelled-down');
    expect(found.losses).toMatchObject([{ group: 'm', isBeyondRail: false, isCertain: false }]);
  });

  it('is raised by a false positive rate that rises, and by an AUC that falls', () => {
    const better = [85, 20, 180, 15] as const;
    const alarms = judged(
      [FEMALE, MALE],
      [groupOf('f', better, 0.84), groupOf('m', [90, 60, 140, 10], 0.85)],
    );
    expect(alarms.status).toBe('levelled-down');
    expect(alarms.losses).toMatchObject([
      { figure: 'falsePositiveRate', isBeyondRail: true, isCertain: true },
    ]);
    const ranks = judged([FEMALE, MALE], [groupOf('f', better, 0.84), groupOf('m', [90, 20, 180, 10], 0.79)]);
    expect(ranks.losses).toMatchObject([{ figure: 'auc', isBeyondRail: true, interval: null }]);
  });

  it('has nothing to say where the disparity did not fall', () => {
    expect(judged([FEMALE, MALE], [groupOf('f', [50, 20, 180, 50], 0.8), MALE]).status).toBe(
      'no-smaller-disparity',
    );
  });

  it('is undetermined, never denied, where a figure of a group is not defined', () => {
    const empty = groupOf('x', [0, 3, 17, 0], null);
    const without = judged([FEMALE, MALE, empty], [groupOf('f', [85, 20, 180, 15], 0.84), MALE, empty]);
    expect(without.status).toBe('undetermined');
    expect(without.undefinedFigures).toEqual(['true positive rate of "x"', 'AUC of "x"']);
    const onlyPositives = groupOf('x', [8, 0, 0, 2], null);
    const found = judged(
      [FEMALE, MALE, onlyPositives],
      [groupOf('f', [85, 20, 180, 15], 0.84), MALE, onlyPositives],
    );
    expect(found).toMatchObject({ status: 'undetermined', before: expect.closeTo(0.3, 12) });
  });
});
