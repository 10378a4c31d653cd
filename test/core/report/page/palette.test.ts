import { describe, expect, it } from 'vitest';
import { DARK, LIGHT, type Palette, variables } from '../../../../core/report/page/palette.ts';

/** Relative luminance of WCAG 2: 0.2126 R + 0.7152 G + 0.0722 B over linear channels. */
function luminance(colour: string): number {
  const [red, green, blue] = [1, 3, 5].map((start) => {
    const channel = Number.parseInt(colour.slice(start, start + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}

function contrast(first: string, second: string): number {
  const [light, dark] = [luminance(first), luminance(second)].sort((a, b) => b - a);
  return (light! + 0.05) / (dark! + 0.05);
}

const TEXT_ON: readonly [keyof Palette, keyof Palette][] = [
  ['ink', 'page'],
  ['ink', 'panel'],
  ['ink', 'warningPanel'],
  ['ink', 'notePanel'],
  ['muted', 'page'],
  ['muted', 'panel'],
  ['blue', 'page'],
  ['blue', 'panel'],
  ['green', 'page'],
  ['purple', 'page'],
  ['orange', 'page'],
  ['orange', 'panel'],
  ['orange', 'warningPanel'],
];

describe('palettes', () => {
  it.each([
    ['light', LIGHT],
    ['dark', DARK],
  ])('%s: every text colour has a contrast of at least 4.5 on every ground it stands on', (_, palette) => {
    expect(contrast('#000000', '#ffffff')).toBe(21);
    for (const [text, ground] of TEXT_ON) {
      expect(contrast(palette[text], palette[ground]), `${text} on ${ground}`).toBeGreaterThanOrEqual(4.5);
    }
  });

  it('become custom properties in kebab case', () => {
    expect(variables(LIGHT)).toContain('--page:#ffffff;');
    expect(variables(LIGHT)).toContain('--warning-panel:');
  });
});
