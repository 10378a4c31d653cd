import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeImageSet, writeInkModel } from '../../helpers/made-files.ts';
import { expectFits, isSkipped, useBrowser } from './page/browsing.ts';
import { AUDIT, jobWith, jsonOf, post, put, SLOW_WORKER, TABLE, until, useServers } from './serving.ts';

const { serve } = useServers();
const visit = useBrowser();

/** Like SLOW_WORKER, one step further every 200 ms. */
const STEPPING_WORKER = [
  process.execPath,
  '--input-type=module',
  '--eval',
  `import { renameSync, writeFileSync } from 'node:fs';
   const file = process.env.STORE_ROOT + '/jobs/' + process.env.JOB_ID + '/status.json';
   let done = 0;
   setInterval(() => {
     const progress = { stage: 'stage 1', done: (done += 1), total: 1000 };
     writeFileSync(file + '.new', JSON.stringify({ attempt: 1, updatedAt: new Date().toISOString(), progress }));
     renameSync(file + '.new', file);
   }, 200);`,
] as const;

describe.skipIf(isSkipped)('the page in Chromium', () => {
  it('takes a table, audits it, and opens the report', async () => {
    const { url, root } = await serve();
    const definition = {
      request: AUDIT,
      every: { days: 1 },
      policy: { name: 'ours', rules: [{ metric: 'equalOpportunityDifference', max: 0.1 }] },
    };
    await put(root, 'definitions/daily.json', JSON.stringify(definition));
    const { page, incidents } = await visit(url);
    const table = { name: 'answers.csv', mimeType: 'text/csv', buffer: Buffer.from(TABLE) };
    await page.getByLabel('Files', { exact: true }).setInputFiles(table);
    await page.getByText('Sent 1 file.').waitFor();
    expect(await page.getByLabel('Table', { exact: true }).inputValue()).toMatch(/answers\.csv$/);
    await page.getByLabel('Column of the true label').fill('y');
    await page.getByRole('button', { name: 'sex' }).click();
    await page.getByLabel('Column of the answer').fill('p');
    await page.getByRole('button', { name: 'Start job' }).click();
    await page.getByText('Started.').waitFor();
    const job = page.locator('#jobs > li');
    await job.getByText('succeeded').waitFor();
    expect(await page.locator('main').textContent()).not.toContain('is queued');
    await job.getByText('Audit of answers.csv').waitFor();
    await job.getByText('label y · groups sex · score p').waitFor();
    const daily = page.locator('#definitions > li');
    await daily.getByText('policy broken').waitFor();
    // One of the two women who are positive is found, and both men.
    await daily.getByText('Equal opportunity difference by sex 0.5, at most 0.1: broken').waitFor();
    await page.setViewportSize({ width: 390, height: 900 });
    await job.getByText('2 files').click();
    const topOf = async (name: string) => (await job.locator(name).first().boundingBox())!.y;
    expect((await topOf('.open')) - (await topOf('details'))).toBeLessThan(5);
    await expectFits(page, 'done');
    const popup = page.waitForEvent('popup');
    await job.getByRole('link', { name: 'Open report' }).click();
    const report = await popup;
    await report.getByText('8 samples audited').first().waitFor();
    expect(await report.evaluate('window.origin')).toBe('null');
    expect(incidents).toEqual([]);
  });

  it('takes a folder with a model, audits it, and leaves out what is no input', async () => {
    const { url, root } = await serve();
    const folder = path.join(root, 'outside');
    await writeImageSet(folder);
    await writeInkModel(path.join(folder, 'model'));
    await put(folder, 'notes.txt', 'x');
    await put(folder, '.cache/x.csv', TABLE);
    const { page, incidents } = await visit(url);
    await page.getByLabel('Or a whole folder').setInputFiles(folder);
    await page.getByText('Sent 103 files.').waitFor();
    await page.getByText('notes.txt').waitFor();
    await page.getByLabel('Task').selectOption('Audit a model');
    expect(await page.getByLabel('Model', { exact: true }).inputValue()).toMatch(/outside\/model\/$/);
    await page.getByLabel('Column of the true label').fill('malignant');
    await page.getByRole('button', { name: 'ink' }).click();
    await page.getByLabel('Column of the image files').fill('file');
    await page.getByText('More settings').click();
    await page.getByLabel('Inputs are made by').selectOption('unit');
    await expectFits(page, 'model');
    await page.getByRole('button', { name: 'Start job' }).click();
    await page.locator('#jobs').getByText('succeeded').waitFor();
    expect(incidents).toEqual([]);
  });

  it('shows how far a slow upload is, and stops it without a trace', async () => {
    const { url, root } = await serve();
    const { page, incidents } = await visit(url);
    const session = await page.context().newCDPSession(page);
    const slow = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 500_000 };
    await session.send('Network.emulateNetworkConditions', slow);
    const table = { name: 'large.csv', mimeType: 'text/csv', buffer: Buffer.alloc(5_000_000, 'y\n') };
    await page.getByLabel('Files', { exact: true }).setInputFiles(table);
    await page.getByText(/^0 of 1 file · \d+ kB of 5.0 MB$/).waitFor();
    const bar = page.getByRole('progressbar', { name: 'Sent' });
    await until(async () => Number(await bar.getAttribute('value')) > 0);
    await expectFits(page, 'sending');
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByText('Stopped after 0 files.').waitFor();
    const left = async () => (await readdir(path.join(root, 'uploads'), { recursive: true })).sort();
    await until(async () => (await left()).join() === 'table,table/scores.csv');
    expect(incidents.filter((text) => !text.includes('net::ERR'))).toEqual([]);
  });

  it('shows progress of a pasted request and cancels it when asked twice', async () => {
    const { url } = await serve({ command: SLOW_WORKER });
    const { page, incidents } = await visit(url);
    await page.getByText('Paste a job request instead').click();
    await page.getByLabel('Job request').fill('{"kind":"audit"}');
    await page.getByRole('button', { name: 'Start from request' }).click();
    const refusal = page.locator('#paste-say').getByText('"predictions" is missing');
    await refusal.waitFor();
    expect((await refusal.textContent())!.split('"predictions"')).toHaveLength(2); // said once
    await page.getByLabel('Job request').fill(JSON.stringify(AUDIT));
    await page.getByRole('button', { name: 'Start from request' }).click();
    const job = page.locator('#jobs > li');
    await job.getByText('stage 1 · 30 %').waitFor();
    expect(await job.getByRole('progressbar').getAttribute('value')).toBe('3');
    await expectFits(page, 'running');
    const jobId = (await job.getAttribute('id'))!.slice('job-'.length);
    await job.getByRole('button', { name: `Cancel job ${jobId}` }).click();
    await job.getByRole('button', { name: `Really cancel job ${jobId}?` }).click();
    await job.getByText('cancelled').waitFor();
    await jobWith(url, jobId, 'cancelled');
    // The browser tells of every answer that is no success; the malformed request had one.
    expect(incidents).toEqual([expect.stringContaining('400')]);
  });

  it('is worked with by the keyboard: all has a name, and news takes no focus away', async () => {
    const { url } = await serve({ command: STEPPING_WORKER });
    const { jobId } = await jsonOf<{ jobId: string }>(post(`${url}/v1/jobs`, AUDIT));
    const { page } = await visit(url);
    const cancel = page.getByRole('button', { name: `Cancel job ${jobId}` });
    await cancel.focus();
    const bar = page.getByRole('progressbar', { name: 'Progress of stage 1' });
    const before = await bar.getAttribute('value');
    await until(async () => (await bar.getAttribute('value')) !== before);
    expect(await cancel.evaluate('document.activeElement.textContent')).toBe('Cancel');
    const nameless = `[...document.querySelectorAll('input, select, textarea')].filter(({ labels }) => labels.length !== 1)`;
    expect(await page.evaluate(`${nameless}.length`)).toBe(0);
    expect(await page.evaluate(`document.querySelectorAll('h1').length`)).toBe(1);
    await page.keyboard.press('Enter');
    await page.keyboard.press('Enter');
    await jobWith(url, jobId, 'cancelled');
  });

  it('lets in by the login form only who knows the token', async () => {
    const token = 'a-token-of-32-characters-exactly';
    const { url } = await serve({ token });
    const { page } = await visit(url);
    for (const given of ['another-token-of-some-length', token]) {
      await page.getByLabel('Token').fill(given);
      if (given === token) await expectFits(page, 'login');
      await page.getByRole('button', { name: 'Log in' }).click();
      if (given !== token) await page.getByText('This is not the token').waitFor();
    }
    await page.getByText('No jobs yet').waitFor();
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByLabel('Token').waitFor();
  });

  it('shows the columns of the table that is chosen, whatever becomes of the answers on the way', async () => {
    const { url, root } = await serve();
    await put(root, 'uploads/x/a.csv', TABLE.replace('sex', 'first'));
    await put(root, 'uploads/x/b.csv', TABLE.replace('sex', 'second'));
    const { page } = await visit('about:blank');
    let asked = 0;
    let goOn = () => {};
    const overtaken = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    await page.route('**/local/columns?*', async (route) => {
      asked += 1;
      if (asked === 1) return route.abort(); // a line that breaks
      const response = await route.fetch();
      if (route.request().url().includes('a.csv')) await overtaken;
      return route.fulfill({ response });
    });
    await page.goto(url);
    const table = page.getByLabel('Table', { exact: true });
    await table.selectOption({ label: 'x/a.csv' });
    await until(async () => asked === 2);
    await table.selectOption({ label: 'x/b.csv' });
    await page.getByRole('button', { name: 'second' }).waitFor();
    const late = page.waitForResponse((response) => response.url().includes('a.csv'));
    goOn();
    await (await late).finished();
    // Whoever asks later is answered later.
    await page.evaluate(`fetch('/health').then((answer) => answer.text())`);
    expect(await page.getByRole('button', { name: 'second' }).count()).toBe(1);
    expect(await page.getByRole('button', { name: 'first' }).count()).toBe(0);
  });

  it('shows hostile names as text', async () => {
    const { url, root } = await serve();
    const hostile = '<img src=x onerror=alert(1)>';
    await put(root, `uploads/x/${hostile}.csv`, TABLE.replace('sex', hostile));
    const { page, incidents } = await visit(url);
    await page.getByLabel('Table', { exact: true }).selectOption({ label: `x/${hostile}.csv` });
    await page.getByRole('button', { name: hostile }).waitFor();
    expect(await page.locator('img').count()).toBe(0);
    expect(incidents).toEqual([]);
  });
});
