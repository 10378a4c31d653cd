import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitText, textWidth } from '../../../../core/report/text/text-fit.ts';

describe('fitText', () => {
  it('leaves a label that fits', () => {
    expect(fitText('female', 20)).toBe('female');
  });

  it('keeps beginning and end, so that names with the same beginning stay apart', () => {
    const [first, second] = ['A', 'B'].map((end) => fitText(`a very long name that ends in ${end}`, 12));
    expect(first).toMatch(/^a v.*….*A$/);
    expect(first).not.toBe(second);
  });

  it('never exceeds the width, whatever the script', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.double({ min: 3, max: 30, noNaN: true }),
        (text, width) => {
          expect(textWidth(fitText(text, width))).toBeLessThanOrEqual(width + 1e-9);
        },
      ),
    );
  });

  it('cuts between graphemes, not inside an emoji', () => {
    const nurse = '👩🏽‍⚕️';
    expect(fitText(nurse.repeat(20), 5.5)).toBe(`${nurse.repeat(2)}…${nurse.repeat(2)}`);
  });
});

describe('textWidth', () => {
  it('counts wide scripts wider than narrow letters', () => {
    expect(textWidth('iiii')).toBeLessThan(textWidth('nnnn'));
    expect(textWidth('nnnn')).toBeLessThan(textWidth('WWWW'));
    expect(textWidth('nnnn')).toBeLessThan(textWidth('女女女女'));
  });
});
