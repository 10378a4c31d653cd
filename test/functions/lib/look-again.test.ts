import { describe, expect, it } from 'vitest';
import { StorageError } from '../../../core/errors.ts';
import { submitJob } from '../../../core/jobs/submit-job.ts';
import { lookAtDataSets, lookAtJobs } from '../../../functions/lib/look-again.ts';
import { startUpload } from '../../../functions/lib/start-upload.ts';
import { AUDIT, MITIGATION, publish } from '../../core/jobs/fixtures.ts';
import { makeReadyDeps } from '../fixtures.ts';

const DAY = 24 * 3600;
const config = 'uploads/set/counterweight.json';
const image = 'uploads/set/a.png';

/** A data set that lacks its one image. */
async function makeWaiting() {
  const deps = await makeReadyDeps();
  const columns = { ...MITIGATION.columns, image: 'file' };
  await deps.store.put(config, { model: 'model/', manifest: 'labels.csv', columns });
  await startUpload(deps, config);
  deps.written.splice(0);
  return deps;
}

describe('lookAtJobs', () => {
  it('says which job it brought to its end', async () => {
    const deps = await makeReadyDeps();
    const record = await submitJob(deps, AUDIT);
    await publish(deps.store, record);
    deps.queues.cpu.set('cpu-1', { status: 'succeeded' });
    deps.wait(60);
    await lookAtJobs(deps);
    expect(deps.logs()).toMatchObject([
      { message: 'job caught up', jobId: record.jobId, status: 'succeeded' },
    ]);
  });

  it('says which job it could not look at, without the reason in words', async () => {
    const deps = await makeReadyDeps();
    const { jobId } = await submitJob(deps, AUDIT);
    deps.queues.cpu.before = () => {
      throw new StorageError('arn:aws:batch:eu-west-1:123456789012:job/x');
    };
    deps.wait(60);
    await lookAtJobs(deps);
    expect(deps.logs()).toMatchObject([{ message: 'job not looked at', jobId, code: 'STORAGE' }]);
    expect(deps.written.join()).not.toContain('arn:');
  });
});

describe('lookAtDataSets', () => {
  it('starts one whose last image has come, once, and forgets it', async () => {
    const deps = await makeWaiting();
    await lookAtDataSets(deps);
    expect(deps.queues.gpu.works.size).toBe(0);
    await deps.store.put(image, 'x');
    await Promise.all([lookAtDataSets(deps), lookAtDataSets(deps)]);
    await lookAtDataSets(deps);
    expect(deps.queues.gpu.works.size).toBe(1);
    expect(deps.store.keys('waiting/')).toEqual([]);
  });

  it('gives it up a week after its configuration came', async () => {
    const deps = await makeWaiting();
    deps.wait(7 * DAY - 1);
    await lookAtDataSets(deps);
    expect(deps.store.keys('waiting/')).toHaveLength(1);
    deps.wait(1);
    await lookAtDataSets(deps);
    expect(deps.store.keys('waiting/')).toEqual([]);
  });

  it('forgets one whose configuration is gone', async () => {
    const deps = await makeWaiting();
    await deps.store.delete(config);
    await lookAtDataSets(deps);
    expect(deps.store.keys('waiting/')).toEqual([]);
  });

  it('starts every one that is complete, however many wait for ever', async () => {
    const deps = await makeWaiting();
    const [note] = deps.store.keys('waiting/');
    for (let index = 0; index < 150; index += 1) {
      // Before and behind the one that is complete, in the order in which they are looked at.
      const key = `waiting/${index % 2 === 0 ? '0' : 'z'}${index}.json`;
      const other = `uploads/${index}/counterweight.json`;
      await deps.store.put(key, { schemaVersion: 1, config: other });
      await deps.store.put(other, { model: 'm', manifest: 't.csv', columns: AUDIT.columns });
    }
    await deps.store.put(image, 'x');
    for (let call = 0; call < 4; call += 1) await lookAtDataSets(deps);
    expect(deps.queues.gpu.works.size).toBe(1);
    expect(deps.store.keys('waiting/')).not.toContain(note);
  });

  it('says that a note is damaged, and looks at the others', async () => {
    const deps = await makeWaiting();
    await deps.store.put('waiting/0.json', 'damaged');
    await deps.store.put(image, 'x');
    await lookAtDataSets(deps);
    expect(deps.queues.gpu.works.size).toBe(1);
    expect(deps.logs()[0]).toMatchObject({ message: 'upload not looked at', code: 'STORAGE' });
  });

  it('comes back to one that it could not look at, and looks at the others', async () => {
    const deps = await makeWaiting();
    await deps.store.put(image, 'x');
    await deps.store.put('uploads/b/counterweight.json', {
      model: 'm',
      manifest: 't.csv',
      columns: AUDIT.columns,
    });
    await startUpload(deps, 'uploads/b/counterweight.json');
    deps.store.before = (_, key) => {
      if (key.startsWith('uploads/b/')) throw new StorageError('down');
    };
    await lookAtDataSets(deps);
    expect(deps.queues.gpu.works.size).toBe(1);
    expect(deps.store.keys('waiting/')).toHaveLength(1);
    expect(deps.logs()).toContainEqual(expect.objectContaining({ message: 'upload not looked at' }));
  });
});
