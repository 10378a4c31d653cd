import { describe, expect, it } from 'vitest';
import { definitionLockKey } from '../../../../core/jobs/keys.ts';
import { makeDirectoryStore } from '../../../../core/storage/directory-store.ts';
import { makeAuditTable } from '../../../../functions/lib/audit-table.ts';
import { makeStartBackend } from '../../../../functions/lib/backend.ts';
import { makeListDefinitions } from '../../../../functions/local/listings/definitions.ts';
import { makeOnSchedule } from '../../../../functions/on-schedule.ts';
import { AUDIT, MODEL_AUDIT, TABLE } from '../../../core/jobs/fixtures.ts';
import { useTempFolder } from '../../../helpers/files.ts';
import { makeFunctionDeps } from '../../fixtures.ts';
import { put } from '../serving.ts';

const folder = useTempFolder();
const startBackend = makeStartBackend();
const DAILY = { request: AUDIT, every: { days: 1 } };

/** A root on a real disk with its scheduler, its list, and how often a table was audited. */
function makePlace(name: string) {
  const root = folder.at(name);
  const store = makeDirectoryStore(root);
  const audit = makeAuditTable({ store, startBackend });
  const calls = { audits: 0 };
  const auditTable: typeof audit = (request) => {
    calls.audits += 1;
    return audit(request);
  };
  const deps = { ...makeFunctionDeps(), store, auditTable };
  const define = (file: string, content: unknown) =>
    put(root, `definitions/${file}`, typeof content === 'string' ? content : JSON.stringify(content));
  const schedule = makeOnSchedule(deps);
  return { root, deps, define, calls, schedule: () => schedule({}), list: makeListDefinitions(deps, root) };
}

describe('definitions of scheduled audits', () => {
  it('that are wrong are listed first, each with its reason', async () => {
    const { define, list } = makePlace('wrong');
    await define('a-good.json', DAILY);
    await define('broken.json', '{"request":');
    await define('My Audit.json', DAILY);
    await define('weekly.yaml', 'request:');
    await define('team/daily.json', DAILY);
    await define('no-policy.json', { ...DAILY, policy: 3 });
    await define('.DS_Store', 'x');
    const found = await list();
    expect(found.map(({ name, state }) => [name, state])).toEqual([
      ['team/daily.json', 'refused'],
      ['weekly.yaml', 'refused'],
      ['My Audit', 'refused'],
      ['broken', 'refused'],
      ['no-policy', 'refused'],
      ['a-good', 'due'],
    ]);
    const reasons = Object.fromEntries(found.map(({ name, error }) => [name, error]));
    expect(reasons['weekly.yaml']).toContain('expected one that ends with .json');
    expect(reasons['My Audit']).toContain('lower-case letters');
    expect(reasons.broken).toContain('definition: ');
    expect(reasons['no-policy']).toContain('"policy" must be');
    expect(found.at(-1)).toEqual({ name: 'a-good', every: { days: 1 }, table: 'scores.csv', state: 'due' });
  });

  it('whose columns the table lacks say so, at the cost of one more audit', async () => {
    const { root, deps, define, calls, schedule, list } = makePlace('columns');
    await put(root, AUDIT.predictions, TABLE.replace('sex', 'gender'));
    await define('daily.json', DAILY);
    await schedule();
    expect(calls.audits).toBe(1);
    const [failed] = await list();
    expect(failed).toMatchObject({ state: 'failed', at: deps.now().toISOString() });
    expect(failed!.error).toContain('"sex"');
    await list();
    expect(calls.audits).toBe(2);
    await put(root, AUDIT.predictions, TABLE);
    deps.wait(60);
    expect((await list())[0]).not.toHaveProperty('error');
    await schedule();
    expect((await list())[0]).toMatchObject({ state: 'done' });
  });

  it('whose table or model is not there say so', async () => {
    const { define, schedule, list } = makePlace('absent');
    await define('model.json', { ...DAILY, request: MODEL_AUDIT });
    await define('table.json', DAILY);
    await schedule();
    expect((await list()).map(({ name, state, error }) => [name, state, error])).toEqual([
      ['model', 'failed', 'manifest: expected an object that was uploaded, found none under its key'],
      ['table', 'failed', 'predictions: expected an object that was uploaded, found none under its key'],
    ]);
  });

  it('that take a job say how it does, and why it failed', async () => {
    const { root, deps, define, schedule, list } = makePlace('job');
    await put(root, 'uploads/set/labels.csv', 'y,sex\n1,f\n');
    await put(root, 'uploads/set/model/model.json', '{}');
    await define('model.json', { ...DAILY, request: MODEL_AUDIT });
    await schedule();
    const [running] = await list();
    expect(running).toMatchObject({ state: 'running', model: 'set/model', table: 'labels.csv' });
    const jobId = running!.jobId!;
    const key = `jobs/${jobId}/record.json`;
    const record = JSON.parse(Buffer.from((await deps.store.read(key))!.body).toString()) as object;
    const error = { code: 'INVALID_INPUT', message: 'labels: expected both classes' };
    await deps.store.write(key, JSON.stringify({ ...record, status: 'failed', error }));
    deps.wait(60);
    await schedule();
    expect((await list())[0]).toMatchObject({ state: 'failed', jobId, error: error.message });
    await deps.store.write(key, JSON.stringify({ ...record, status: 'cancelled' }));
    expect((await list())[0]).toMatchObject({ error: 'its job is cancelled and left no audit' });
    await deps.store.delete(key);
    expect((await list())[0]).toMatchObject({ error: 'its job is gone' });
  });

  it('with a damaged lock are as good as new ones', async () => {
    const { root, define, list } = makePlace('damaged');
    await define('daily.json', DAILY);
    await put(root, definitionLockKey('daily'), '{"slot":');
    expect((await list())[0]).toMatchObject({ state: 'due' });
  });
});
