import { describe, expect, it } from 'vitest';
import type { JobRecord } from '../../../core/jobs/record.ts';
import { jobSummary, jobSummarySchema, jobView, jobViewSchema } from '../../../functions/lib/job-view.ts';
import { AUDIT, MITIGATION, MODEL_AUDIT, makeSubmitted } from '../../core/jobs/fixtures.ts';

describe('jobView', () => {
  it.each([AUDIT, MODEL_AUDIT, MITIGATION])('of a $kind has its settings and no key', async (request) => {
    const { record } = await makeSubmitted(request);
    const view = jobView(record);
    expect(jobViewSchema.parse(view)).toEqual(view);
    expect(view.settings.columns).toEqual(request.columns);
    expect(JSON.stringify(view)).not.toContain('uploads/');
  });

  it('has progress and links only if there are any', async () => {
    const { record } = await makeSubmitted(AUDIT);
    const progress = { stage: 'audit', done: 1, total: 2, attempt: 1, updatedAt: record.updatedAt };
    expect(jobView(record, { progress, links: { a: 'url' }, linkSeconds: 9 })).toMatchObject({
      progress,
      links: { a: 'url' },
      linkSeconds: 9,
    });
    const bare = jobView(record, { progress: null, links: {}, linkSeconds: 9 });
    for (const field of ['progress', 'links', 'linkSeconds']) expect(bare).not.toHaveProperty(field);
  });
});

describe('jobSummary', () => {
  it('tells outcome and error, not what the job was made of', async () => {
    const { record } = await makeSubmitted(MITIGATION);
    const ended: JobRecord = { ...record, outcome: 'rejected', error: { code: 'X', message: 'why' } };
    const summary = jobSummary(ended);
    expect(jobSummarySchema.parse(summary)).toEqual(summary);
    expect(summary).toMatchObject({ outcome: 'rejected', error: { code: 'X', message: 'why' } });
  });

  it.each([
    [AUDIT, '/tmp/w/uploads/table/scores.csv, line 2: no', 'predictions, line 2: no'],
    [MODEL_AUDIT, '"uploads/set/model/": expected uploaded objects', '"…": expected uploaded objects'],
    [
      MITIGATION,
      '/w/uploads/set/labels.csv, column "y": received "Jane"',
      'manifest, column "y": received "…"',
    ],
    [MITIGATION, '/w/uploads/set/images/7.png: is cut short', 'images/7.png: is cut short'],
    [
      { ...MITIGATION, model: 'uploads/other/net.onnx' },
      'model "/w/uploads/other/net.onnx": see uploads/other/preprocess.json',
      'model "model": see model/preprocess.json',
    ],
  ])('tells why without paths, keys and cells (%#)', async (request, message, told) => {
    const { record } = await makeSubmitted(MITIGATION);
    expect(jobSummary({ ...record, request, error: { code: 'X', message } }).error?.message).toBe(told);
  });
});
