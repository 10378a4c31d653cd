import { describe, expect, it } from 'vitest';
import { auditReportSchema } from '../../core/jobs/audit-schema.ts';
import { makeCreateAudit } from '../../functions/create-audit.ts';
import { LARGEST_DIRECT_AUDIT_BYTES } from '../../functions/lib/audit-table.ts';
import { AUDIT, MITIGATION, MODEL_AUDIT, TABLE } from '../core/jobs/fixtures.ts';
import { apiEvent } from './events.ts';
import { bodyOf, makeReadyDeps } from './fixtures.ts';

const path = '/v1/audits';

describe('POST /v1/audits', () => {
  it('answers at once with the audit of a small table', async () => {
    const deps = await makeReadyDeps();
    const response = await makeCreateAudit(deps)(apiEvent({ path, body: AUDIT }));
    const report = auditReportSchema.parse(bodyOf(response));
    expect(response.statusCode).toBe(200);
    // Of two women with a positive label one is found, of two men both: 1/2 against 1.
    expect(report.features[0]?.disparities.equalOpportunityDifference.value).toBe(1 - 1 / 2);
    expect(report.features[0]?.groups.map(({ group, support }) => [group, support])).toEqual([
      ['f', 4],
      ['m', 4],
    ]);
    expect([deps.store.keys('jobs/'), deps.queues.cpu.works.size]).toEqual([[], 0]);
  });

  it('holds the audit against a policy, as it was asked to make it', async () => {
    const deps = await makeReadyDeps();
    const rules = [{ metric: 'equalOpportunityDifference', max: 0.4 }];
    const body = { ...AUDIT, minSupport: { group: 5 }, replicates: 0, policy: { name: 'ours', rules } };
    const response = await makeCreateAudit(deps)(apiEvent({ path, body }));
    const { gate, minSupport, replicates } = auditReportSchema.parse(bodyOf(response));
    expect(gate).toMatchObject({ policy: 'ours', verdict: 'fail', findings: [{ value: 1 / 2 }] });
    expect([minSupport.group, minSupport.positives, replicates]).toEqual([5, 30, 0]);
  });

  it('makes a job of a table that is larger than the limit', async () => {
    const deps = await makeReadyDeps();
    const head = 'y,sex,p,note\n1,f,0.9,';
    const rows = `\n0,m,0.1,${'x'.repeat(100_000)}`.repeat(80);
    const table = `${head}${'x'.repeat(LARGEST_DIRECT_AUDIT_BYTES - head.length - rows.length)}${rows}`;
    await deps.store.put(AUDIT.predictions, table);
    const handler = makeCreateAudit(deps);
    expect((await handler(apiEvent({ path, body: AUDIT }))).statusCode).toBe(200);
    await deps.store.put(AUDIT.predictions, `${table}x`);
    const response = await handler(apiEvent({ path, body: AUDIT }));
    expect(response.statusCode).toBe(202);
    expect(response.headers.location).toBe(`/v1/jobs/${String(bodyOf(response).jobId)}`);
  });

  it('makes a job of an audit whose report is too long for an answer', async () => {
    const deps = await makeReadyDeps();
    const names = Array.from({ length: 6 }, (_, index) => `s${index}`);
    const rows = Array.from({ length: 900 }, (_, row) => `${row % 2},0.5${`,g${row}`.repeat(names.length)}`);
    await deps.store.put(AUDIT.predictions, `y,p,${names.join(',')}\n${rows.join('\n')}\n`);
    const body = { ...AUDIT, columns: { label: 'y', score: 'p', sensitiveFeatures: names } };
    const response = await makeCreateAudit(deps)(apiEvent({ path, body }));
    expect(response.statusCode).toBe(202);
  });

  it('refuses more groups than a report can hold, before it is made', async () => {
    const deps = await makeReadyDeps();
    const names = Array.from({ length: 50 }, (_, index) => `s${index}`);
    const rows = Array.from({ length: 201 }, (_, row) => `${row % 2},0.5${`,g${row}`.repeat(names.length)}`);
    await deps.store.put(AUDIT.predictions, `y,p,${names.join(',')}\n${rows.join('\n')}\n`);
    const body = { ...AUDIT, columns: { label: 'y', score: 'p', sensitiveFeatures: names } };
    const response = await makeCreateAudit(deps)(apiEvent({ path, body }));
    expect(response.statusCode).toBe(400);
    expect(bodyOf(response).message).toContain(`at most 10000 groups in all sensitive features together`);
    expect(deps.store.keys('jobs/')).toEqual([]);
  });

  it('makes a job of the audit of a model', async () => {
    const deps = await makeReadyDeps();
    const response = await makeCreateAudit(deps)(apiEvent({ path, body: MODEL_AUDIT }));
    expect(bodyOf(response)).toMatchObject({ kind: 'model-audit', status: 'queued' });
  });

  it('mitigates nothing', async () => {
    const response = await makeCreateAudit(await makeReadyDeps())(apiEvent({ path, body: MITIGATION }));
    expect(response.statusCode).toBe(400);
  });

  it('refuses a table that was never uploaded', async () => {
    const body = { ...AUDIT, predictions: 'uploads/none.csv' };
    const response = await makeCreateAudit(await makeReadyDeps())(apiEvent({ path, body }));
    expect(response.statusCode).toBe(400);
    expect(response.body).not.toContain('none.csv');
  });

  it('names line and column of a wrong cell, and nothing that the table holds', async () => {
    const deps = await makeReadyDeps();
    await deps.store.put(AUDIT.predictions, `${TABLE}1,CANARY-1,CANARY-2\n`);
    const response = await makeCreateAudit(deps)(apiEvent({ path, body: AUDIT }));
    expect(response.statusCode).toBe(400);
    expect(bodyOf(response).message).toBe(
      'predictions, line 10, column "p": expected a score in [0, 1], received text of 8 characters',
    );
  });
});
