import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { languageOf } from '../../../../core/report/language/language.ts';
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

  it('allows the one script that it was given by its hash, and no other', () => {
    const script = html`alert(1)`;
    const input = { title: 'T', heading: html`H`, lead: html``, sections: [], colophon: 'c' };
    const scripted = page({ ...input, script, language: languageOf('ja') });
    const hash = createHash('sha256').update('alert(1)').digest('base64');
    expect(scripted).toContain(`form-action &#39;none&#39;; script-src &#39;sha256-${hash}&#39;"`);
    expect(scripted).toContain('<script>alert(1)</script>');
    expect(scripted).toContain('<html lang="ja">');
  });

  it('escapes the title', () => {
    expect(document).toContain('<title>T &lt;/title&gt;&lt;script&gt;</title>');
  });

  it('links every section', () => {
    expect(document).toContain('<a href="#one">One</a>');
    expect(document).toContain('<section id="one"');
  });
});
