import { describe, expect, test } from 'vitest';
import { recalibrate } from '../../../core/fairness/recalibration.ts';
import { collect, tableOf } from '../../../core/fairness/score-column.ts';

const logit = (p: number) => Math.log(p / (1 - p));
const logistic = (x: number) => 1 / (1 + Math.exp(-x));

/** `rows` rows at each score, of which the share `rate` of the score is positive. */
function tableWith(points: readonly { score: number; rate: number; rows: number }[]) {
  const rowsOf = (count: (point: (typeof points)[number]) => number) =>
    collect(
      Float64Array.from(points.flatMap((point) => new Array<number>(count(point)).fill(point.score))),
      null,
    );
  return tableOf(
    rowsOf(({ rate, rows }) => Math.round(rate * rows)),
    rowsOf(({ rate, rows }) => rows - Math.round(rate * rows)),
  );
}

describe('recalibrate', () => {
  test('two scores: the line through the two observed logits', () => {
    const table = tableWith([
      { score: 0.2, rate: 0.1, rows: 100 },
      { score: 0.6, rate: 0.8, rows: 50 },
    ]);
    const { slope } = recalibrate(table, 0.95);
    const expected = (logit(0.8) - logit(0.1)) / (logit(0.6) - logit(0.2));
    expect(slope.value).toBeCloseTo(expected, 9);
    // The difference of two logits has variance 1/(n p q) + 1/(n p q).
    const deviation = Math.sqrt(1 / (100 * 0.1 * 0.9) + 1 / (50 * 0.8 * 0.2)) / (logit(0.6) - logit(0.2));
    expect(slope.interval!.high - expected).toBeCloseTo(1.959963985 * deviation, 6);
  });

  test('calibration in the large makes the mean of recalibrated scores the base rate', () => {
    const points = [0.1, 0.3, 0.55, 0.9].map((score) => ({ score, rate: score ** 2, rows: 1000 }));
    const { intercept } = recalibrate(tableWith(points), null);
    const mean = points.reduce((sum, { score }) => sum + logistic(logit(score) + intercept.value!), 0) / 4;
    const base = points.reduce((sum, { score }) => sum + Math.round(score ** 2 * 1000) / 1000, 0) / 4;
    expect(mean).toBeCloseTo(base, 9);
    expect(intercept.interval).toBeNull();
  });

  test('many scores: as exact as few, from a coarse start', () => {
    const points = Array.from({ length: 10_000 }, (_, place) => ({
      score: (place + 0.5) / 10_000,
      rate: place % 10_000 > 5_000 !== (place % 7 === 0) ? 1 : 0,
      rows: 1,
    }));
    const table = tableWith(points);
    const { slope } = recalibrate(table, null);
    // At the maximum the weighted residuals vanish: Σ x (y - p) = 0 with the intercept that goes with the slope.
    const residual = (a: number, b: number, power: number) =>
      points.reduce(
        (sum, { score, rate }) => sum + logit(score) ** power * (rate - logistic(a + b * logit(score))),
        0,
      );
    let [low, high] = [-5, 5];
    for (let step = 0; step < 60; step += 1) {
      const middle = (low + high) / 2;
      if (residual(middle, slope.value!, 0) > 0) low = middle;
      else high = middle;
    }
    expect(residual(low, slope.value!, 1)).toBeCloseTo(0, 5);
  });

  test.each([
    [[{ score: 0.2, rate: 1, rows: 3 }], 'no negative labels'],
    [[{ score: 0.2, rate: 0, rows: 3 }], 'no positive labels'],
    [[{ score: 0.2, rate: 0.5, rows: 4 }], 'all scores are equal'],
    [
      [
        { score: 0.2, rate: 0, rows: 4 },
        { score: 0.6, rate: 1, rows: 4 },
      ],
      'the scores separate the classes: no finite slope',
    ],
  ])('has no slope without a maximum, and says why', (points, reason) => {
    expect(recalibrate(tableWith(points), 0.95).slope).toEqual({ value: null, reason, interval: null });
  });

  test('scores of 0 and 1 count as the nearest that have a logit', () => {
    const table = tableWith([
      { score: 0, rate: 0.25, rows: 8 },
      { score: 1, rate: 0.75, rows: 8 },
    ]);
    expect(recalibrate(table, null).slope.value).toBeCloseTo(logit(0.75) / logit(1 - 2 ** -24), 9);
  });
});
