import { describe, expect, it } from 'vitest';
import { accepted } from '../../../functions/lib/answers.ts';
import { AUDIT, makeSubmitted } from '../../core/jobs/fixtures.ts';

describe('accepted', () => {
  it('says where the job can be followed', async () => {
    const { record, jobId } = await makeSubmitted(AUDIT);
    expect(accepted(record)).toMatchObject({
      status: 202,
      body: { jobId },
      headers: { location: `/v1/jobs/${jobId}` },
    });
  });
});
