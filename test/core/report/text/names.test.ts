import { describe, expect, it } from 'vitest';
import { render } from '../../../../core/report/text/html.ts';
import { joinHtml, nameHtml, nameList, visibleName } from '../../../../core/report/text/names.ts';
import { textOf } from '../../../helpers/report-samples.ts';

describe('names', () => {
  it('isolates the writing direction of a name and escapes it', () => {
    expect(render(nameHtml('<b>نساء</b>'))).toBe('<bdi>&lt;b&gt;نساء&lt;/b&gt;</bdi>');
  });

  it('makes an empty name visible', () => {
    expect([visibleName(''), visibleName('  '), visibleName('0')]).toEqual([
      '(empty name)',
      '(empty name)',
      '0',
    ]);
  });

  it('joins names as a sentence does', () => {
    expect(textOf(nameList(['a']))).toBe('a');
    expect(textOf(nameList(['a', 'b', 'c'])).replaceAll(' ,', ',')).toBe('a, b and c');
    expect(textOf(joinHtml([]))).toBe('');
  });
});
