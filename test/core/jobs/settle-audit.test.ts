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

const inputOf = (fields: object, slot = SLOT) => {
  const definition: Definition = definitionSchema.parse({ request: AUDIT, every: { days: 1 }, ...fields });
  return { name: 'weekly', definition, slot, report: report() };
};

async function settle(fields: object, times = 1) {
  const deps = makeTestDeps();
  await putInputs(deps.store);
  const input = inputOf(fields);
  let settled = await settleAudit(deps, input);
  for (let time = 1; time < times; time += 1) settled = await settleAudit(deps, input);
  return { deps, settled };
}

const policyOf = (...rules: object[]) => ({ policy: { name: 'ours', rules } });
const broken = policyOf({ metric: 'equalizedOddsDifference', max: 0.4 });
const kept = policyOf({ metric: 'equalizedOddsDifference', max: 0.5 });

describe('settleAudit', () => {
  it('writes down the report with its findings and its verdict', async () => {
    const { deps, settled } = await settle(broken);
    expect(settled).toMatchObject({ definition: 'weekly', time: SLOT, verdict: 'fail' });
    expect(settled.findings).toEqual([
      expect.objectContaining({ value: 1 / 2, limit: { kind: 'max', value: 0.4 }, verdict: 'fail' }),
    ]);
    expect(scheduledAuditSchema.parse(deps.store.json(KEY))).toEqual(JSON.parse(JSON.stringify(settled)));
  });

  it('has no verdict without a policy', async () => {
    const { settled } = await settle({});
    expect(settled.verdict).toBeNull();
  });

  it('takes a preset by its name', async () => {
    const { settled } = await settle({ policy: 'equalized-odds-0.1' });
    expect(settled.verdict).toBe('inconclusive'); // two positives a group
  });

  it('holds what may not worsen against the audit of the period before', async () => {
    const deps = makeTestDeps();
    const steady = policyOf({ metric: 'equalizedOddsDifference', maxWorsening: 0 });
    const first = await settleAudit(deps, inputOf(steady));
    expect(first.findings).toMatchObject([{ verdict: 'inconclusive', reason: 'no baseline was given' }]);
    const second = await settleAudit(deps, inputOf(steady, '2026-03-02T00:00:00.000Z'));
    expect(second.findings).toMatchObject([{ verdict: 'pass', value: 1 / 2, baseline: 1 / 2 }]);
  });

  it('submits the mitigation that the definition spells out, only when the policy fails', async () => {
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
    const settling = settleAudit(deps, inputOf({ ...broken, mitigateOnFailure: MITIGATION }));
    await expect(settling).rejects.toThrow('down');
    expect(deps.store.keys('audits/')).toEqual([]);
  });

  it('goes by what was written down first, whatever the audit finds when it comes again', async () => {
    const { deps, settled } = await settle(broken);
    const again = await settleAudit(deps, inputOf(kept));
    expect(again).toEqual(JSON.parse(JSON.stringify(settled)));
  });
});

describe('a policy that fails', () => {
  const ALERT = 'alerts/weekly/20260301T000000Z.json';

  it('leaves an alert with what was broken', async () => {
    const rules = [...broken.policy.rules, { metric: 'demographicParityDifference', max: 1 }];
    const { deps, settled } = await settle(policyOf(...rules));
    expect(settled.findings.map(({ verdict }) => verdict)).toEqual(['fail', 'pass']);
    expect(deps.store.keys('alerts/')).toEqual([ALERT]);
    expect(deps.store.json(ALERT)).toEqual({
      schemaVersion: 1,
      definition: 'weekly',
      time: SLOT,
      findings: [settled.findings[0]],
    });
  });

  it.each([
    ['a policy that passes', kept],
    ['no policy at all', {}],
  ])('is none: %s, so there is no alert', async (_, fields) => {
    const { deps } = await settle(fields);
    expect(deps.store.keys('alerts/')).toEqual([]);
  });

  it('leaves one alert, however often the audit is settled, and another for the next period', async () => {
    const { deps } = await settle(broken, 3);
    const written = await deps.store.info(ALERT);
    deps.wait(24 * 3600);
    await settleAudit(deps, inputOf(broken));
    expect(await deps.store.info(ALERT)).toEqual(written);
    await settleAudit(deps, inputOf(broken, '2026-03-02T00:00:00.000Z'));
    expect(deps.store.keys('alerts/')).toEqual([ALERT, 'alerts/weekly/20260302T000000Z.json']);
  });

  it('leaves its alert after a process that died behind the record of the audit', async () => {
    const deps = makeTestDeps();
    deps.store.before = (method, key) => {
      if (method === 'write' && key === ALERT) throw new StorageError('down');
    };
    await expect(settleAudit(deps, inputOf(broken))).rejects.toThrow('down');
    expect(deps.store.keys('audits/')).toEqual([KEY]);
    deps.store.before = () => {};
    await settleAudit(deps, inputOf(kept));
    expect(deps.store.keys('alerts/')).toEqual([ALERT]);
  });
});

describe('the mitigation of a limit that stays broken', () => {
  const mitigated = { ...broken, mitigateOnFailure: MITIGATION };
  const PERIODS = [1, 2, 3].map((day) => `2026-03-0${day}T00:00:00.000Z`);

  it('is one job for all periods, which each audit names', async () => {
    const deps = makeTestDeps();
    await putInputs(deps.store);
    const jobs: unknown[] = [];
    for (const slot of PERIODS) {
      jobs.push((await settleAudit(deps, inputOf(mitigated, slot))).mitigation);
      deps.wait(24 * 3600);
      const [queueId] = [...deps.queues.gpu.works.keys()];
      deps.queues.gpu.set(queueId!, { status: 'succeeded' });
    }
    expect(deps.queues.gpu.works.size).toBe(1);
    expect(jobs).toEqual(new Array(3).fill({ jobId: [...deps.queues.gpu.works.values()][0]!.jobId }));
  });

  it.each([
    ['table', MITIGATION.manifest],
    ['model', 'uploads/set/model/model.json'],
  ])('is another job once the %s was uploaded again, be it with the same bytes', async (_, key) => {
    const deps = makeTestDeps();
    await putInputs(deps.store);
    const first = await settleAudit(deps, inputOf(mitigated, PERIODS[0]));
    deps.wait(24 * 3600);
    await deps.store.write(key, (await deps.store.read(key))!.body);
    const second = await settleAudit(deps, inputOf(mitigated, PERIODS[1]));
    expect(deps.queues.gpu.works.size).toBe(2);
    expect(second.mitigation).not.toEqual(first.mitigation);
  });

  it('is one of each definition that asks for it', async () => {
    const deps = makeTestDeps();
    await putInputs(deps.store);
    await settleAudit(deps, inputOf(mitigated));
    await settleAudit(deps, { ...inputOf(mitigated), name: 'other' });
    expect(deps.queues.gpu.works.size).toBe(2);
  });
});
