import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  count,
  loss,
  percent,
  plural,
  rate,
  signed,
  significant,
  threshold,
  thresholdText,
} from '../../../../core/report/text/format.ts';

describe('rate', () => {
  it('has three decimals and a true minus', () => {
    expect(rate(21 / 41)).toBe('0.512');
    expect(rate(-0.25)).toBe('\u22120.250');
  });

  it('says so where there is no value', () => {
    expect(rate(null)).toBe('not defined');
    expect(rate(Number.NaN)).toBe('not defined');
  });

  it('reads as 0.000 or 1.000 for exactly 0 and 1 only', () => {
    expect([0, 0.0004, 0.9996, 1].map(rate)).toEqual(['0.000', '<0.001', '>0.999', '1.000']);
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1, noNaN: true, minExcluded: true, maxExcluded: true }),
        (value) => {
          expect(['0.000', '1.000']).not.toContain(rate(value));
        },
      ),
    );
  });
});

describe('signed', () => {
  it('carries its sign, but for a difference that rounds away', () => {
    expect([0.05, -0.81, 0.0002, -0.0002].map(signed)).toEqual(['+0.050', '\u22120.810', '0.000', '0.000']);
  });
});

describe('count', () => {
  it('has thousands separators, and one decimal for the sum of a soft mask', () => {
    expect([877, 1234567, 51_234.56, -2].map(count)).toEqual(['877', '1,234,567', '51,234.6', '\u22122']);
  });
});

describe('percent', () => {
  it('has one decimal and never rounds to none or all', () => {
    expect([0.4917, 0, 1, 0.0001, 0.9999].map(percent)).toEqual(
      ['49.2', '0.0', '100.0', '<0.1', '>99.9'].map((text) => `${text}\u00a0%`),
    );
  });
});

describe('significant, loss and threshold', () => {
  it('keeps small settings readable', () => {
    expect([0.0001, 10, 1e-9, -0.5, Number.POSITIVE_INFINITY].map(significant)).toEqual([
      '0.0001',
      '10',
      '1e\u22129',
      '\u22120.5',
      'not defined',
    ]);
  });

  it('gives losses four digits, trailing zeros too', () => {
    expect([0.31, 0.036021, Number.NaN].map(loss)).toEqual(['0.3100', '0.03602', 'not defined']);
  });

  it('gives thresholds three decimals, and more where three would round them', () => {
    expect([0.5, 0.437, 0.43712, 0.0004].map(threshold)).toEqual(['0.500', '0.437', '0.4371', '0.0004']);
    expect(thresholdText(null)).toContain('not known');
    expect(thresholdText(0.5)).toBe('0.500');
  });
});

describe('plural', () => {
  it('counts one thing as one', () => {
    expect([plural(1, 'sample'), plural(0, 'sample'), plural(1200, 'sample')]).toEqual([
      '1 sample',
      '0 samples',
      '1,200 samples',
    ]);
  });
});
