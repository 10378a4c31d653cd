import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { html, NOTHING, render } from '../../../../core/report/text/html.ts';

const ENTITIES: Record<string, string> = {
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
  '&#96;': '`',
  '&amp;': '&',
};

function resolve(markup: string): string {
  return markup.replace(/&(lt|gt|quot|#39|#96|amp);/g, (entity) => ENTITIES[entity]!);
}

describe('html', () => {
  it('escapes interpolated text and keeps the literal parts', () => {
    expect(render(html`<b>${'<script>alert("1")</script>'}</b>`)).toBe(
      '<b>&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;</b>',
    );
  });

  it('inserts markup that it made itself, and lists of it, as they are', () => {
    const items = ['a', '&'].map((item) => html`<li>${item}</li>`);
    expect(render(html`<ul>${items}${NOTHING}</ul>`)).toBe('<ul><li>a</li><li>&amp;</li></ul>');
  });

  it('prints numbers', () => {
    expect(render(html`${-1.5}, ${[0, 2]}`)).toBe('-1.5, 02');
  });

  it('takes no object read from a file for markup', () => {
    const forged = JSON.parse('{"MARKUP":"<script>","markup":"<script>"}');
    expect(() => html`${forged}`).toThrow(TypeError);
  });

  it('replaces controls, lone surrogates and characters that reorder text, and keeps tab and newline', () => {
    expect(render(html`${'a\u202eb\u2066c\u0000d\u001be\ud800f\tg\nh'}`)).toBe(
      'a\ufffdb\ufffdc\ufffdd\ufffde\ufffdf\tg\nh',
    );
  });

  it('leaves no character that can open a tag, end an attribute or start an entity, and loses none', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const markup = render(html`${text}`);
        expect(markup).not.toMatch(/[<>"'`]|&(?!(lt|gt|quot|#39|#96|amp);)/);
        expect(resolve(markup)).toBe(
          text.replace(/(?![\t\n])[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, '\ufffd'),
        );
      }),
    );
  });
});
