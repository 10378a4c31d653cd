import { describe, expect, it } from 'vitest';
import { maskSection, stabilitySentence } from '../../../../core/report/sections/mask.ts';
import { HARD_MASK, SOFT_MASK, textOf } from '../../../helpers/report-samples.ts';

function maskText(mask: Parameters<typeof maskSection>[0]): string {
  return textOf(maskSection(mask).body);
}

describe('maskSection', () => {
  it('gives total share, percentile and every tensor with its note', () => {
    const text = maskText(HARD_MASK);
    expect(text).toContain(
      'selects 66,986 of 136,224 body weights (49.2 %), those whose ratio lies above percentile 50',
    );
    expect(text).toContain('conv2d_1/kernel 69.7 % 301 432');
    expect(text).toContain('conv2d_1/bias 0.0 % 0 16 constant importance');
    expect(text).not.toContain('found but not used');
  });

  it('tells a soft mask from a hard one', () => {
    expect(maskText(SOFT_MASK)).toContain(
      'The entries add up to 51,234.6 over 136,224 body weights (37.6 %)',
    );
    expect(maskText({ ...HARD_MASK, percentile: null })).toContain('(49.2 %). Stage 1');
  });

  it('says when the mask was found but not used, and when there is none', () => {
    const unused = maskText({ ...HARD_MASK, isApplied: false });
    expect(unused).toContain('found but not used');
    expect(unused).not.toContain('Stage 1 tunes');
    expect(maskText(null)).toContain('No mask is recorded');
  });

  it('survives an empty mask', () => {
    const empty = {
      ...HARD_MASK,
      selected: 0,
      total: 0,
      layers: [{ parameter: 'none', size: 0, selected: 0 }],
    };
    expect(maskText(empty)).toContain('0 of 0 body weights (none)');
  });

  it('shows the 20 largest tensors of a long model in its order, all of them on demand', () => {
    const layers = Array.from({ length: 25 }, (_, index) => ({
      parameter: `layer-${index}`,
      size: 100 - index,
      selected: 1,
    }));
    const long = maskText({ ...HARD_MASK, layers });
    expect(long).toContain('the 20 largest of 25 tensors');
    expect(long.match(/layer-19\b/g)).toHaveLength(2);
    expect(long.match(/layer-20\b/g)).toHaveLength(1);
    expect(long).not.toContain('carry a note');
    const noted = layers.map((layer, index) => (index === 24 ? { ...layer, note: 'no gradient' } : layer));
    expect(maskText({ ...HARD_MASK, layers: noted })).toContain('1 of the 25 tensors carry a note');
  });
});

describe('stabilitySentence', () => {
  it('reads a hard mask against the overlap of two random masks, s / (2 − s)', () => {
    const half = { ...HARD_MASK, selected: 50, total: 100 };
    expect(stabilitySentence({ ...half, stability: 0.35 })).toContain('hardly more alike than by chance');
    expect(stabilitySentence({ ...half, stability: 0.35 })).toContain('about 0.333'); // 0.5 / 1.5
  });

  it.each([
    [0.9, 'nearly the same weights'],
    [0.7, 'mostly the same weights'],
    [0.5, 'in part the same weights'],
    [0.2, 'mostly different weights'],
  ])('puts %d in words', (stability, words) => {
    expect(stabilitySentence({ ...SOFT_MASK, stability })).toContain(words);
    expect(stabilitySentence({ ...HARD_MASK, selected: 10, total: 100, stability })).toContain(words);
  });

  it('says when it was not measured', () => {
    expect(stabilitySentence({ ...HARD_MASK, stability: null })).toContain('not measured');
  });
});
