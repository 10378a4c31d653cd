import { describe, expect, it } from 'vitest';
import { STYLE } from '../../../../functions/local/page/style.ts';

describe('the style of the page', () => {
  it('has every rule closed, uses only colours that the palette has, and loads nothing', () => {
    expect(STYLE.split('{')).toHaveLength(STYLE.split('}').length);
    const used = new Set([...STYLE.matchAll(/var\((--[\w-]+)\)/g)].map(([, name]) => name!));
    const defined = new Set([...STYLE.matchAll(/(--[\w-]+):/g)].map(([, name]) => name!));
    expect([...used].filter((name) => !defined.has(name))).toEqual([]);
    expect(STYLE).not.toMatch(/url\(|@import|<\//);
  });
});
