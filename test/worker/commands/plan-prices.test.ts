import { describe, expect, it } from 'vitest';
import type { Price } from '../../../worker/commands/plan-prices.ts';
import { INSTANCES, PRICES, PRICES_NOTE } from '../../../worker/commands/plan-prices.ts';

const prices: [name: string, price: Price][] = Object.entries(PRICES);

describe('prices', () => {
  it('name their region and their limits', () => {
    expect(PRICES_NOTE).toBe('us-east-1, check before relying on it');
  });

  it.each(prices)('%s is positive, says what it buys, and of which month it is', (_, { usd, per, asOf }) => {
    expect(usd).toBeGreaterThan(0);
    expect(per).not.toBe('');
    expect(asOf).toMatch(/^20\d\d-(?:0[1-9]|1[0-2])$/);
  });

  it.each(Object.entries(INSTANCES))('of %s are lower on Spot than on demand', (_, { spot, onDemand }) => {
    expect(PRICES[spot].usd).toBeLessThan(PRICES[onDemand].usd);
  });
});
