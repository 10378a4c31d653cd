import { describe, expect, it } from 'vitest';
import { page } from '../../../../core/report/page/page.ts';
import { html } from '../../../../core/report/text/html.ts';

const document = page({
  title: 'T </title><script>',
  heading: html`H`,
  lead: html`<p>lead</p>`,
  sections: [{ id: 'one', title: 'One', body: html`<p>body</p>` }],
  colophon: 'made by a test',
});

describe('page', () => {
  it('is a whole document with language, character set and view port', () => {
    expect(document).toMatch(/^<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">/);
    expect(document).toContain('<meta name="viewport" content="width=device-width, initial-scale=1">');
    expect(document.endsWith('</html>\n')).toBe(true);
  });

  it('forbids every request and script', () => {
    const policy = document.match(/Content-Security-Policy" content="([^"]*)"/)![1]!;
    expect(policy).toBe(
      "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'".replaceAll(
        "'",
        '&#39;',
      ),
    );
  });

  it('escapes the title', () => {
    expect(document).toContain('<title>T &lt;/title&gt;&lt;script&gt;</title>');
  });

  it('links every section', () => {
    expect(document).toContain('<a href="#one">One</a>');
    expect(document).toContain('<section id="one"');
  });
});
