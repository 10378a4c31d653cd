import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RATE_NAMES } from '../../../../core/fairness/types.ts';
import {
  disparityCell,
  rateCell,
  shownDisparity,
  shownRate,
  statisticCell,
} from '../../../../core/report/tables/figure-cells.ts';
import { UNTESTED } from '../../../helpers/report-audits.ts';
import { textOf } from '../../../helpers/report-samples.ts';

describe('rateCell', () => {
  it('stands with its numerator and support', () => {
    expect(
      textOf(rateCell('truePositiveRate', { value: 21 / 41, numerator: 21, support: 41, interval: null })),
    ).toBe('0.512 21 of 41');
  });

  it('is never a number without support, whatever value the file holds', () => {
    const value = fc.option(fc.double({ min: 0, max: 1, noNaN: true }));
    fc.assert(
      fc.property(fc.constantFrom(...RATE_NAMES), value, (name, held) => {
        const text = textOf(rateCell(name, { value: held, numerator: 0, support: 0, interval: null }));
        expect(text).toMatch(/^not defined (no|none) [a-z ]+$/);
        expect(shownRate({ value: held, numerator: 0, support: 0, interval: null })).toBeNull();
      }),
    );
  });

  it('shows the counts of a rate that was withheld', () => {
    expect(textOf(rateCell('accuracy', { value: null, numerator: 3, support: 4, interval: null }))).toBe(
      'not defined 3 of 4',
    );
  });
});

describe('statisticCell', () => {
  it('gives the reason where there is no value', () => {
    expect(textOf(statisticCell({ value: 0.75, interval: null }))).toBe('0.750');
    expect(textOf(statisticCell({ value: null, reason: 'no positives', interval: null }))).toBe(
      'not defined no positives',
    );
    expect(textOf(statisticCell({ value: null, interval: null }))).toBe('not defined no reason recorded');
  });

  it('stands with its interval, and with its error where ranks come from a histogram', () => {
    const interval = { low: 0.7, high: 0.8, method: 'delong' } as const;
    expect(textOf(statisticCell({ value: 0.75, interval }))).toBe('0.750 0.700 to 0.800');
    expect(textOf(statisticCell({ value: 0.75, interval, errorBound: 0.002 }))).toContain('0.750 ±0.002');
    expect(textOf(statisticCell({ value: 0.75, interval, errorBound: 1e-5 }))).not.toContain('±');
  });
});

describe('disparityCell', () => {
  it('names the groups that span the gap', () => {
    const between = ['F', 'M'] as const;
    const disparity = { ...UNTESTED, value: 0.25, amongSupported: 0.25, unsupportedGroups: [], between };
    expect(textOf(disparityCell('equalOpportunityDifference', disparity))).toBe('0.250 lowest F highest M');
    const equal = { ...disparity, value: 0 };
    expect(textOf(disparityCell('equalOpportunityDifference', equal))).toBe('0.000 all groups equal');
    expect(textOf(disparityCell('equalOpportunityRatio', equal))).toBe('0.000 lowest F highest M');
    const overall = { ...UNTESTED, value: 0, amongSupported: 0, unsupportedGroups: [] };
    expect(textOf(disparityCell('equalizedOddsDifference', overall))).toBe('0.000');
  });

  it('is not defined while a group is left out, even if the file holds a value', () => {
    const disparity = {
      ...UNTESTED,
      value: 0,
      amongSupported: 0.125,
      unsupportedGroups: ['X', 'Y'],
      reason: 'no positives',
    };
    expect(shownDisparity(disparity)).toBeNull();
    expect(textOf(disparityCell('equalOpportunityDifference', disparity))).toBe(
      'not defined no positives 0.125 among the groups with support left out: X and Y',
    );
  });

  it('gives at least the words where nothing else is known', () => {
    expect(
      textOf(
        disparityCell('bmftEqualizedOdds', {
          ...UNTESTED,
          value: null,
          amongSupported: null,
          unsupportedGroups: [],
        }),
      ),
    ).toBe('not defined');
  });
});
