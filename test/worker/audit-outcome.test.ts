import { readdir } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { policySchema } from '../../core/fairness/policy/schema.ts';
import { judgeAudit } from '../../worker/audit-outcome.ts';
import { useTempFolder } from '../helpers/files.ts';
import { auditOf, featureOf, groupOf } from '../helpers/report-audits.ts';

const temp = useTempFolder();
const policy = policySchema.parse({ name: 'steady', rules: [{ metric: 'overallAuc', maxWorsening: 0.01 }] });
const reportOf = (auc: number) => auditOf([featureOf('sex', [groupOf('f', [5, 5, 5, 5], 0.8)])], { auc });
const at = (day: number) => new Date(Date.UTC(2026, 2, day));

describe('judgeAudit', () => {
  it('has nothing to say without policy and history', async () => {
    const report = reportOf(0.8);
    expect(await judgeAudit(report, { now: at(1) })).toEqual({ report, drift: null });
  });

  it('holds an audit against the last of its history, and adds it', async () => {
    const history = temp.at('history');
    const first = await judgeAudit(reportOf(0.8), { policy, history, now: at(1) });
    expect(first.report.gate!.verdict).toBe('inconclusive');
    const second = await judgeAudit(reportOf(0.78), { policy, history, now: at(2) });
    expect(second.report.gate).toMatchObject({ verdict: 'fail', findings: [{ value: 0.78, baseline: 0.8 }] });
    expect(second.drift!.audits).toBe(2);
    expect(await readdir(history)).toEqual(['20260301T000000Z.json', '20260302T000000Z.json']);
  });

  it('takes the baseline that is given before that of the history', async () => {
    const history = temp.at('baseline');
    await judgeAudit(reportOf(0.8), { history, now: at(1) });
    const { report } = await judgeAudit(reportOf(0.78), {
      policy,
      history,
      baseline: reportOf(0.78),
      now: at(2),
    });
    expect(report.gate!.verdict).toBe('pass');
  });
});
