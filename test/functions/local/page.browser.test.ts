import { existsSync, mkdirSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AUDIT, jobWith, put, SLOW_WORKER, serve, TABLE } from './serving.ts';

const ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const CHROMIUM = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';

/** A machine with Node alone skips these tests, which the closing line counts; CI may not. */
const isSkipped = !existsSync(CHROMIUM) && process.env.CI === undefined;
if (isSkipped) process.stderr.write(`No Chromium at ${CHROMIUM}, so the page is not driven in a browser.\n`);

/** Folder for pictures, when somebody wants to look. */
const SHOTS = process.env.SERVE_SHOTS;
if (SHOTS !== undefined) mkdirSync(SHOTS, { recursive: true });

let browser: Browser;
beforeAll(async () => {
  if (!isSkipped) browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });
});
afterAll(() => browser?.close());

async function visit(url: string): Promise<{ page: Page; incidents: string[] }> {
  const incidents: string[] = [];
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  page.on('console', (message) => incidents.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => incidents.push(`error: ${error.message}`));
  page.on(
    'request',
    (request) => request.url().startsWith(url) || incidents.push(`request: ${request.url()}`),
  );
  await page.goto(url);
  return { page, incidents };
}

async function expectFits(page: Page, name: string): Promise<void> {
  for (const width of [390, 1280]) {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme });
      if (SHOTS)
        await page.screenshot({ path: `${SHOTS}/${name}-${width}-${colorScheme}.png`, fullPage: true });
    }
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
  }
}

describe.skipIf(isSkipped)('the page in Chromium', () => {
  it('submits an audit, sees it succeed, and opens its report', async () => {
    const { url, root } = await serve();
    await put(root, 'uploads/set/model/model.json', '{}');
    const definition = {
      request: AUDIT,
      every: { days: 1 },
      limits: [{ metric: 'demographicParityDifference', max: 0 }],
    };
    await put(root, 'definitions/daily.json', JSON.stringify({ ...definition, limits: definition.limits }));
    const { page, incidents } = await visit(url);
    await page.getByLabel('Table or manifest').selectOption(AUDIT.predictions);
    await page.getByLabel('Column of the label').fill('y');
    await page.getByLabel('Columns of the groups').fill('sex');
    await page.getByLabel('Column of the score').fill('p');
    await page.getByRole('button', { name: 'Submit', exact: true }).click();
    const job = page.locator('#jobs > li');
    await job.getByText('succeeded').waitFor();
    await page.locator('#audits > li').first().waitFor();
    await expectFits(page, 'done');
    const popup = page.waitForEvent('popup');
    await job.getByRole('link', { name: 'Open report' }).click();
    const report = await popup;
    await report.getByText('8 samples audited').first().waitFor();
    expect(await report.evaluate('window.origin')).toBe('null');
    expect(incidents).toEqual([]);
  });

  it('shows progress of a pasted request and cancels it', async () => {
    const { url } = await serve({ command: SLOW_WORKER });
    const { page, incidents } = await visit(url);
    await page.getByText('Paste a job request instead').click();
    await page.getByLabel('Job request').fill(JSON.stringify(AUDIT));
    await page.getByRole('button', { name: 'Submit request' }).click();
    const job = page.locator('#jobs > li');
    await job.getByText('stage 1 3 of 10').waitFor();
    expect(await job.getByRole('progressbar').getAttribute('value')).toBe('3');
    await expectFits(page, 'running');
    const jobId = (await job.getAttribute('data-job'))!;
    await job.getByRole('button', { name: `Cancel job ${jobId}` }).click();
    await job.getByText('cancelled').waitFor();
    await jobWith(url, jobId, 'cancelled');
    expect(incidents).toEqual([]);
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

  it('shows hostile names as text', async () => {
    const { url, root } = await serve();
    await put(root, 'uploads/x/<img src=x onerror=alert(1)>.csv', TABLE);
    const { page, incidents } = await visit(url);
    await page.locator('#table option', { hasText: '<img' }).waitFor({ state: 'attached' });
    expect(await page.locator('img').count()).toBe(0);
    expect(incidents).toEqual([]);
  });
});
