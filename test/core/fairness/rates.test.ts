import { describe, expect, test } from 'vitest';
import { balancedAccuracy, rate, ratesOf } from '../../../core/fairness/rates.ts';

describe('rate', () => {
  test('is null without support, never 0', () => {
    expect(rate(0, 0)).toEqual({ value: null, numerator: 0, support: 0, interval: null });
    expect(rate(0, 4).value).toBe(0);
  });
});

describe('balancedAccuracy', () => {
  test('is the mean of TPR and TNR', () => {
    const rates = ratesOf({ truePositives: 3, falseNegatives: 1, trueNegatives: 1, falsePositives: 1 });
    expect(balancedAccuracy(rates).value).toBe((3 / 4 + 1 / 2) / 2);
  });

  test('is null with the reason when a class is absent', () => {
    const onlyNegatives = ratesOf({
      truePositives: 0,
      falseNegatives: 0,
      trueNegatives: 1,
      falsePositives: 1,
    });
    expect(balancedAccuracy(onlyNegatives)).toMatchObject({ value: null, reason: 'no positive labels' });
    const onlyPositives = ratesOf({
      truePositives: 1,
      falseNegatives: 0,
      trueNegatives: 0,
      falsePositives: 0,
    });
    expect(balancedAccuracy(onlyPositives)).toMatchObject({ value: null, reason: 'no negative labels' });
  });
});
