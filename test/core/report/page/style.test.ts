import { describe, expect, it } from 'vitest';
import { DARK } from '../../../../core/report/page/palette.ts';
import { STYLE } from '../../../../core/report/page/style.ts';
import { render } from '../../../../core/report/text/html.ts';

describe('STYLE', () => {
  const css = render(STYLE);

  it('fetches nothing', () => {
    expect(css).not.toMatch(/url\(|@import|@font-face|https?:/);
  });

  it('has a dark palette for screens only, a print style and A4 pages', () => {
    expect(css).toContain(`@media screen and (prefers-color-scheme:dark){:root{--page:${DARK.page}`);
    expect(css).toContain('@media print');
    expect(css).toContain('@page{size:A4');
  });

  it('uses no custom property that it does not define', () => {
    const used = new Set([...css.matchAll(/var\((--[\w-]+)/g)].map(([, name]) => name!));
    used.delete('--width'); // set by each picture
    for (const name of used) expect(css, name).toContain(`${name}:`);
  });
});
