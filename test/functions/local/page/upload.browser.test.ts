import { readdir, utimes } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { AUDIT, jsonOf, put, TABLE, until, useServers } from '../serving.ts';
import { expectFits, isSkipped, useBrowser } from './browsing.ts';

const { serve } = useServers();
const visit = useBrowser();

describe.skipIf(isSkipped)('what is brought to the page in Chromium', () => {
  it('stands on what was just sent, and on nothing where that is no table', async () => {
    const { url, root } = await serve();
    const later = Date.now() / 1000 + 3600;
    const names = Array.from({ length: 501 }, (_, index) => `uploads/a/${index}.csv`);
    for (const name of names) {
      await put(root, name, TABLE);
      await utimes(path.join(root, name), later, later);
    }
    await put(root, 'uploads/old/model/model.json', '{}');
    const { page, incidents } = await visit(url);
    const table = page.getByLabel('Table', { exact: true });
    const start = page.getByRole('button', { name: 'Start job' });
    await page.getByText('2 more can be named in a pasted request').waitFor();
    expect(await table.inputValue()).toBe('');
    const fileOf = (name: string, text: string | Buffer) => {
      return { name, mimeType: 'application/octet-stream', buffer: Buffer.from(text) };
    };
    const files = page.getByLabel('Files', { exact: true });
    await files.setInputFiles(fileOf('zz.csv', TABLE));
    await page.getByText('Sent 1 file.').waitFor();
    expect(await table.inputValue()).toMatch(/zz\.csv$/);
    await page.getByLabel('Column of the true label').fill('y');
    await table.focus(); // asks for the list, which ends before it
    await page.waitForResponse('**/local/inputs');
    expect(await table.inputValue()).toMatch(/zz\.csv$/);
    await files.setInputFiles([
      fileOf('empty.csv', ''),
      fileOf('scores (1).csv', TABLE),
      fileOf('scores.tsv', TABLE),
      fileOf('model.pt', 'x'),
    ]);
    await page.getByText('Nothing was sent.').waitFor();
    expect(await table.inputValue()).toBe('');
    expect(await page.locator('#chips button').count()).toBe(0);
    expect(await page.locator('#left li').allTextContents()).toEqual([
      'Left out: empty.csv: empty.',
      'Left out: scores.tsv: expected a table as .csv (with commas between its cells), .jsonl or .parquet.',
      expect.stringContaining('Left out: model.pt: a pickle runs code when it is read'),
      expect.stringContaining('Left out: scores (1).csv: its name must be up to 5 segments of letters'),
    ]);
    await page
      .getByLabel('Threshold of the score')
      .evaluate((input) => Object.assign(input, { value: 'abc' }));
    await start.click();
    const said = await page.locator('#say').textContent();
    expect(said).toContain('Still missing: Table, Columns of the groups, Column of the answer.');
    await page.getByText('Column of the part').waitFor(); // the settings are open
    expect(said).toContain('Threshold of the score: expected a number above 0 and below 1, received "abc".');
    await expectFits(page, 'left-out');
    expect(await page.locator('#jobs > li').count()).toBe(0);
    await files.setInputFiles([fileOf('x.csv', TABLE), fileOf('y.csv', TABLE)]);
    await page.getByText('Sent 2 files. It holds 2 tables: choose one below.').waitFor();
    expect(await table.inputValue()).toBe('');
    const model = page.getByLabel('Model', { exact: true });
    await page.getByLabel('Task').selectOption('Audit a model');
    await model.selectOption({ label: 'old/model' });
    await files.setInputFiles(fileOf('z.csv', TABLE));
    await page.getByText('Sent 1 file. It holds no model: choose one below.').waitFor();
    expect(await model.inputValue()).toBe('');
    expect(await table.inputValue()).toMatch(/z\.csv$/);
    // The browser tells of the name that the server refused.
    expect(incidents).toEqual([expect.stringContaining('400')]);
  });

  it('goes on with an upload when the server is back, and says so while it is away', async () => {
    const { url, root } = await serve();
    const { page, incidents } = await visit(url);
    const table = (name: string) => ({ name, mimeType: 'text/csv', buffer: Buffer.from(TABLE) });
    let taken = 0;
    let isAway = false;
    await page.route('**/*', (route) => {
      if (route.request().url().endsWith('/upload')) taken += 1;
      isAway ||= taken > 2;
      return isAway ? route.abort() : route.continue();
    });
    const names = ['a.csv', 'b.csv', 'c.csv', 'd.csv', 'e.csv', 'f.csv'];
    await page.getByLabel('Files', { exact: true }).setInputFiles(names.map(table));
    await page.getByText('The server does not answer; 2 of 6 files were sent.').waitFor();
    await page.getByText('Paste a job request instead').click();
    await page.getByLabel('Job request').fill(JSON.stringify(AUDIT));
    await page.getByRole('button', { name: 'Start from request' }).click();
    await page.locator('#paste-say').getByText('The server does not answer. Press again').waitFor();
    await expectFits(page, 'away');
    await page.unrouteAll({ behavior: 'wait' });
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.getByText('Sent 6 files.').waitFor();
    const folders = (await readdir(path.join(root, 'uploads'))).filter((name) => name !== 'table');
    expect(folders).toHaveLength(1); // one upload, not two
    expect((await readdir(path.join(root, 'uploads', folders[0]!))).sort()).toEqual(names);
    await page.getByRole('button', { name: 'Start from request' }).click();
    await page.locator('#jobs > li').getByText('Audit of scores.csv').waitFor();
    expect(incidents.filter((text) => !text.includes('net::ERR'))).toEqual([]);
  });

  it('shows what cannot run and what waits', async () => {
    const { url, root } = await serve();
    const config = {
      model: 'model',
      manifest: 'labels.csv',
      columns: { label: 'y', sensitiveFeatures: ['s'] },
    };
    const old = async (name: string, content: unknown) => {
      await put(root, name, typeof content === 'string' ? content : JSON.stringify(content));
      await utimes(path.join(root, name), 0, 0);
    };
    await old('definitions/broken.json', '{"request":');
    await old('definitions/absent.json', {
      request: { ...AUDIT, columns: { ...AUDIT.columns, score: 'q' } },
      every: { hours: 6 },
    });
    const hasFailed = async () => {
      const listed = await jsonOf<{ definitions: { state: string }[] }>(fetch(`${url}/local/definitions`));
      return listed.definitions.some(({ state }) => state === 'failed');
    };
    await until(hasFailed);
    await old('uploads/set/counterweight.json', config);
    await old('uploads/set/audit.job.json', { ...AUDIT, columns: {} });
    const { page, incidents } = await visit(url);
    const definitions = page.locator('#definitions');
    await definitions.getByText('absent', { exact: true }).waitFor();
    await definitions.locator('.reason', { hasText: '"q"' }).waitFor();
    await definitions.locator('.reason', { hasText: 'definition: ' }).waitFor();
    await definitions.getByText('every 6 hours · scores.csv').waitFor();
    await page.getByRole('link', { name: 'Scheduled audits (2 cannot run)' }).waitFor();
    const uploads = page.locator('#open-uploads');
    await uploads.getByText('it lacks its table').waitFor();
    await uploads.getByText('"columns.label" is missing').waitFor();
    await page.getByRole('link', { name: 'Uploads that wait' }).waitFor();
    await expectFits(page, 'waiting');
    expect(incidents).toEqual([]);
  });
});
