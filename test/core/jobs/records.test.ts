import { describe, expect, it } from 'vitest';
import { changeRecord } from '../../../core/jobs/record.ts';
import { readRecord, updateRecord } from '../../../core/jobs/records.ts';
import { AUDIT, makeSubmitted, makeTestDeps } from './fixtures.ts';

describe('readRecord', () => {
  it('returns null for an id that no job has', async () => {
    expect(await readRecord(makeTestDeps(), 'a-1')).toBeNull();
  });

  it('refuses what cannot be an id', async () => {
    await expect(readRecord(makeTestDeps(), '../x')).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });
});

describe('updateRecord', () => {
  it('hands on what the change throws, and leaves the record alone', async () => {
    const { deps, jobId } = await makeSubmitted(AUDIT);
    const illegal = updateRecord(deps, jobId, (record) =>
      changeRecord(record, { status: 'submitted' }, deps.now()),
    );
    await expect(illegal).rejects.toMatchObject({ code: 'JOB_CONFLICT' });
    expect((await readRecord(deps, jobId))?.status).toBe('queued');
  });
});
