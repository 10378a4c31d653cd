import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderAuditReport } from '../../../core/report/audit-report.ts';
import { renderMitigationReport } from '../../../core/report/mitigation-report.ts';
import { DARK, LIGHT } from '../../../core/report/page/palette.ts';
import {
  FIVE_GROUPS,
  HOSTILE_AUDIT,
  IMPROVED_RUN,
  NOT_IMPROVED_RUN,
  REJECTED_AUDIT,
  REJECTED_RUN,
  SOFT_MASK,
  TWO_GROUPS_AFTER,
  TWO_GROUPS_BEFORE,
} from '../../helpers/report-samples.ts';

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

const HOSTILE_FEATURE = HOSTILE_AUDIT.features[0]!.sensitiveFeature;
const HOSTILE_RUN = {
  ...IMPROVED_RUN,
  outcome: { ...IMPROVED_RUN.outcome, sensitiveFeature: HOSTILE_FEATURE },
};

const DOCUMENTS: Readonly<Record<string, string>> = {
  improved: renderMitigationReport({ run: IMPROVED_RUN, before: TWO_GROUPS_BEFORE, after: TWO_GROUPS_AFTER }),
  'not-improved': renderMitigationReport({
    run: { ...NOT_IMPROVED_RUN, mask: SOFT_MASK },
    before: TWO_GROUPS_BEFORE,
    after: null,
  }),
  rejected: renderMitigationReport({ run: REJECTED_RUN, before: REJECTED_AUDIT, after: null }),
  'five-groups': renderAuditReport(FIVE_GROUPS, { title: 'Audit', source: 'predictions.csv' }),
  hostile: renderMitigationReport({ run: HOSTILE_RUN, before: HOSTILE_AUDIT, after: HOSTILE_AUDIT }),
};

const CHROMIUM = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';

/** A machine with Node alone skips these tests, which the closing line counts; CI may not. */
const isSkipped = !existsSync(CHROMIUM) && process.env.CI === undefined;
if (isSkipped) {
  process.stderr.write(
    `No Chromium at ${CHROMIUM}, so the report is not looked at in a browser: "apt-get install chromium", or set CHROMIUM_PATH.\n`,
  );
}

const folder = mkdtempSync(join(tmpdir(), 'counterweight-report-'));
let browser: Browser;

beforeAll(async () => {
  if (isSkipped) return;
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });
});

afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true });
});

interface Visit {
  readonly page: Page;
  /** Console messages, page errors, dialogs and requests other than the one for the file. */
  readonly incidents: readonly string[];
}

async function visit(name: string, width: number): Promise<Visit> {
  const file = join(folder, `${name}.html`);
  writeFileSync(file, DOCUMENTS[name]!);
  const url = pathToFileURL(file).href;
  const incidents: string[] = [];
  const page = await browser.newPage({ viewport: { width, height: 900 } });
  page.on('console', (message) => incidents.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => incidents.push(`error: ${error.message}`));
  page.on('request', (request) => request.url() !== url && incidents.push(`request: ${request.url()}`));
  page.on('dialog', async (dialog) => {
    incidents.push(`dialog: ${dialog.message()}`);
    await dialog.dismiss();
  });
  await page.goto(url);
  return { page, incidents };
}

/** Texts of pictures that stick out of their picture, or that overlap another text of it. */
const BROKEN_LABELS = `[...document.querySelectorAll('svg.chart')].flatMap((svg) => {
  const frame = svg.getBoundingClientRect();
  const texts = [...svg.querySelectorAll('text')].map((text) => ({ text: text.textContent, box: text.getBoundingClientRect() }));
  const outside = texts.filter(({ box }) => box.left < frame.left - 1 || box.right > frame.right + 1 || box.bottom > frame.bottom + 1);
  const overlapping = texts.filter((a, i) => texts.some((b, j) => j > i &&
    Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left) > 1 &&
    Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top) > 4));
  return [...outside, ...overlapping].map(({ text }) => svg.querySelector('title').textContent + ': ' + text);
})`;

const HEADING_LEVELS = `[...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map((heading) => Number(heading.tagName[1]))`;

describe.skipIf(isSkipped).each(Object.keys(DOCUMENTS))('report of %s in Chromium', (name) => {
  let visited: Visit;

  beforeAll(async () => {
    visited = await visit(name, 390);
  });

  afterAll(async () => {
    await visited?.page.close();
  });

  it.each([390, 1280])('fits %d px: no sideways scroll, no label cut off or over another', async (width) => {
    const { page } = visited;
    await page.setViewportSize({ width, height: 900 });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
    expect(await page.evaluate(BROKEN_LABELS)).toEqual([]);
  });

  it('opens from disk without an error, a dialog or a request', () => {
    expect(visited.incidents).toEqual([]);
  });

  it('has headings in order, named pictures and captioned tables, and no element smuggled in', async () => {
    const { page } = visited;
    const levels = (await page.evaluate(HEADING_LEVELS)) as number[];
    expect(levels[0]).toBe(1);
    levels.slice(1).forEach((level, index) => {
      expect(level).toBeGreaterThan(1);
      expect(level - levels[index]!).toBeLessThanOrEqual(1);
    });
    expect(await page.locator('svg:not([role=img]):not([aria-hidden])').count()).toBe(0);
    expect(await page.locator('table:not(:has(> caption)), th:not([scope])').count()).toBe(0);
    expect(await page.locator('script, img, iframe, object, b').count()).toBe(0);
  });
});

describe.skipIf(isSkipped)('style in Chromium', () => {
  it('follows the colour scheme', async () => {
    const { page } = await visit('improved', 1280);
    const colours = [];
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      colours.push(
        await page.evaluate('getComputedStyle(document.documentElement).getPropertyValue("--page").trim()'),
      );
    }
    expect(colours).toEqual([LIGHT.page, DARK.page]);
    await page.close();
  });

  it('prints on A4 in the light palette with closed matter open and nothing cut off', async () => {
    const { page } = await visit('improved', 688); // A4 less two margins of 14 mm at 96 dots an inch
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(688);
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(255, 255, 255)');
    expect(await page.locator('details code.hash').first().isVisible()).toBe(true);
    await page.close();
  });
});
