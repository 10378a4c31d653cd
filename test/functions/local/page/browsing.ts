import { existsSync, mkdirSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect } from 'vitest';

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
export const isSkipped = !existsSync(CHROMIUM) && process.env.CI === undefined;
if (isSkipped) process.stderr.write(`No Chromium at ${CHROMIUM}, so the page is not driven in a browser.\n`);

/** Folder for pictures, when somebody wants to look. */
const SHOTS = process.env.SERVE_SHOTS;
if (SHOTS !== undefined) mkdirSync(SHOTS, { recursive: true });

type Visit = (url: string) => Promise<{ page: Page; incidents: string[] }>;

/**
 * A browser for the tests of the file.
 *
 * @returns opens a page at 1280 pixels, and tells whatever it complains of or asks elsewhere
 */
export function useBrowser(): Visit {
  let browser: Browser;
  beforeAll(async () => {
    if (!isSkipped) browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });
  });
  afterAll(() => browser?.close());

  return async (url) => {
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
  };
}

/** Takes pictures when somebody wants them; in none may a page be wider than the screen. */
export async function expectFits(page: Page, name: string): Promise<void> {
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
