import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  changeRecord,
  isFinal,
  JOB_STATUSES,
  type JobRecord,
  jobRecordSchema,
} from '../../../core/jobs/record.ts';
import { AUDIT, START } from './fixtures.ts';

const RECORD: JobRecord = {
  schemaVersion: 1,
  jobId: 'a-1',
  request: AUDIT,
  status: 'submitted',
  createdAt: START.toISOString(),
  updatedAt: START.toISOString(),
  queueIds: [],
};
const LATER = new Date(START.getTime() + 1000);

describe('changeRecord', () => {
  it('changes what it is told and the time, nothing else', () => {
    expect(changeRecord(RECORD, { status: 'queued', queueIds: ['q'] }, LATER)).toEqual({
      ...RECORD,
      status: 'queued',
      queueIds: ['q'],
      updatedAt: LATER.toISOString(),
    });
  });

  it.each(['succeeded', 'failed', 'cancelled'] as const)('never leaves %s', (status) => {
    const ended = { ...RECORD, status };
    expect(isFinal(status)).toBe(true);
    for (const next of JOB_STATUSES.filter((other) => other !== status)) {
      expect(() => changeRecord(ended, { status: next }, LATER)).toThrow(
        expect.objectContaining({ code: 'JOB_CONFLICT', details: { jobId: 'a-1', from: status, to: next } }),
      );
    }
  });

  it('drops an error that stood beside the status before', () => {
    const error = { code: 'NOT_QUEUED', message: 'not yet' };
    const refused = { ...RECORD, error };
    expect(changeRecord(refused, { queueIds: ['q'] }, LATER)).toMatchObject({ error });
    for (const status of JOB_STATUSES.filter((next) => next !== 'submitted')) {
      expect(changeRecord(refused, { status }, LATER)).not.toHaveProperty('error');
    }
    const failure = { code: 'UNFIT', message: 'unfit' };
    const failed = changeRecord(refused, { status: 'failed', error: failure }, LATER);
    expect(failed.error).toEqual(failure);
    expect(changeRecord(failed, { status: 'failed' }, LATER).error).toEqual(failure);
  });

  it('never goes back to submitted', () => {
    for (const status of ['queued', 'running'] as const) {
      expect(() => changeRecord({ ...RECORD, status }, { status: 'submitted' }, LATER)).toThrow('submitted');
    }
  });

  it('makes a record that can be read back, whatever changes led to it', () => {
    const change = fc.constantFrom(...JOB_STATUSES).map((status) => ({ status }));
    fc.assert(
      fc.property(fc.array(change, { maxLength: 6 }), (changes) => {
        const record = changes.reduce<JobRecord>((before, next) => {
          try {
            return changeRecord(before, next, LATER);
          } catch {
            return before;
          }
        }, RECORD);
        expect(jobRecordSchema.parse(JSON.parse(JSON.stringify(record)))).toEqual(record);
      }),
    );
  });
});
