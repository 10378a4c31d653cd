import { beforeAll, describe, expect, test } from 'vitest';
import { audit } from '../../../core/fairness/audit.ts';
import { conditionalInterval, crossAucInterval, folded } from '../../../core/fairness/gap-intervals.ts';
import { criticalValue } from '../../../core/fairness/statistics/distributions.ts';
import { holm } from '../../../core/fairness/statistics/multiple-tests.ts';
import type { ConfusionCounts, FeatureAudit } from '../../../core/fairness/types.ts';
import { startBackend } from '../../../worker/backend.ts';
import { countsFor, featureOf } from '../../helpers/metric-tables.ts';

beforeAll(async () => {
  await startBackend('cpu');
});

/** The audit of rows that have these tables. */
function auditTables(
  tables: Readonly<Record<string, ConfusionCounts>>,
  strata?: readonly string[],
): FeatureAudit {
  const rows = Object.entries(tables).flatMap(([group, counts]) => [
    ...new Array(counts.trueNegatives).fill([group, 0, 0]),
    ...new Array(counts.falsePositives).fill([group, 0, 1]),
    ...new Array(counts.falseNegatives).fill([group, 1, 0]),
    ...new Array(counts.truePositives).fill([group, 1, 1]),
  ]) as [string, number, number][];
  return audit({
    labels: Int32Array.from(rows, ([, label]) => label),
    sensitiveFeatures: [featureOf(rows.map(([group]) => group))],
    decisions: { predictions: Int32Array.from(rows, ([, , prediction]) => prediction) },
    replicates: 400,
    ...(strata && {
      strata: { names: strata, codes: Int32Array.from(rows, (_, row) => row % strata.length) },
    }),
  }).features[0]!;
}

const TWO = {
  a: countsFor({ tpr: 0.9, fpr: 0.1, support: 100 }),
  b: countsFor({ tpr: 0.7, fpr: 0.3, support: 100 }),
};
const ALIKE = {
  a: countsFor({ tpr: 0.8, fpr: 0.2, support: 100 }),
  b: countsFor({ tpr: 0.81, fpr: 0.21, support: 100 }),
  c: countsFor({ tpr: 0.79, fpr: 0.2, support: 100 }),
};

describe('folded', () => {
  test.each([
    [-0.2, 0.1, 0, 0.2],
    [0.1, 0.3, 0.1, 0.3],
    [-0.3, -0.1, 0.1, 0.3],
    [0, 0.3, 0, 0.3],
  ])('[%d, %d] becomes [%d, %d]', (low, high, least, most) => {
    expect(folded({ low, high, method: 'newcombe' })).toEqual({ low: least, high: most, method: 'newcombe' });
  });
});

describe('crossAucInterval', () => {
  const SPREAD = 0.05;
  const auc = (positives: string, negatives: string, value: number, isKnown = true) => ({
    positives,
    negatives,
    auc: { value, interval: null },
    estimator: isKnown
      ? (level: number) => {
          const half = criticalValue(level) * SPREAD;
          return { value, low: value - half, high: value + half };
        }
      : null,
  });
  const pair = [auc('a', 'b', 0.9), auc('b', 'a', 0.7)];
  const rest = [auc('a', 'c', 0.8), auc('c', 'a', 0.8), auc('b', 'c', 0.7), auc('c', 'b', 0.8)];
  const halfAt = (level: number) => criticalValue(level) * SPREAD * Math.SQRT2;

  test('of two groups is that of one difference, of more its lower end has the level of all pairs', () => {
    const { low, high } = crossAucInterval(pair, 0.95)!;
    expect([low, high]).toEqual([
      expect.closeTo(0.2 - halfAt(0.95), 12),
      expect.closeTo(0.2 + halfAt(0.95), 12),
    ]);
    const several = crossAucInterval([...pair, ...rest], 0.95)!;
    expect(several.low).toBeCloseTo(0.2 - halfAt(1 - 0.05 / 3), 12);
    expect(several.high).toBe(high);
  });

  test('needs an interval of each xAUC', () => {
    expect(crossAucInterval([pair[0]!, auc('b', 'a', 0.7, false)], 0.95)).toBeNull();
    expect(crossAucInterval([], 0.95)).toBeNull();
  });
});

describe('conditionalInterval', () => {
  const options = { level: 0.95, replicates: 1000, seed: 1 };
  const stratum = (name: string, ...selected: number[]) => ({
    stratum: name,
    counts: selected.map((truePositives) => ({
      truePositives,
      falsePositives: 0,
      trueNegatives: 100 - truePositives,
      falseNegatives: 0,
    })),
  });

  test('starts at 0 where groups are selected alike, however often it is drawn anew', () => {
    expect(conditionalInterval([stratum('s', 50, 52)], options)!.low).toBe(0);
    expect(
      conditionalInterval([stratum('s', 50, 52, 47, 51), stratum('t', 20, 18, 21, 19)], options)!.low,
    ).toBe(0);
  });

  test('is about that of the signed disparity where groups are far apart', () => {
    // Of 200 rows half are selected, 70 % of them of one group: DD = 0.3 - 0.7, error √(4 · 2 · 0.21/200) · ½ each way.
    const { low, high } = conditionalInterval([stratum('s', 70, 30)], options)!;
    const error = Math.sqrt((2 * 0.21) / 100);
    expect(low).toBeCloseTo(0.4 - 1.96 * error, 1);
    expect(high).toBeCloseTo(0.4 + 1.96 * error, 1);
  });

  test('has none without strata or draws', () => {
    expect(conditionalInterval([], options)).toBeNull();
    expect(conditionalInterval([stratum('s', 1, 2)], { ...options, replicates: 0 })).toBeNull();
  });
});

/** TPRs differ with a p-value of 0.026: not once both rates are tested. */
const DOUBTFUL = {
  a: { truePositives: 41, falseNegatives: 9, falsePositives: 10, trueNegatives: 40 },
  b: { truePositives: 31, falseNegatives: 19, falsePositives: 10, trueNegatives: 40 },
};

describe('gaps of a feature', () => {
  test('whether odds are alike is decided once for both rates', () => {
    const { disparities } = auditTables(DOUBTFUL);
    const { equalOpportunityDifference, equalizedOddsDifference, equalizedOddsRatio } = disparities;
    expect(equalOpportunityDifference.test!.pValue).toBeCloseTo(0.026, 3);
    expect(equalOpportunityDifference.interval!.low).toBeGreaterThan(0.01);
    expect(equalizedOddsDifference.test!.pValue).toBeCloseTo(0.052, 3);
    expect(equalizedOddsDifference.interval!.low).toBe(0);
    expect(equalizedOddsRatio.interval!.high).toBe(1);
    expect(disparities.equalizedOddsMeanDifference.interval!.low).toBe(0);
    expect(disparities.equalizedOddsMeanRatio.interval!.high).toBe(1);
  });

  test.each([
    ['apart', TWO],
    ['alike', ALIKE],
    ['doubtful', DOUBTFUL],
  ])('an interval holds its gap; where the test sees none, it reaches none (%s)', (_, tables) => {
    const measured = Object.entries(auditTables(tables).disparities).filter(([, { interval }]) => interval);
    expect(measured.length).toBeGreaterThan(12);
    for (const [name, { value, interval, test: found }] of measured) {
      expect(interval!.low <= value! && value! <= interval!.high, name).toBe(true);
      if (name === 'disparateImpactRatio' || (found?.pValue ?? 0) <= 0.05) continue;
      expect(name.endsWith('Ratio') ? 1 - interval!.high : interval!.low, name).toBe(0);
    }
  });

  test('opposite gaps: the interval of the signed form reaches 0, that of the mean does not', () => {
    const { disparities } = auditTables(TWO);
    expect(disparities.bmftEqualizedOdds.interval!.low).toBe(0);
    expect(disparities.equalizedOddsMeanDifference.interval!.low).toBeGreaterThan(0.05);
    expect(disparities.bmftEqualizedOdds.test).toBeNull();
  });

  test('equalised odds reject when either rate does, at twice its p-value', () => {
    const { disparities } = auditTables(TWO);
    const [tpr, fpr] = [
      disparities.equalOpportunityDifference.test!,
      disparities.falsePositiveRateDifference.test!,
    ];
    expect(disparities.equalizedOddsDifference.test!.pValue).toBeCloseTo(
      2 * Math.min(tpr.pValue, fpr.pValue),
      12,
    );
  });

  test('two groups: a comparison is the gap with its sign, by one and the same test', () => {
    const { comparisons, disparities, reference } = auditTables(TWO);
    const compared = comparisons.find(({ rate }) => rate === 'truePositiveRate')!;
    expect(reference).toEqual({ group: 'a', rule: 'largest' });
    expect(compared.difference.value).toBeCloseTo(0.7 - 0.9, 12);
    expect(compared.ratio.value).toBeCloseTo(0.7 / 0.9, 12);
    expect(compared.difference.test).toEqual(disparities.equalOpportunityDifference.test);
    const missed = comparisons.find(({ rate }) => rate === 'falseNegativeRate')!;
    expect(missed.difference.test).toEqual(compared.difference.test);
    expect(compared.difference.smallestDetectable).toBeCloseTo(
      disparities.equalOpportunityDifference.smallestDetectable!,
      12,
    );
  });

  test('every hypothesis counts once in the adjustment', () => {
    const { comparisons, disparities } = auditTables(ALIKE);
    const tests = [
      ...Object.values(disparities).map(({ test: found }) => found),
      ...comparisons.map(({ difference }) => difference.test),
    ].filter((found) => found !== null);
    // Omnibus: seven rates (four more say the same), balanced accuracy, FN/FP; seven rates of two groups each.
    expect(comparisons).toHaveLength(2 * 12);
    const smallest = Math.min(...tests.map(({ pValue }) => pValue));
    const family = 9 + 2 * 7;
    const adjusted = tests.find(({ pValue }) => pValue === smallest)!.adjustedPValue;
    expect(adjusted).toBeCloseTo(holm([smallest, ...new Array(family - 1).fill(1)])[0]!, 12);
  });

  test('the interval of a conditional disparity comes from its strata', () => {
    const { disparities, strata } = auditTables(TWO, ['s1', 's2']);
    expect(strata.map(({ stratum }) => stratum)).toEqual(['s1', 's2']);
    const { value, interval } = disparities.conditionalDemographicDisparity;
    expect(interval!.method).toBe('bootstrap');
    expect(interval!.high).toBeGreaterThan(value!);
  });

  test('a ratio to a rate of 0 says so', () => {
    const { comparisons, disparities } = auditTables({
      a: countsFor({ tpr: 0, fpr: 0, support: 20 }),
      b: countsFor({ tpr: 0.5, fpr: 0.5, support: 10 }),
    });
    const selected = comparisons.find(({ rate }) => rate === 'selectionRate')!;
    expect(selected.ratio).toMatchObject({ value: null, reason: 'the reference group "a" has 0' });
    expect(disparities.disparateImpactRatio.value).toBeNull();
    const auc = comparisons.find(({ rate }) => rate === 'auc')!;
    expect(auc.difference).toMatchObject({ value: null, test: null, smallestDetectable: null });
  });
});
