import { describe, expect, it } from 'vitest';
import { gate } from '../../../../core/fairness/policy/gate.ts';
import { isPresetName, PRESET_NAMES, presetPolicy } from '../../../../core/fairness/policy/presets.ts';
import { auditOf, type Confusion, featureOf, groupOf } from '../../../helpers/report-audits.ts';

function verdictOf(name: (typeof PRESET_NAMES)[number], groups: readonly Confusion[]) {
  const metrics = groups.map((counts, index) => groupOf(`group ${index}`, counts, 0.8));
  return gate(auditOf([featureOf('sex', metrics)]), presetPolicy(name)).verdict;
}

describe('presetPolicy', () => {
  it.each(PRESET_NAMES)('%s is a policy', (name) => {
    expect(presetPolicy(name).rules.length).toBeGreaterThan(0);
    expect(isPresetName(name)).toBe(true);
  });

  it('knows no other names', () => {
    expect(isPresetName('toString')).toBe(false);
  });

  // 48 of 80 applicants chosen against 12 of 40: 50 % (Uniform Guidelines, question 12)
  it('finds adverse impact by four fifths', () => {
    expect(
      verdictOf('four-fifths', [
        [30, 18, 20, 12],
        [6, 6, 20, 8],
      ]),
    ).toBe('fail');
    expect(
      verdictOf('four-fifths', [
        [30, 18, 20, 12],
        [15, 9, 10, 6],
      ]),
    ).toBe('pass');
  });

  it('warns of a low impact ratio, as Local Law 144 sets no limit', () => {
    expect(
      verdictOf('nyc-local-law-144', [
        [30, 18, 20, 12],
        [6, 6, 20, 8],
      ]),
    ).toBe('pass');
  });

  it('holds equalised odds within 0.1, and passes no group of a handful', () => {
    expect(
      verdictOf('equalized-odds-0.1', [
        [30, 10, 40, 20],
        [30, 10, 40, 20],
      ]),
    ).toBe('pass');
    expect(
      verdictOf('equalized-odds-0.1', [
        [30, 10, 40, 20],
        [20, 10, 40, 30],
      ]),
    ).toBe('fail');
    expect(
      verdictOf('equalized-odds-0.1', [
        [30, 10, 40, 20],
        [3, 1, 4, 2],
      ]),
    ).toBe('inconclusive');
  });

  it('finds no regression only against a baseline', () => {
    expect(
      verdictOf('no-regression', [
        [30, 10, 40, 20],
        [30, 10, 40, 20],
      ]),
    ).toBe('inconclusive');
  });
});
