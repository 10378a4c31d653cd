import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  calibrationPoints,
  DENSITY_BINS,
  densityOf,
  drawnGroups,
  isSwept,
  largestGroups,
  rocMark,
  rocPoints,
  type SweptGroup,
  scoreRange,
} from '../../../../core/report/facts/score-curves.ts';
import { groupOf } from '../../../helpers/report-audits.ts';

/** Four positives at 0.2, 0.4, 0.6, 0.8 and two negatives at 0.2 and 0.4. */
const THRESHOLDS = [0.2, 0.4, 0.6, 0.8];
const GROUP: SweptGroup = {
  ...groupOf('F', [2, 0, 2, 2], 0.8),
  sweep: { truePositives: [4, 3, 2, 1], falsePositives: [2, 1, 0, 0] },
};

describe('ROC curves', () => {
  it('run from the corner of no positives to that of all, each point once', () => {
    expect(rocPoints(GROUP)).toEqual([
      { x: 0, y: 0 },
      { x: 0, y: 1 / 4 },
      { x: 0, y: 2 / 4 },
      { x: 1 / 2, y: 3 / 4 },
      { x: 1, y: 1 },
    ]);
    expect(rocMark(GROUP, 1)).toEqual({ x: 1 / 2, y: 3 / 4 });
  });

  it('need a sweep and both labels', () => {
    expect(isSwept(GROUP)).toBe(true);
    expect(
      [
        { ...GROUP, sweep: null },
        { ...GROUP, positives: 0 },
      ].map(isSwept),
    ).toEqual([false, false]);
  });
});

describe('calibrationPoints', () => {
  it('sets the mean score of a bin against its share of positives', () => {
    const none = { value: null, interval: null };
    const bins = [{ meanScore: 0.25, positives: 3, support: 4 }];
    const calibration = { error: none, slope: none, intercept: none, bins };
    expect(calibrationPoints({ ...GROUP, calibration })).toEqual([{ x: 0.25, y: 0.75 }]);
    expect(calibrationPoints(GROUP)).toEqual([]);
  });
});

describe('densityOf', () => {
  it('spreads rows evenly between thresholds', () => {
    const density = densityOf(GROUP.sweep.truePositives, 4, { thresholds: THRESHOLDS });
    // a quarter of the positives lies from 0.2 to 0.4, which are 4 of 20 bins
    expect(density[0]).toBe(0);
    for (const bin of [4, 5, 6, 7]) expect(density[bin]).toBeCloseTo(1 / 4 / 4, 12);
  });

  it('adds up to all rows, whatever the thresholds', () => {
    const steps = fc.array(fc.tuple(fc.double({ min: -2, max: 2, noNaN: true }), fc.nat(9)), {
      minLength: 1,
      maxLength: 9,
    });
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 5 }), (pairs, more) => {
        const thresholds = [...new Set(pairs.map(([at]) => at))].sort((a, b) => a - b);
        const counts = thresholds.map((_, at) => thresholds.length - at);
        const support = thresholds.length + more;
        const density = densityOf(counts, support, { thresholds });
        expect(density).toHaveLength(DENSITY_BINS);
        expect(Math.min(...density)).toBeGreaterThanOrEqual(-1e-12);
        const range = scoreRange({ thresholds });
        const total = density.reduce((sum, share) => sum + share, 0);
        if (range[0] < range[1] && range[0] === 0) expect(total).toBeCloseTo(1, 9);
      }),
      { numRuns: 50 },
    );
  });
});

describe('groups of a picture', () => {
  const groups = [3, 9, 5, 7].map((size) => groupOf(`${size}`, [size, 0, 0, 0], null));

  it('are the largest, in the order of the report', () => {
    expect(largestGroups(groups, 2).map(({ group }) => group)).toEqual(['9', '7']);
    expect(largestGroups(groups, 4)).toEqual(groups);
  });

  it('leave out those with little support, unless all have', () => {
    const marked = groups.map((group) => ({ ...group, isSmall: group.support === 9 }));
    expect(drawnGroups(marked, 2).map(({ group }) => group)).toEqual(['5', '7']);
    const all = groups.map((group) => ({ ...group, isSmall: true }));
    expect(drawnGroups(all, 9)).toEqual(all);
  });
});
