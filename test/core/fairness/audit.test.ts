import { beforeAll, describe, expect, test } from 'vitest';
import { NonFiniteError, ShapeMismatchError } from '../../../core/errors.ts';
import { audit } from '../../../core/fairness/audit.ts';
import { startBackend } from '../../../worker/backend.ts';
import { featureOf } from '../../helpers/metric-tables.ts';

beforeAll(async () => {
  await startBackend('cpu');
});

describe('audit', () => {
  const labels = Int32Array.of(1, 0, 1, 0);
  const scores = [0.9, 0.1, 0.4, 0.6];
  const feature = featureOf(['a', 'a', 'b', 'b']);

  test('a score at the threshold is predicted positive, one a float64 step below is not', () => {
    const decisions = { scores: [0.7, 0.7 - 2 ** -53, 0.6999, 0.1], threshold: 0.7 };
    const { overall } = audit({ labels, sensitiveFeatures: [feature], decisions });
    expect(overall.rates.selectionRate.numerator).toBe(1);
  });

  test('a NaN or infinite score is an error, not a prediction', () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const decisions = { scores: [0.1, bad, 0.2, 0.3], threshold: 0.5 };
      expect(() => audit({ labels, sensitiveFeatures: [feature], decisions })).toThrow(NonFiniteError);
    }
  });

  test('refuses arrays that do not fit, naming which', () => {
    const decisions = { scores: [0.1], threshold: 0.5 };
    expect(() => audit({ labels, sensitiveFeatures: [feature], decisions })).toThrow(
      'predictions: expected 4 entries, one per label, received 1',
    );
    const short = featureOf(['a'], 'sex');
    const act = () => audit({ labels, sensitiveFeatures: [short], decisions: { scores, threshold: 0.5 } });
    expect(act).toThrow(ShapeMismatchError);
    expect(act).toThrow('groups of attribute 1: expected 4 entries');
  });

  test('warns of cells without and with little support, and of a single group', () => {
    const { warnings } = audit({
      labels: Int32Array.of(1, 0, 0),
      sensitiveFeatures: [featureOf(['a', 'a', 'b']), featureOf(['x', 'x', 'x'], 'site')],
      decisions: { scores: [0.9, 0.2, 0.3], threshold: 0.5 },
    });
    expect(warnings).toContain('group "b": no positive labels, so rates over them are not defined');
    expect(warnings).toContain('group "a": only 1 positive label, so rates over them are uncertain');
    expect(warnings).toContain('site: one group only, so no disparity is defined');
  });

  test.each([
    [Int32Array.of(), 'no samples: nothing could be measured'],
    [Int32Array.of(0), 'no positive labels: true positive rates and AUC are not defined'],
    [Int32Array.of(1), 'no negative labels: false positive rates and AUC are not defined'],
  ])('says when a class or everything is absent (%o)', (truth, warning) => {
    const report = audit({
      labels: truth,
      sensitiveFeatures: [featureOf(Array.from(truth, () => 'a'))],
      decisions: { scores: Array.from(truth, () => 0.5), threshold: 0.5 },
    });
    expect(report.warnings[0]).toBe(warning);
    expect(report.overall.auc.value).toBeNull();
  });

  test('predictions without scores have no AUC and no threshold', () => {
    const report = audit({ labels, sensitiveFeatures: [feature], decisions: { predictions: labels } });
    expect(report.threshold).toBeNull();
    expect(report.overall.auc).toMatchObject({
      value: null,
      reason: 'the table holds predictions, no scores',
    });
  });

  test.each([
    [{ level: 1 }, 'level: expected a number between 0 and 1, exclusive, received 1'],
    [{ level: Number.NaN }, 'level: expected'],
    [{ replicates: -1 }, 'replicates: expected an integer from 0 to 100000, received -1'],
    [{ seed: 0.5 }, 'seed: expected an integer, received 0.5'],
    [{ sensitivity: 0 }, 'sensitivity: expected a number above 0, at most 1, received 0'],
    [{ minSupport: { group: -1 } }, 'minSupport.group: expected an integer >= 0, received -1'],
    [{ reference: { race: 'a' } }, 'reference: expected a feature of the audit ("group"), received "race"'],
    [{ reference: { group: 'z' } }, 'reference group of group: expected one of its 2 groups, received "z"'],
  ])('refuses options out of range (%o)', (options, message) => {
    const decisions = { scores, threshold: 0.5 };
    expect(() => audit({ labels, sensitiveFeatures: [feature], decisions, ...options })).toThrow(message);
  });

  test('says how it was made, and the same seed gives the same report', () => {
    const make = (seed?: number) =>
      audit({
        labels,
        sensitiveFeatures: [feature],
        decisions: { scores, threshold: 0.5 },
        replicates: 50,
        level: 0.9,
        minSupport: { positives: 1 },
        reference: 'best',
        ...(seed !== undefined && { seed }),
      });
    expect(make()).toMatchObject({
      level: 0.9,
      replicates: 50,
      seed: 0,
      ranks: 'exact',
      isWeighted: false,
      clusters: null,
      minSupport: { group: 30, positives: 1, negatives: 30, action: 'mark' },
      thresholds: [0.1, 0.4, 0.5, 0.6, 0.9],
    });
    expect(make().features[0]!.reference!.rule).toBe('best');
    expect(make(7)).toEqual(make(7));
    const drawn = ({ overall }: ReturnType<typeof make>) => overall.specificityAtSensitivity.interval;
    expect(drawn(make(7))).not.toEqual(drawn(make(8)));
  });

  test('a weight that all rows share changes no figure, interval or test', () => {
    const make = (weights?: readonly number[]) =>
      audit({
        labels,
        sensitiveFeatures: [feature],
        decisions: { scores, threshold: 0.5 },
        replicates: 20,
        weights,
      });
    const [plain, weighted] = [make(), make([2, 2, 2, 2])];
    expect([plain.isWeighted, weighted.isWeighted]).toEqual([false, true]);
    expect(weighted.features[0]!.disparities).toEqual(plain.features[0]!.disparities);
    expect(weighted.overall.auc).toEqual(plain.overall.auc);
    expect(weighted.overall.rates.accuracy).toEqual({
      ...plain.overall.rates.accuracy,
      weighted: { numerator: 4, support: 8 },
    });
    expect(make([0, 0, 1, 1]).features[0]!.groups[0]).toMatchObject({
      support: 2,
      rates: { selectionRate: { value: null, numerator: 1, support: 2, interval: null } },
      auc: { value: null },
      brier: { value: null, reason: 'no samples' },
    });
  });

  test('scores that are no probabilities have ranks and no calibration', () => {
    const { overall } = audit({
      labels,
      sensitiveFeatures: [feature],
      decisions: { scores: scores.map((score) => 10 * score - 5), threshold: 0 },
      replicates: 0,
    });
    expect(overall.auc.value).toBe(3 / 4);
    expect(overall.brier.reason).toBe('scores outside [0, 1] are no probabilities');
    expect(overall.calibration!.slope.value).toBeNull();
  });

  test('without draws nothing rests on them', () => {
    const report = audit({
      labels,
      sensitiveFeatures: [feature],
      decisions: { scores, threshold: 0.5 },
      replicates: 0,
    });
    expect(report.overall.specificityAtSensitivity).toMatchObject({ value: 1 / 2, interval: null });
    expect(report.overall.rates.accuracy.interval!.method).toBe('wilson');
  });

  test('merges small groups when asked, and says so', () => {
    const report = audit({
      labels: Int32Array.of(1, 0, 1, 0),
      sensitiveFeatures: [featureOf(['a', 'a', 'b', 'c'])],
      decisions: { scores, threshold: 0.5 },
      minSupport: { group: 2, positives: 1, negatives: 1, action: 'merge' },
    });
    expect(report.features[0]!.groups.map(({ group, support }) => [group, support])).toEqual([
      ['a', 2],
      ['(other)', 2],
    ]);
    expect(report.warnings).toContain('group: 2 small groups were merged into one');
  });

  test('neither the order of samples nor the names of groups matter', () => {
    const shuffled = [2, 0, 3, 1];
    const pick = <T>(values: ArrayLike<T>) => shuffled.map((row) => values[row]!);
    const report = audit({ labels, sensitiveFeatures: [feature], decisions: { scores, threshold: 0.5 } });
    const other = audit({
      labels: Int32Array.from(pick(labels)),
      sensitiveFeatures: [featureOf(pick(['z', 'z', 'y', 'y']))],
      decisions: { scores: pick(scores), threshold: 0.5 },
    });
    const values = ({ features }: typeof report) =>
      Object.values(features[0]!.disparities).map(({ value }) => value);
    expect(values(other)).toEqual(values(report));
    expect(other.overall).toEqual(report.overall);
  });
});
