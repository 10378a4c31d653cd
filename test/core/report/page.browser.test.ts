import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import axe from 'axe-core';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { driftOf } from '../../../core/fairness/drift/drift.ts';
import { gate } from '../../../core/fairness/policy/gate.ts';
import { policySchema } from '../../../core/fairness/policy/schema.ts';
import type { AuditReport } from '../../../core/fairness/types.ts';
import { renderAuditReport } from '../../../core/report/audit-report.ts';
import { renderMitigationReport } from '../../../core/report/mitigation-report.ts';
import { DARK, LIGHT } from '../../../core/report/page/palette.ts';
import { threshold } from '../../../core/report/text/format.ts';
import { DOCUMENT_POLICY } from '../../../functions/local/objects.ts';
import { startBackend } from '../../../worker/backend.ts';
import { EXPLANATION } from '../../helpers/explanation-sample.ts';
import { measuredAudit } from '../../helpers/measured-audits.ts';
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

/** Names of the documents that are made of an audit by the real code, by language. */
const MEASURED = { 'measured-en': 'en', 'measured-ja': 'ja' } as const;

const DOCUMENTS: Record<string, string> = {
  improved: renderMitigationReport({ run: IMPROVED_RUN, before: TWO_GROUPS_BEFORE, after: TWO_GROUPS_AFTER }),
  explained: renderMitigationReport({
    run: IMPROVED_RUN,
    before: TWO_GROUPS_BEFORE,
    after: TWO_GROUPS_AFTER,
    explanation: EXPLANATION,
  }),
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

let audit: AuditReport;

/** With all that a report of an audit can hold. */
function measuredReport(lang: 'en' | 'ja'): string {
  const policy = policySchema.parse({
    name: 'release',
    rules: [
      { metric: 'equalizedOddsDifference', max: 0.1 },
      { metric: 'demographicParityRatio', min: 0.8, on: 'interval', severity: 'warning' },
    ],
  });
  const drift = driftOf(
    [1, 2, 3, 4, 5].map((month) => ({ time: new Date(Date.UTC(2025, month, 3)), report: audit })),
  );
  return renderAuditReport(audit, {
    title: 'Audit',
    source: 'scores.csv',
    lang,
    gate: gate(audit, policy),
    drift,
  });
}

/** What axe-core finds wrong, as `rule: element`. Contrast, the slowest rule, is the same at every width. */
const violations = (hasContrast: boolean) => `axe.run({
  resultTypes: ['violations'],
  rules: { 'color-contrast': { enabled: ${hasContrast} } },
}).then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ': ' + html.slice(0, 200))))`;

const folder = mkdtempSync(join(tmpdir(), 'counterweight-report-'));
let browser: Browser;

beforeAll(async () => {
  if (isSkipped) return;
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });
  await startBackend('cpu');
  audit = measuredAudit();
  for (const [name, lang] of Object.entries(MEASURED)) DOCUMENTS[name] = measuredReport(lang);
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

describe.skipIf(isSkipped).each([...Object.keys(DOCUMENTS), ...Object.keys(MEASURED)])(
  'report of %s in Chromium',
  (name) => {
    let visited: Visit;

    beforeAll(async () => {
      visited = await visit(name, 390);
    });

    afterAll(async () => {
      await visited?.page.close();
    });

    it.each([390, 1280])(
      'fits %d px: no sideways scroll, no label cut off or over another',
      async (width) => {
        const { page } = visited;
        await page.setViewportSize({ width, height: 900 });
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
        expect(await page.evaluate(BROKEN_LABELS)).toEqual([]);
      },
    );

    it('has nothing that axe-core objects to', async () => {
      const { page } = visited;
      await page.evaluate(axe.source);
      for (const width of name in MEASURED ? [390, 1280] : [390]) {
        await page.setViewportSize({ width, height: 900 });
        expect(await page.evaluate(violations(width === 390)), `${width} px`).toEqual([]);
      }
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
      expect(await page.locator('img, iframe, object, b').count()).toBe(0);
      expect(await page.locator('script').count()).toBe(name in MEASURED ? 1 : 0);
    });
  },
);

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

  it.each(['improved', 'measured-ja'])(
    'prints %s on A4: light, closed matter open, nothing cut off',
    async (name) => {
      const { page } = await visit(name, 688); // A4 less two margins of 14 mm at 96 dots an inch
      await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(688);
      expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe(
        'rgb(255, 255, 255)',
      );
      expect(await page.locator('details :is(code.hash, dl.guide)').first().isVisible()).toBe(true);
      await page.close();
    },
  );
});

describe.skipIf(isSkipped)('threshold of a report in Chromium', () => {
  const cells = (page: Page) =>
    page.locator('#explorer table').first().locator('tr[data-tp] td').allTextContents();

  it('moves by keys, and the rates and gaps with it', async () => {
    const { page } = await visit('measured-en', 1280);
    const slider = page.getByRole('slider', { name: 'Threshold' });
    await slider.focus();
    await page.keyboard.press('Home');
    expect(await page.locator('output').textContent()).toBe(threshold(audit.thresholds[0]!));
    // at the lowest score everyone is predicted positive
    expect(await cells(page)).toEqual(Array(6).fill('1.000'));
    await page.keyboard.press('ArrowRight');
    const [sex] = audit.features;
    const tprs = sex!.groups.map(({ sweep, positives }) => sweep!.truePositives[1]! / positives);
    const gap = Math.abs(tprs[0]! - tprs[1]!);
    const shown = await page.locator('#explorer table').first().locator('tr.gap td').nth(1).textContent();
    expect(shown).toBe(gap > 0 && gap < 0.0005 ? '<0.001' : gap.toFixed(3));
    expect(await slider.getAttribute('aria-valuetext')).toBe(threshold(audit.thresholds[1]!));
    await page.close();
  });

  it('moves under the policy of a server too, which keeps the page away from the origin', async () => {
    const page = await browser.newPage();
    const headers = {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': DOCUMENT_POLICY,
    };
    await page.route('**/*', (route) => route.fulfill({ headers, body: DOCUMENTS['measured-en']! }));
    await page.goto('http://report.test/');
    await page.getByRole('slider').press('Home');
    expect((await cells(page))[0]).toBe('1.000');
    expect(await page.evaluate('window.origin')).toBe('null');
    await page.close();
  });

  it('stands at that of the audit where scripts are not allowed', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(pathToFileURL(join(folder, 'measured-en.html')).href);
    expect(await page.getByRole('slider').count()).toBe(0);
    const { selectionRate } = audit.features[0]!.groups[0]!.rates;
    expect((await cells(page))[0]).toBe(selectionRate.value!.toFixed(3));
    await context.close();
  });
});
