import { describe, expect, it } from 'vitest';
import { aucEstimator, aucOf, type ScoreCounts } from '../../../../core/fairness/statistics/delong.ts';
import { normalQuantile } from '../../../../core/fairness/statistics/distributions.ts';
import { seededUniform } from '../../../../core/fairness/statistics/sampling.ts';
import reference from '../../../fixtures/metrics/reference.json' with { type: 'json' };
import { countScores } from '../../../helpers/count-scores.ts';

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** By the definition: every pair compared, components and their sample variances. Weights repeat rows. */
function byPairs(positives: readonly number[], negatives: readonly number[]) {
  const wins = (one: number, two: number) => (one > two ? 1 : one === two ? 0.5 : 0);
  const v10 = positives.map((one) => mean(negatives.map((two) => wins(one, two))));
  const v01 = negatives.map((two) => mean(positives.map((one) => wins(one, two))));
  const auc = mean(v10);
  const sampleVariance = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + (value - auc) ** 2, 0) / (values.length - 1);
  return { auc, variance: sampleVariance(v10) / v10.length + sampleVariance(v01) / v01.length };
}

const counted = (positives: readonly number[], negatives: readonly number[]): ScoreCounts =>
  countScores(Float64Array.from(positives).sort(), Float64Array.from(negatives).sort());
const estimate = (positives: readonly number[], negatives: readonly number[]) =>
  aucOf(counted(positives, negatives))!;

const { score, group, y_true: labels } = reference.R1.data;
const scoresOf = (groupName: string, label: number) =>
  score.filter((_, row) => group[row] === groupName && labels[row] === label);

describe('aucOf', () => {
  it.each(['A', 'B'] as const)("has the oracle's AUC and standard error of group %s", (name) => {
    const { auc, variance } = estimate(scoresOf(name, 1), scoresOf(name, 0));
    expect(auc).toBeCloseTo(reference.R1.score.auc[name], 14);
    expect(Math.sqrt(variance!)).toBeCloseTo(reference.R1.score.auc_delong_se[name], 14);
  });

  it('of the positives of one group and the negatives of another is the xAUC of the oracle', () => {
    expect(estimate(scoresOf('A', 1), scoresOf('B', 0)).auc).toBeCloseTo(
      reference.R1.score.xauc_posA_negB,
      14,
    );
    expect(estimate(scoresOf('B', 1), scoresOf('A', 0)).auc).toBeCloseTo(
      reference.R1.score.xauc_posB_negA,
      14,
    );
  });

  it('equals the comparison of all pairs, ties and all', () => {
    const uniform = seededUniform(5);
    for (const [m, n, levels] of [
      [2, 2, 1000],
      [17, 40, 6],
      [60, 9, 1000],
    ] as const) {
      const draw = (shift: number) => Math.floor(levels * (uniform() + shift)) / levels;
      const positives = Array.from({ length: m }, () => draw(0.2));
      const negatives = Array.from({ length: n }, () => draw(0));
      const expected = byPairs(positives, negatives);
      const { auc, variance } = estimate(positives, negatives);
      expect(auc).toBeCloseTo(expected.auc, 13);
      expect(variance).toBeCloseTo(expected.variance, 13);
    }
  });

  it('takes a histogram whose bins may be empty', () => {
    const { auc, variance } = aucOf({ positives: [0, 1, 0, 3], negatives: [2, 2, 0, 1] })!;
    const expected = byPairs([1, 3, 3, 3], [0, 0, 1, 1, 3]);
    expect([auc, variance]).toEqual([
      expect.closeTo(expected.auc, 14),
      expect.closeTo(expected.variance, 14),
    ]);
  });

  it('does not change when every row has one and the same weight', () => {
    const { positives, negatives } = counted([1, 2, 2, 5, 6], [0, 1, 3, 3]);
    const scale = (values: ArrayLike<number>, by: number) => Array.from(values, (value) => value * by);
    const weighted = aucOf({
      positives: scale(positives, 3),
      negatives: scale(negatives, 0.5),
      squares: { positives: scale(positives, 9), negatives: scale(negatives, 0.25) },
    })!;
    const plain = aucOf({ positives, negatives })!;
    for (const key of ['auc', 'positives', 'negatives', 'variance', 'degrees'] as const) {
      expect(weighted[key]).toBeCloseTo(plain[key]!, 12);
    }
  });

  it('is null without a class, and has no variance with one row of a class', () => {
    expect(aucOf(counted([], [1, 2]))).toBeNull();
    expect(aucOf(counted([1], []))).toBeNull();
    expect(estimate([1], [0, 2, 3, 4])).toEqual({
      auc: 0.25,
      positives: 1,
      negatives: 4,
      variance: null,
      degrees: 0,
    });
  });
});

describe('aucEstimator', () => {
  it('is DeLong’s variance on the logit scale where rows are many', () => {
    const uniform = seededUniform(3);
    const rows = (shift: number) => Array.from({ length: 4000 }, () => uniform() + shift);
    const found = estimate(rows(0.3), rows(0));
    const { value, low, high } = aucEstimator(found)(0.95);
    const logit = (p: number) => Math.log(p / (1 - p));
    const half = (1.959964 * Math.sqrt(found.variance!)) / (value * (1 - value));
    expect(logit(low)).toBeCloseTo(logit(value) - half, 3);
    expect(logit(high)).toBeCloseTo(logit(value) + half, 3);
  });

  it("uses Student's t of Welch's degrees where they are few", () => {
    // 5 and 5 rows, components alike by symmetry: (2a)² / (2 a² / 4) = 8 degrees, t = 2.306 (a table's value).
    const found = estimate([2, 4, 6, 8, 10], [1, 3, 5, 7, 9]);
    expect(found.degrees).toBeCloseTo(8, 10);
    const { value, low } = aucEstimator(found)(0.95);
    const half = (2.306 * Math.sqrt(found.variance!)) / (value * (1 - value));
    expect(Math.log(low / (1 - low))).toBeCloseTo(Math.log(value / (1 - value)) - half, 3);
  });

  it.each([
    ['complete separation', estimate([5, 6, 7, 8, 9, 10], [0, 1, 2, 3, 4])],
    ['complete separation the wrong way', estimate([0, 1, 2, 3, 4], [5, 6, 7, 8, 9, 10])],
    ['one positive', estimate([3], [0, 1, 2, 4, 5])],
    ['four rows of a class', estimate([1, 3, 5, 9], [0, 2, 4, 6, 8])],
    ['all scores tied', estimate([1, 1, 1, 1, 1], [1, 1, 1, 1, 1])],
  ])('after %s it ends where (AUC - θ)² is z² times the variance of Hanley and McNeil', (_, found) => {
    const { value, low, high } = aucEstimator(found)(0.95);
    const { positives: m, negatives: n } = found;
    const spread = (t: number) =>
      (t * (1 - t) * (1 + ((m + n) / 2 - 1) * ((1 - t) / (2 - t) + t / (1 + t)))) / (m * n);
    expect(high - low).toBeGreaterThan(0.1);
    for (const end of [low, high].filter((limit) => limit > 0 && limit < 1)) {
      expect(Math.abs(value - end)).toBeCloseTo(normalQuantile(0.975) * Math.sqrt(spread(end)), 9);
    }
  });
});
