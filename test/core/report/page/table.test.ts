import { describe, expect, it } from 'vitest';
import {
  longTextCell,
  numberCell,
  numberedRow,
  row,
  table,
  textCell,
} from '../../../../core/report/page/table.ts';
import { html, render } from '../../../../core/report/text/html.ts';

describe('table', () => {
  it('has a caption, scoped headings and a container of its own that scrolls', () => {
    const columns = [{ title: 'A' }, { title: 'B', isNumeric: true }];
    const markup = render(table({ caption: 'By "sex"', columns, rows: [row('x', [numberCell('1')])] }));
    expect(markup).toContain(
      '<div class="scroll" role="region" tabindex="0" aria-label="By &quot;sex&quot;">',
    );
    expect(markup).toContain('<caption>By &quot;sex&quot;</caption>');
    expect(markup).toContain('<th scope="col">A</th><th scope="col" class="number">B</th>');
    expect(markup).toContain('<tbody><tr><th scope="row">x</th><td class="number">1</td></tr>');
  });

  it('takes row groups as they come', () => {
    const markup = render(
      table({
        caption: 'c',
        columns: [],
        rows: [html`<tbody></tbody>`, html`<tbody></tbody>`],
        hasBodies: true,
      }),
    );
    expect(markup.match(/<tbody>/g)).toHaveLength(2);
  });
});

describe('cells', () => {
  it('put what is behind a figure under it', () => {
    expect(render(numberCell('0.5', '1 of 2'))).toBe('<td class="number">0.5<small>1 of 2</small></td>');
  });

  it('escape text', () => {
    expect(render(textCell('<'))).toBe('<td class="text">&lt;</td>');
    expect(render(longTextCell('<'))).toBe('<td class="text long">&lt;</td>');
    expect(render(numberedRow(3, []))).toContain('<th scope="row" class="ordinal">3</th>');
  });
});
