import { describe, expect, it } from 'vitest';
import { publishedResults, resultLinks } from '../../../core/jobs/results.ts';
import { AUDIT, MITIGATION, makeSubmitted, publish } from './fixtures.ts';

describe('publishedResults', () => {
  it.each([AUDIT, MITIGATION])('is null for a $kind until its last file is there', async (request) => {
    const { deps, record } = await makeSubmitted(request);
    await deps.store.put(`results/${record.jobId}/report.html`, '<p>');
    expect(await publishedResults(deps.store, record)).toBeNull();
    await publish(deps.store, record);
    expect(await publishedResults(deps.store, record)).not.toBeNull();
  });

  it('names the files, and the outcome of a mitigation', async () => {
    const { deps, record } = await makeSubmitted(MITIGATION);
    await deps.store.put(`results/${record.jobId}/model/model.json`, {});
    await publish(deps.store, record);
    expect(await publishedResults(deps.store, record)).toEqual({
      results: ['model/model.json', 'report.html', 'run.json'],
      outcome: 'improved',
    });
  });

  it('does not mix up jobs whose ids begin alike', async () => {
    const { deps, record } = await makeSubmitted(AUDIT);
    await publish(deps.store, { ...record, jobId: `${record.jobId}0` });
    expect(await publishedResults(deps.store, record)).toBeNull();
  });
});

describe('resultLinks', () => {
  it('has a link for each result of a job that succeeded', async () => {
    const { deps, record } = await makeSubmitted(AUDIT);
    const ended = { ...record, status: 'succeeded' as const, results: ['audit.json', 'model/w.bin'] };
    const links = await resultLinks(deps.store, ended, { seconds: 60 });
    expect(Object.keys(links)).toEqual(['audit.json', 'model/w.bin']);
    expect(links['model/w.bin']).toMatch(/seconds=60&filename=w\.bin$/);
  });

  it.each(['running', 'failed', 'cancelled'] as const)('has none for a job that is %s', async (status) => {
    const { deps, record } = await makeSubmitted(AUDIT);
    const links = await resultLinks(deps.store, { ...record, status, results: ['a'] }, { seconds: 60 });
    expect(links).toEqual({});
  });

  it('has none for a job that lists no results', async () => {
    const { deps, record } = await makeSubmitted(AUDIT);
    expect(await resultLinks(deps.store, { ...record, status: 'succeeded' }, { seconds: 60 })).toEqual({});
  });
});
