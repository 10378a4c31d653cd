import { describe, expect, it } from 'vitest';
import { StorageError } from '../../core/errors.ts';
import { readRecord } from '../../core/jobs/records.ts';
import { submitJob } from '../../core/jobs/submit-job.ts';
import { makeOnSchedule } from '../../functions/on-schedule.ts';
import { makeOnUpload } from '../../functions/on-upload.ts';
import { AUDIT, MITIGATION, MODEL_AUDIT } from '../core/jobs/fixtures.ts';
import { s3BridgeEvent } from './events.ts';
import { type FunctionTestDeps, makeReadyDeps } from './fixtures.ts';

/** The sample table has an equalized odds difference of 1/2. */
const odds = (max: number) => ({ name: 'ours', rules: [{ metric: 'equalizedOddsDifference', max }] });
const broken = odds(0.4);
const kept = odds(0.5);
const TICK = { version: '1.0', scheduleArn: 'arn:aws:scheduler:eu-west-1:123456789012:schedule/default/x' };

async function makeScheduled(definitions: Readonly<Record<string, object | string>>) {
  const deps = await makeReadyDeps();
  for (const [name, fields] of Object.entries(definitions)) {
    const content = typeof fields === 'string' ? fields : { request: AUDIT, every: { days: 1 }, ...fields };
    await deps.store.put(`definitions/${name}.json`, content);
  }
  return { deps, tick: () => makeOnSchedule(deps)(TICK) };
}

const outcomes = (deps: FunctionTestDeps) =>
  deps
    .logs()
    .filter(({ message }) => message === 'scheduled audit')
    .map(({ definition, status }) => `${String(definition)} ${String(status)}`);

describe('a tick of the schedule', () => {
  it('audits every definition that is due, once a period', async () => {
    const { deps, tick } = await makeScheduled({ daily: {}, hourly: { every: { hours: 1 } } });
    await tick();
    await tick();
    deps.wait(3600);
    await tick();
    expect(outcomes(deps)).toEqual([
      'daily done',
      'hourly done',
      'daily skipped',
      'hourly skipped',
      'daily skipped',
      'hourly done',
    ]);
    expect(deps.store.keys('audits/')).toEqual([
      'audits/daily/20260301T000000Z.json',
      'audits/hourly/20260301T050000Z.json',
      'audits/hourly/20260301T060000Z.json',
    ]);
  });

  it('that overlaps another runs a definition once', async () => {
    const { deps, tick } = await makeScheduled({ daily: { policy: broken, mitigateOnFailure: MITIGATION } });
    await Promise.all([tick(), tick(), tick()]);
    expect(deps.store.keys('audits/')).toHaveLength(1);
    expect(deps.queues.gpu.works.size).toBe(1);
    expect(deps.metrics().filter(([name]) => name === 'PolicyFailure daily')).toEqual([
      ['PolicyFailure daily', 1],
    ]);
  });

  it('counts a policy that fails and submits the mitigation that the definition asks for', async () => {
    const { deps, tick } = await makeScheduled({ daily: { policy: broken, mitigateOnFailure: MITIGATION } });
    await tick();
    const [work] = deps.queues.gpu.works.values();
    expect(deps.metrics()).toEqual([
      ['PolicyFailure daily', 1],
      ['PolicyInconclusive daily', 0],
    ]);
    expect(deps.logs()[0]).toMatchObject({ status: 'fail', definition: 'daily', jobId: work?.jobId });
  });

  it('leaves an alert for each definition that fails its policy, and another in its next period', async () => {
    const names = Array.from({ length: 10 }, (_, index) => `broken-${index}`);
    const definitions = Object.fromEntries(names.map((name) => [name, { policy: broken }]));
    const { deps, tick } = await makeScheduled({ ...definitions, kept: { policy: kept } });
    const alerts = (day: number) => names.map((name) => `alerts/${name}/2026030${day}T000000Z.json`);
    await tick();
    await tick();
    expect(deps.store.keys('alerts/')).toEqual(alerts(1));
    deps.wait(24 * 3600);
    await tick();
    expect(deps.store.keys('alerts/')).toEqual([...alerts(1), ...alerts(2)].sort());
  });

  it('counts zero for a policy that passes, and mitigates nothing', async () => {
    const { deps, tick } = await makeScheduled({ daily: { policy: kept, mitigateOnFailure: MITIGATION } });
    await tick();
    expect(deps.metrics()).toEqual([
      ['PolicyFailure daily', 0],
      ['PolicyInconclusive daily', 0],
    ]);
    expect(deps.queues.gpu.works.size).toBe(0);
  });

  it('does not call a gap without support a pass', async () => {
    const { deps, tick } = await makeScheduled({ daily: { policy: kept } });
    await deps.store.put(AUDIT.predictions, 'y,sex,p\n1,f,0.9\n0,f,0.1\n0,m,0.2\n');
    await tick();
    expect(deps.metrics()).toContainEqual(['PolicyInconclusive daily', 1]);
  });

  it('goes on behind a definition that is wrong, and one whose table is missing', async () => {
    const { deps, tick } = await makeScheduled({
      a: '{"every":',
      b: { request: { ...AUDIT, predictions: 'uploads/gone.csv' } },
      c: {},
    });
    await tick();
    expect(outcomes(deps)).toEqual(['c done']);
    const failures = deps.logs().filter(({ level }) => level === 'error');
    expect(failures.map(({ definition, code }) => [definition, code])).toEqual([
      ['a', 'INVALID_INPUT'],
      ['b', 'INVALID_INPUT'],
    ]);
    expect(deps.metrics()).toContainEqual(['ScheduledAuditFailure a', 1]);
    expect(deps.written.join()).not.toContain('gone.csv');
  });

  it('submits the audit of a model, and collects it at a later tick', async () => {
    const { deps, tick } = await makeScheduled({ daily: { request: MODEL_AUDIT }, small: {} });
    await tick();
    const { report } = deps.store.json('audits/small/20260301T000000Z.json') as { report: unknown };
    const { jobId } = deps.store.json('locks/definition-daily.json') as { jobId: string };
    await deps.store.put(`results/${jobId}/audit.json`, report);
    deps.queues.cpu.set('cpu-1', { status: 'succeeded', attempts: 1 });
    deps.wait(60);
    await tick();
    expect(outcomes(deps)).toEqual(['daily waiting', 'small done', 'daily done', 'small skipped']);
  });

  it('says that the job of an audit failed', async () => {
    const { deps, tick } = await makeScheduled({ daily: { request: MODEL_AUDIT } });
    await tick();
    deps.queues.cpu.set('cpu-1', { status: 'failed', exitCode: 65 });
    deps.wait(60);
    await tick();
    expect(deps.logs().at(-1)).toMatchObject({ level: 'error', definition: 'daily', code: 'JOB_FAILED' });
  });

  it('brings a job to its end whose events were all lost, and starts a data set whose last image came', async () => {
    const { deps, tick } = await makeScheduled({});
    const { jobId } = await submitJob(deps, AUDIT);
    const columns = { ...MITIGATION.columns, image: 'file' };
    await deps.store.put('uploads/set/counterweight.json', {
      model: 'model',
      manifest: 'labels.csv',
      columns,
    });
    await makeOnUpload(deps)(s3BridgeEvent('uploads/set/counterweight.json'));
    await deps.store.put('uploads/set/a.png', 'x');
    deps.queues.cpu.set('cpu-1', { status: 'failed', exitCode: 65 });
    deps.wait(60);
    await tick();
    expect(await readRecord(deps, jobId)).toMatchObject({ status: 'failed', error: { code: 'UNFIT' } });
    expect(deps.queues.gpu.works.size).toBe(1);
  });

  it('runs the definitions although jobs cannot be listed, and comes again', async () => {
    const { deps, tick } = await makeScheduled({ daily: {} });
    deps.store.before = (method, key) => {
      if (method === 'list' && key === 'jobs/') throw new StorageError('down');
    };
    await expect(tick()).rejects.toThrow('event not handled: STORAGE');
    expect(outcomes(deps)).toEqual(['daily done']);
  });

  it('comes again when the definitions cannot be listed', async () => {
    const { deps, tick } = await makeScheduled({});
    deps.store.before = () => {
      throw new StorageError('down');
    };
    await expect(tick()).rejects.toThrow('event not handled: STORAGE');
  });
});
