import { describe, expect, it } from 'vitest';
import { StorageError } from '../../../core/errors.ts';
import { startUpload } from '../../../functions/lib/start-upload.ts';
import { AUDIT, MITIGATION } from '../../core/jobs/fixtures.ts';
import { makeFunctionDeps, makeReadyDeps } from '../fixtures.ts';

const config = 'uploads/set/counterweight.json';
const dataSet = { model: 'model/', manifest: 'labels.csv', columns: MITIGATION.columns };

describe('startUpload', () => {
  it('says which job an upload has', async () => {
    const deps = await makeReadyDeps();
    await deps.store.put(config, dataSet);
    expect(await startUpload(deps, config)).toBeNull();
    const [work] = deps.queues.gpu.works.values();
    expect(deps.logs()).toMatchObject([{ message: 'upload has its job', jobId: work?.jobId }]);
  });

  it('returns since when a data set waits, and says what it lacks without a key', async () => {
    const deps = makeFunctionDeps();
    await deps.store.put(config, dataSet);
    const since = deps.now();
    deps.wait(60);
    expect(await startUpload(deps, config)).toEqual(since);
    expect(deps.logs()).toMatchObject([
      { level: 'info', message: 'upload waits', reason: 'the data set lacks its table' },
    ]);
    expect(deps.written.join()).not.toContain('set/');
  });

  it('says which rules a malformed upload breaks, and does not throw', async () => {
    const deps = await makeReadyDeps();
    await deps.store.put(config, { ...dataSet, preset: 'CANARY' });
    expect(await startUpload(deps, config)).toBeNull();
    expect(deps.logs()).toMatchObject([
      { message: 'upload refused', issues: [expect.stringContaining('preset')] },
    ]);
    expect(deps.written.join()).not.toContain('CANARY');
  });

  it('says why it ignores an upload', async () => {
    const deps = makeFunctionDeps();
    expect(await startUpload(deps, AUDIT.predictions)).toBeNull();
    expect(deps.logs()).toMatchObject([
      { message: 'upload ignored', upload: expect.stringMatching(/^[0-9a-f]{12}$/) },
    ]);
  });

  it('throws what the store throws', async () => {
    const deps = makeFunctionDeps();
    deps.store.before = () => {
      throw new StorageError('down');
    };
    await expect(startUpload(deps, config)).rejects.toThrow('down');
    expect(deps.logs()).toEqual([]);
  });
});
