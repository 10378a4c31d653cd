import { describe, expect, it } from 'vitest';
import { driftOf, driftSchema, SHOWN_POINTS } from '../../../../core/fairness/drift/drift.ts';
import type { AuditReport } from '../../../../core/fairness/types.ts';
import { auditOf, featureOf, groupOf } from '../../../helpers/report-audits.ts';

/** An audit whose odds gap is (50 − tp) / 100, known to ± 0.02. */
function reportOf(tp: number): AuditReport {
  const feature = featureOf('sex', [
    groupOf('f', [50, 10, 90, 50], 0.8),
    groupOf('m', [tp, 10, 90, 100 - tp], 0.8),
  ]);
  const gap = feature.disparities.equalizedOddsDifference;
  const interval = { low: gap.value! - 0.02, high: gap.value! + 0.02, method: 'bootstrap' as const };
  const disparities = { ...feature.disparities, equalizedOddsDifference: { ...gap, interval } };
  return auditOf([{ ...feature, disparities }]);
}

const weekly = (tps: readonly number[]) =>
  tps.map((tp, week) => ({ time: new Date(Date.UTC(2026, 0, 1 + 7 * week)), report: reportOf(tp) }));

const oddsOf = (drift: ReturnType<typeof driftOf>) =>
  drift.series.find(({ metric }) => metric === 'equalizedOddsDifference')!;

describe('driftOf', () => {
  it('has the trend and the changes of a gap', () => {
    const drift = driftOf(weekly([45, 45, 45, 45, 20, 20]));
    expect(driftSchema.parse(drift)).toEqual(drift);
    expect(drift.audits).toBe(6);
    const { points, changes, sensitiveFeature } = oddsOf(drift);
    expect(sensitiveFeature).toBe('sex');
    expect(points.map(({ value }) => value?.toFixed(2))).toEqual([
      '0.05',
      '0.05',
      '0.05',
      '0.05',
      '0.30',
      '0.30',
    ]);
    expect(changes).toMatchObject([{ time: '2026-01-29T00:00:00.000Z', after: expect.closeTo(0.3, 6) }]);
  });

  it('orders audits by time and keeps the last of one time', () => {
    const audits = weekly([45, 40, 35, 30]);
    const again = [...audits.toReversed(), { ...audits[0]!, report: reportOf(50) }];
    expect(oddsOf(driftOf(again)).points.map(({ value }) => value?.toFixed(2))).toEqual([
      '0.00',
      '0.10',
      '0.15',
      '0.20',
    ]);
    expect(oddsOf(driftOf(audits)).trend!.slopePerDay).toBeCloseTo(0.05 / 7, 10);
  });

  it('shows a metric that is not defined as a gap in the line', () => {
    const audits = weekly([45, 45, 45, 45]);
    const empty = featureOf('sex', [groupOf('f', [50, 10, 90, 50], 0.8), groupOf('m', [0, 0, 0, 0], null)]);
    const drift = driftOf([...audits, { time: new Date(Date.UTC(2026, 6, 1)), report: auditOf([empty]) }]);
    expect(oddsOf(drift).points.at(-1)!.value).toBeNull();
    expect(oddsOf(drift).trend).not.toBeNull();
  });

  it('shows the last points', () => {
    const drift = driftOf(weekly(Array.from({ length: SHOWN_POINTS + 3 }, () => 45)));
    expect(oddsOf(drift).points).toHaveLength(SHOWN_POINTS);
    expect(drift.audits).toBe(SHOWN_POINTS + 3);
  });

  it('has nothing to say about no audits', () => {
    expect(driftOf([]).series.flatMap(({ points }) => points)).toEqual([]);
  });
});
