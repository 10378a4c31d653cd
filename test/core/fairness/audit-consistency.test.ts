import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { audit } from '../../../core/fairness/audit.ts';
import { auditInconsistencies } from '../../../core/fairness/audit-consistency.ts';
import type { AuditReport } from '../../../core/fairness/types.ts';
import { makeRandom } from '../../../worker/random.ts';
import { withBackend } from '../../helpers/tensors.ts';

function audited(seed: number, rows = 120): AuditReport {
  const random = makeRandom(seed);
  const draw = () => Array.from({ length: rows }, () => random.next());
  const [scores, labels, groups] = [draw(), draw(), draw()];
  return audit({
    labels: Int32Array.from(labels, (value) => (value > 0.6 ? 1 : 0)),
    sensitiveFeatures: [
      {
        name: 'sex',
        groupNames: ['f', 'm', 'x'],
        groups: Int32Array.from(groups, (value) => Math.floor(value * 3)),
      },
      { name: 'site', groupNames: ['a', 'empty'], groups: new Int32Array(rows) },
    ],
    decisions: { scores, threshold: 0.5 },
    intersections: 2,
    replicates: 50,
  });
}

type Editable = { -readonly [Key in keyof AuditReport]: AuditReport[Key] } & { overall: object };

/** What is found after a change of a copy. */
function after(change: (report: Editable) => void): string[] {
  const report = structuredClone(audited(1)) as Editable;
  change(report);
  return auditInconsistencies(report);
}

describe('auditInconsistencies', () => {
  withBackend('cpu');

  it('finds none in an audit of any rows, however few', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 40 }), (seed, rows) => {
        const report = JSON.parse(JSON.stringify(audited(seed, rows))) as AuditReport;
        expect(auditInconsistencies(report)).toEqual([]);
      }),
      { seed: 5, numRuns: 25 },
    );
  });

  it.each([
    [
      'a count',
      (report: Editable) => Object.assign(report.overall.counts, { truePositives: 0 }),
      /all samples: positives is \d+, its counts give/,
    ],
    [
      'a support',
      (report: Editable) => Object.assign(report.features[0]!.groups[0]!, { support: 999 }),
      /sex: support of the groups add up to/,
    ],
    [
      'a rate',
      (report: Editable) =>
        Object.assign(report.features[0]!.groups[1]!.rates.falsePositiveRate, { value: 0 }),
      /sex "m": falsePositiveRate is 0, its counts give/,
    ],
    [
      'a numerator',
      (report: Editable) => Object.assign(report.overall.rates.accuracy, { numerator: 1 }),
      /accuracy is 1 of 120, its counts give/,
    ],
    [
      'an interval of a rate',
      (report: Editable) =>
        Object.assign(report.overall.rates.accuracy, { interval: { low: 0.4, high: 0.5, method: 'wilson' } }),
      /accuracy: its interval does not follow/,
    ],
    [
      'a balanced accuracy',
      (report: Editable) => Object.assign(report.overall.balancedAccuracy, { value: 0.9 }),
      /balancedAccuracy is 0.9, its rates give/,
    ],
    [
      'an AUC',
      (report: Editable) => Object.assign(report.overall.auc, { value: 0.999 }),
      /all samples: auc is 0.999, outside of its own interval/,
    ],
    [
      'an AUC of a group',
      (report: Editable) => Object.assign(report.features[0]!.groups[0]!.auc, { value: 0.5 }),
      /sex: aucDifference is/,
    ],
    [
      'a disparity',
      (report: Editable) =>
        Object.assign(report.features[0]!.disparities.equalizedOddsDifference, { value: 0.001 }),
      /sex: equalizedOddsDifference is 0.001, its groups give/,
    ],
    [
      'a disparity over an empty group',
      (report: Editable) =>
        Object.assign(report.features[1]!.disparities.equalOpportunityDifference, { value: 0 }),
      /site: equalOpportunityDifference is 0, its groups give null/,
    ],
    [
      'the groups without support',
      (report: Editable) =>
        Object.assign(report.features[1]!.disparities.equalOpportunityDifference, { unsupportedGroups: [] }),
      /the groups without support are not those/,
    ],
    [
      'the worst group',
      (report: Editable) => Object.assign(report.features[0]!.worstGroups[0]!, { group: 'nobody' }),
      /sex: the worst group by auc is not/,
    ],
    [
      'a sweep',
      (report: Editable) =>
        Object.assign(report.overall.sweep!, {
          truePositives: report.overall.sweep!.truePositives.map((count) => count + 1),
        }),
      /its counts are not those of the sweep/,
    ],
  ])('finds %s that was changed', (_, change, words) => {
    expect(after((report) => void change(report)).join('\n')).toMatch(words);
  });
});
