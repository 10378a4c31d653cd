import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { disparities, disparity } from '../../../core/fairness/disparity.ts';
import type { DisparityName } from '../../../core/fairness/types.ts';
import { DISPARITY_NAMES } from '../../../core/fairness/types.ts';
import { countsFor, groupFrom } from '../../helpers/metric-tables.ts';

const opposite = [
  groupFrom('a', countsFor({ tpr: 0.9, fpr: 0.1 })),
  groupFrom('b', countsFor({ tpr: 0.7, fpr: 0.3 })),
];

const FROM_SCORES = /^(?:auc|xAuc|specificity|calibration|brier)/;
const OTHERS = ['classImbalance', 'conditionalDemographicDisparity', 'treatmentEqualityDifference'];
const OF_RATES = DISPARITY_NAMES.filter(
  (name) => !FROM_SCORES.test(name) && !OTHERS.includes(name) && name !== 'disparateImpactRatio',
);

describe('disparity', () => {
  test('opposite gaps cancel in the signed form of the paper and in no other', () => {
    expect(disparity('bmftEqualizedOdds', opposite).value).toBeCloseTo(0, 12);
    expect(disparity('equalizedOddsMeanDifference', opposite).value).toBeCloseTo(0.2, 12);
    expect(disparity('equalizedOddsDifference', opposite).value).toBeCloseTo(0.2, 12);
  });

  test('names the groups at both ends of a gap', () => {
    expect(disparity('equalOpportunityDifference', opposite).between).toEqual(['b', 'a']);
  });

  test('is null with the reason when a group is empty, for every metric', () => {
    const empty = groupFrom('ghost', {
      truePositives: 0,
      falsePositives: 0,
      trueNegatives: 0,
      falseNegatives: 0,
    });
    for (const [name, result] of Object.entries(disparities([...opposite, empty]))) {
      if (!OF_RATES.includes(name as DisparityName)) continue;
      expect(result.value, name).toBeNull();
      expect(result.reason, name).toMatch(/"ghost"(:| has) no /);
      expect(result.unsupportedGroups, name).toEqual(['ghost']);
    }
  });

  test('a ratio whose rates are all 0 is null, not 1', () => {
    const none = ['a', 'b'].map((name) => groupFrom(name, countsFor({ tpr: 0, fpr: 0 })));
    expect(disparity('demographicParityRatio', none)).toMatchObject({
      value: null,
      reason: 'the highest rate among the groups is 0, so a ratio is 0/0',
    });
    expect(disparity('demographicParityDifference', none).value).toBe(0);
  });

  test('needs two groups, and the signed form exactly two', () => {
    expect(disparity('demographicParityDifference', opposite.slice(0, 1))).toMatchObject({
      value: null,
      reason: 'one group only: a disparity needs two',
    });
    const third = groupFrom('c', countsFor({ tpr: 0.5, fpr: 0.5 }));
    expect(disparity('bmftEqualizedOdds', [...opposite, third])).toMatchObject({
      value: null,
      reason: 'defined for 2 groups only, received 3',
    });
  });

  const groupsArbitrary = fc
    .array(fc.record({ tp: fc.nat(50), fp: fc.nat(50), fn: fc.nat(50), tn: fc.nat(50) }), {
      minLength: 2,
      maxLength: 6,
    })
    .map((tables) =>
      tables.map(({ tp, fp, fn, tn }, place) =>
        groupFrom(`g${place}`, {
          truePositives: tp,
          falsePositives: fp,
          falseNegatives: fn,
          trueNegatives: tn,
        }),
      ),
    );

  test('lies in [0, 1] or is null with a reason, whatever the tables', () => {
    fc.assert(
      fc.property(groupsArbitrary, fc.constantFrom<DisparityName>(...OF_RATES), (groups, name) => {
        const { value, reason } = disparity(name, groups);
        if (value === null) expect(reason).toBeTruthy();
        else expect(value >= 0 && value <= 1 + 1e-12).toBe(true);
      }),
      { seed: 1 },
    );
  });

  test('does not depend on the order of the groups', () => {
    fc.assert(
      fc.property(groupsArbitrary, fc.constantFrom<DisparityName>(...DISPARITY_NAMES), (groups, name) => {
        const { value } = disparity(name, groups);
        const reversed = disparity(name, groups.toReversed()).value;
        if (value === null) expect(reversed).toBeNull();
        else expect(reversed).toBeCloseTo(value, 12);
      }),
      { seed: 2 },
    );
  });

  test('a perfect classifier has no equalized-odds difference', () => {
    const perfect = ['a', 'b', 'c'].map((name) => groupFrom(name, countsFor({ tpr: 1, fpr: 0 })));
    expect(disparity('equalizedOddsDifference', perfect).value).toBe(0);
  });
});
