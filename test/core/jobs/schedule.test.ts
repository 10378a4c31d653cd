import { describe, expect, it } from 'vitest';
import { StorageError } from '../../../core/errors.ts';
import { audit } from '../../../core/fairness/audit.ts';
import type { AuditReport } from '../../../core/fairness/types.ts';
import { definitionSchema } from '../../../core/jobs/definitions.ts';
import { runDefinition, type ScheduleDeps } from '../../../core/jobs/schedule.ts';
import type { ScheduledAudit } from '../../../core/jobs/settle-audit.ts';
import { AUDIT, MODEL_AUDIT, makeTestDeps, putInputs, type TestDeps } from './fixtures.ts';
import { useWasm } from './wasm.ts';

useWasm();

const HOUR = 3600;
const LOCK = 'locks/definition-daily.json';

const report = (): AuditReport =>
  audit({
    labels: Int32Array.of(1, 0, 1, 0),
    sensitiveFeatures: [{ name: 'sex', groupNames: ['f', 'm'], groups: Int32Array.of(0, 0, 1, 1) }],
    decisions: { predictions: Int32Array.of(1, 0, 1, 0) },
  });

interface Scheduled {
  readonly deps: TestDeps;
  /** @param changes  of the definition */
  readonly run: (changes?: object) => Promise<string>;
  readonly audits: () => number;
  readonly announced: ScheduledAudit[];
  /** What auditing does in place of returning a report. */
  failWith: (() => Promise<AuditReport | null>) | null;
}

/** A daily definition whose audit is counted. */
async function makeScheduled(fields: object = {}): Promise<Scheduled> {
  const deps = makeTestDeps();
  await putInputs(deps.store);
  const definition = definitionSchema.parse({ request: AUDIT, every: { days: 1 }, ...fields });
  let audits = 0;
  const announced: ScheduledAudit[] = [];
  const scheduled: Scheduled = { deps, run, audits: () => audits, announced, failWith: null };
  const scheduleDeps: ScheduleDeps = {
    ...deps,
    announce: (result) => announced.push(result),
    audit: async () => {
      audits += 1;
      return scheduled.failWith === null ? report() : scheduled.failWith();
    },
  };
  function run(changes: object = {}) {
    return runDefinition(scheduleDeps, { name: 'daily', definition: { ...definition, ...changes } });
  }
  return scheduled;
}

describe('runDefinition with a small table', () => {
  it('audits once a period', async () => {
    const { run, deps, audits } = await makeScheduled();
    expect([await run(), await run()]).toEqual(['done', 'skipped']);
    deps.wait(18 * HOUR);
    expect(await run()).toBe('skipped');
    deps.wait(HOUR);
    expect([await run(), await run()]).toEqual(['done', 'skipped']);
    expect(audits()).toBe(2);
    expect(deps.store.keys('audits/')).toEqual([
      'audits/daily/20260301T000000Z.json',
      'audits/daily/20260302T000000Z.json',
    ]);
  });

  it('audits once when twenty callers come at once', async () => {
    const { run, audits, announced } = await makeScheduled();
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => run()));
    expect(outcomes.filter((outcome) => outcome === 'done')).toHaveLength(1);
    expect([audits(), announced.length]).toEqual([1, 1]);
  });

  it('audits once when two callers come to an older lock at once', async () => {
    const { run, deps, audits } = await makeScheduled();
    await run();
    deps.wait(24 * HOUR);
    expect((await Promise.all([run(), run()])).sort()).toEqual(['done', 'skipped']);
    expect(audits()).toBe(2);
  });

  it('announces the audit before it counts as done', async () => {
    const { run, announced, deps } = await makeScheduled();
    deps.store.before = (method, key) => {
      if (method === 'write' && key === LOCK && announced.length > 0) throw new StorageError('died');
    };
    await expect(run()).rejects.toThrow('died');
    expect(announced).toHaveLength(1);
  });

  it('tries again at the next three calls, and every six hours until the period ends', async () => {
    const scheduled = await makeScheduled({ every: { days: 366 } });
    const { run, deps, audits } = scheduled;
    scheduled.failWith = () => Promise.reject(new StorageError('down'));
    for (let attempt = 1; attempt <= 3; attempt += 1) await expect(run()).rejects.toThrow('down');
    expect(await run()).toBe('skipped');
    deps.wait(6 * HOUR - 1);
    expect(await run()).toBe('skipped');
    deps.wait(1);
    await expect(run()).rejects.toThrow('down');
    expect(await run()).toBe('skipped');
    expect(audits()).toBe(4);
    scheduled.failWith = null;
    deps.wait(6 * HOUR);
    expect([await run(), await run()]).toEqual(['done', 'skipped']);
  });

  it('tries at once when the definition that failed is corrected', async () => {
    const scheduled = await makeScheduled();
    const { run, audits } = scheduled;
    scheduled.failWith = () => Promise.reject(new StorageError('down'));
    for (let attempt = 1; attempt <= 3; attempt += 1) await expect(run()).rejects.toThrow('down');
    expect(await run()).toBe('skipped');
    scheduled.failWith = null;
    const corrected = { request: { ...AUDIT, threshold: 0.4 } };
    expect([await run(corrected), await run(corrected)]).toEqual(['done', 'skipped']);
    expect(audits()).toBe(4);
  });

  it('waits for one that holds the lock, and takes it over once that one must have died', async () => {
    const scheduled = await makeScheduled();
    const { run, deps, audits } = scheduled;
    scheduled.failWith = () => new Promise(() => {});
    void run();
    while (audits() === 0) await new Promise(setImmediate);
    scheduled.failWith = null;
    deps.wait(19 * 60);
    expect(await run()).toBe('skipped');
    deps.wait(60);
    expect(await run()).toBe('done');
    expect(deps.store.json(LOCK)).toMatchObject({ status: 'done', attempts: 2 });
  });

  it('starts anew once where the lock is damaged, however many callers come', async () => {
    const { run, deps, audits } = await makeScheduled();
    await deps.store.put(LOCK, 'damaged');
    expect((await Promise.all([run(), run(), run()])).sort()).toEqual(['done', 'skipped', 'skipped']);
    expect([await run(), audits()]).toEqual(['skipped', 1]);
  });

  it('does nothing for a clock that goes back', async () => {
    const { run, deps, audits } = await makeScheduled();
    await run();
    deps.wait(-48 * HOUR);
    expect(await run()).toBe('skipped');
    expect(audits()).toBe(1);
  });
});

describe('runDefinition with what takes a job', () => {
  const finish = async (deps: TestDeps, content: unknown = report()) => {
    const { jobId } = deps.store.json(LOCK) as { jobId: string };
    await deps.store.put(`results/${jobId}/audit.json`, content);
    deps.queues.cpu.set('cpu-1', { status: 'succeeded', attempts: 1 });
    deps.wait(60);
  };

  it('submits a job and collects what it found', async () => {
    const { run, deps, audits, announced } = await makeScheduled({ request: MODEL_AUDIT });
    expect([await run(), await run()]).toEqual(['waiting', 'waiting']);
    await finish(deps);
    expect([await run(), await run()]).toEqual(['done', 'skipped']);
    expect([deps.queues.cpu.works.size, audits(), announced.length]).toEqual([1, 0, 1]);
    expect(deps.store.json('audits/daily/20260301T000000Z.json')).toMatchObject({ definition: 'daily' });
  });

  it('submits a job for a table that is too large to audit at once', async () => {
    const scheduled = await makeScheduled();
    scheduled.failWith = async () => null;
    expect(await scheduled.run()).toBe('waiting');
    expect(scheduled.deps.queues.cpu.works.size).toBe(1);
  });

  it('collects a job of an earlier period before it starts the next', async () => {
    const { run, deps, announced } = await makeScheduled({ request: MODEL_AUDIT });
    await run();
    await finish(deps);
    deps.wait(24 * HOUR);
    expect(await run()).toBe('done');
    expect(announced.map(({ time }) => time)).toEqual(['2026-03-01T00:00:00.000Z']);
    expect(await run()).toBe('waiting');
    expect(deps.queues.cpu.works.size).toBe(2);
  });

  it('collects once when two callers come at once', async () => {
    const { run, deps, announced } = await makeScheduled({ request: MODEL_AUDIT });
    await run();
    await finish(deps);
    expect((await Promise.all([run(), run()])).sort()).toEqual(['done', 'skipped']);
    expect(announced).toHaveLength(1);
  });

  it('says that the job failed, and starts anew in the next period only', async () => {
    const { run, deps } = await makeScheduled({ request: MODEL_AUDIT });
    await run();
    deps.queues.cpu.set('cpu-1', { status: 'failed', exitCode: 65 });
    deps.wait(60);
    expect([await run(), await run()]).toEqual(['job-failed', 'skipped']);
    deps.wait(12 * HOUR);
    expect(await run()).toBe('skipped');
    deps.wait(12 * HOUR);
    expect(await run()).toBe('waiting');
    expect(deps.queues.cpu.works.size).toBe(2);
  });

  it.each([
    ['damaged', async (deps: TestDeps) => finish(deps, { schemaVersion: 1 })],
    ['longer than 64 MiB', async (deps: TestDeps) => finish(deps, ' '.repeat(2 ** 26 + 1))],
    [
      'gone',
      async (deps: TestDeps) => {
        await finish(deps);
        const { jobId } = deps.store.json(LOCK) as { jobId: string };
        await deps.store.put(`jobs/${jobId}/record.json`, {
          ...(deps.store.json(`jobs/${jobId}/record.json`) as object),
          status: 'succeeded',
        });
        await deps.store.delete(`results/${jobId}/audit.json`);
      },
    ],
  ])('takes a result that is %s for none, and starts anew in the next period', async (_, make) => {
    const { run, deps, announced } = await makeScheduled({ request: MODEL_AUDIT });
    await run();
    await make(deps);
    expect([await run(), await run()]).toEqual(['job-failed', 'skipped']);
    deps.wait(24 * HOUR);
    expect(await run()).toBe('waiting');
    expect(announced).toEqual([]);
  });

  it.each([
    ['gone', (deps: TestDeps, key: string) => deps.store.delete(key)],
    ['damaged', (deps: TestDeps, key: string) => deps.store.put(key, 'damaged')],
  ])('says that the job failed whose record is %s, and starts anew in the next period', async (_, spoil) => {
    const { run, deps } = await makeScheduled({ request: MODEL_AUDIT });
    await run();
    const { jobId } = deps.store.json(LOCK) as { jobId: string };
    await spoil(deps, `jobs/${jobId}/record.json`);
    expect([await run(), await run()]).toEqual(['job-failed', 'skipped']);
    deps.wait(24 * HOUR);
    expect(await run()).toBe('waiting');
    expect(deps.queues.cpu.works.size).toBe(2);
  });

  it('goes on waiting when the record cannot be read now', async () => {
    const { run, deps } = await makeScheduled({ request: MODEL_AUDIT });
    await run();
    deps.store.before = (_, key) => {
      if (key.endsWith('record.json')) throw new StorageError('throttled');
    };
    await expect(run()).rejects.toThrow('throttled');
    deps.store.before = () => {};
    expect(await run()).toBe('waiting');
  });

  it('does not submit again what was submitted before the lock was lost', async () => {
    const { run, deps } = await makeScheduled({ request: MODEL_AUDIT });
    deps.store.before = (method, key) => {
      if (method === 'write' && key === LOCK && deps.queues.cpu.works.size > 0)
        throw new StorageError('died');
    };
    await expect(run()).rejects.toThrow('died');
    deps.store.before = () => {};
    deps.wait(20 * 60);
    expect(await run()).toBe('waiting');
    expect(deps.queues.cpu.works.size).toBe(1);
  });
});
