import { describe, expect, it } from 'vitest';
import {
  bulletList,
  definitions,
  disclosure,
  figure,
  notice,
  paragraph,
  sectionHtml,
} from '../../../../core/report/page/layout.ts';
import { html, render } from '../../../../core/report/text/html.ts';

describe('layout', () => {
  it('names a section by its heading', () => {
    expect(render(sectionHtml({ id: 'data', title: 'D & E', body: html`x` }))).toContain(
      '<section id="data" aria-labelledby="data-heading">\n<h2 id="data-heading">D &amp; E</h2>',
    );
  });

  it('says in words what kind of notice it is', () => {
    expect(render(notice('Warning', 'a < b'))).toContain(
      '<p class="notice warning"><strong>Warning:</strong> a &lt; b',
    );
    expect(render(notice('Note', 'x'))).toContain('class="notice note"');
  });

  it('escapes what it is given', () => {
    const parts = [
      paragraph('<'),
      bulletList(['<']),
      disclosure('<', '<'),
      definitions([['<', '<']]),
      figure([], '<'),
    ];
    for (const part of parts) expect(render(part)).toMatch(/&lt;/);
  });
});
