import { describe, expect, it } from 'vitest';
import { StorageError } from '../../../core/errors.ts';
import { audit } from '../../../core/fairness/audit.ts';
import { type Definition, definitionSchema } from '../../../core/jobs/definitions.ts';
import { scheduledAuditSchema, settleAudit } from '../../../core/jobs/settle-audit.ts';
import { AUDIT, MITIGATION, MODEL_AUDIT, makeTestDeps, putInputs } from './fixtures.ts';
import { useWasm } from './wasm.ts';

useWasm();

const SLOT = '2026-03-01T00:00:00.000Z';
const KEY = 'audits/weekly/20260301T000000Z.json';

/** An equalized odds difference of 1/2. */
const report = () =>
  audit({
    labels: Int32Array.of(1, 1, 0, 0, 1, 1, 0, 0),
    sensitiveFeatures: [
      { name: 'sex', groupNames: ['f', 'm'], groups: Int32Array.of(0, 0, 0, 0, 1, 1, 1, 1) },
    ],
    decisions: { predictions: Int32Array.of(1, 0, 1, 0, 1, 1, 0, 0) },
  });

async function settle(fields: object, times = 1) {
  const deps = makeTestDeps();
  await putInputs(deps.store);
  const definition: Definition = definitionSchema.parse({ request: AUDIT, every: { days: 1 }, ...fields });
  const input = { name: 'weekly', definition, slot: SLOT, report: report() };
  let settled = await settleAudit(deps, input);
  for (let time = 1; time < times; time += 1) settled = await settleAudit(deps, input);
  return { deps, settled };
}

const broken = { limits: [{ metric: 'equalizedOddsDifference', max: 0.4 }] };
const kept = { limits: [{ metric: 'equalizedOddsDifference', max: 0.5 }] };

describe('settleAudit', () => {
  it('writes down the report with its findings and its verdict', async () => {
    const { deps, settled } = await settle(broken);
    expect(settled).toMatchObject({ definition: 'weekly', time: SLOT, verdict: 'fail' });
    expect(settled.findings).toEqual([expect.objectContaining({ value: 1 / 2, max: 0.4, verdict: 'fail' })]);
    expect(scheduledAuditSchema.parse(deps.store.json(KEY))).toEqual(JSON.parse(JSON.stringify(settled)));
  });

  it('has no verdict where no limit is set', async () => {
    const { settled } = await settle({});
    expect(settled.verdict).toBeNull();
  });

  it('submits the mitigation that the definition spells out, only when a limit is broken', async () => {
    const failed = await settle({ ...broken, mitigateOnFailure: MITIGATION });
    expect([...failed.deps.queues.gpu.works.values()]).toHaveLength(1);
    expect(failed.settled.mitigation).toEqual({ jobId: failed.deps.queues.gpu.works.get('gpu-1')!.jobId });
    const passed = await settle({ ...kept, mitigateOnFailure: MITIGATION });
    expect(passed.deps.queues.gpu.works.size).toBe(0);
    expect(passed.settled).not.toHaveProperty('mitigation');
  });

  it('derives the mitigation from the audited model', async () => {
    const request = { ...MODEL_AUDIT, only: 'test', threshold: 0.3 };
    const { deps, settled } = await settle({ ...broken, request, mitigateOnFailure: true });
    const { jobId } = settled.mitigation as { jobId: string };
    expect(deps.store.json(`jobs/${jobId}/record.json`)).toMatchObject({
      request: { ...MITIGATION, threshold: 0.3 },
    });
  });

  it('submits nothing unless the definition asks', async () => {
    const { deps } = await settle({ ...broken, mitigateOnFailure: false });
    expect(deps.queues.gpu.works.size).toBe(0);
  });

  it('changes nothing the second time', async () => {
    const once = await settle({ ...broken, mitigateOnFailure: MITIGATION });
    const twice = await settle({ ...broken, mitigateOnFailure: MITIGATION }, 2);
    expect(twice.settled).toEqual(once.settled);
    expect(twice.deps.queues.gpu.works.size).toBe(1);
    expect(twice.deps.store.keys('audits/')).toEqual([KEY]);
  });

  it('stands without a mitigation that cannot start, and says why', async () => {
    const missing = { ...MITIGATION, manifest: 'uploads/none/labels.csv' };
    const { settled } = await settle({ ...broken, mitigateOnFailure: missing });
    expect(settled.mitigation).toEqual({ error: expect.stringContaining('manifest: expected an object') });
  });

  it('throws when the queue fails, and writes nothing down', async () => {
    const deps = makeTestDeps();
    await putInputs(deps.store);
    deps.queues.gpu.before = () => {
      throw new StorageError('down');
    };
    const definition = definitionSchema.parse({
      request: AUDIT,
      every: { days: 1 },
      ...broken,
      mitigateOnFailure: MITIGATION,
    });
    const settling = settleAudit(deps, { name: 'weekly', definition, slot: SLOT, report: report() });
    await expect(settling).rejects.toThrow('down');
    expect(deps.store.keys('audits/')).toEqual([]);
  });
});
