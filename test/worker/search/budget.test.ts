import { describe, expect, test } from 'vitest';
import { budgetSchema } from '../../../core/jobs/schema.ts';
import { PRICES } from '../../../worker/commands/plan-prices.ts';
import { budgetOf } from '../../../worker/search/budget.ts';

describe('a budget', () => {
  test('of epochs is what it says, or a multiple of the grid', () => {
    expect(budgetOf('60epochs', 20)).toEqual({ unit: 'epochs', epochs: 60 });
    expect(budgetOf('2.5x', 20)).toEqual({ unit: 'epochs', epochs: 50 });
    expect(budgetOf('2.5x', 3)).toEqual({ unit: 'epochs', epochs: 7 });
  });

  test.each([
    ['10m', 1, 600],
    ['10m', 4, 600],
    ['1.5h', 1, 5400],
  ])('of time, %s, is that of each of %i processes', (text, processes, seconds) => {
    const budget = budgetOf(text, 20);
    expect(budget.unit === 'seconds' && budget.secondsOf(processes)).toBe(seconds);
  });

  test('of money buys hours of the dearest machine, shared by the processes', () => {
    const dearest = PRICES.onDemandG5Xlarge.usd;
    for (const { usd } of [PRICES.onDemandG4dnXlarge, PRICES.onDemandG6Xlarge, PRICES.spotG5Xlarge]) {
      expect(usd).toBeLessThan(dearest);
    }
    const budget = budgetOf('2usd', 20);
    const seconds = (processes: number) => (budget.unit === 'seconds' ? budget.secondsOf(processes) : null);
    expect(seconds(1)).toBeCloseTo((2 / dearest) * 3600, 6);
    expect(seconds(4)).toBeCloseTo(seconds(1)! / 4, 6);
  });

  test.each(['2.5x', '60epochs', '10m', '2h', '0.50usd'])('may be %s', (text) => {
    expect(budgetSchema.parse(text)).toBe(text);
  });

  test.each(['', '10', 'x', '-1m', '1e3m', '10 m', '10min', '1.234h', '$2', 'NaNx', '12345678m'])(
    'may not be "%s"',
    (text) => {
      expect(budgetSchema.safeParse(text).success).toBe(false);
    },
  );
});
