const ELLIPSIS = '\u2026';
const SEGMENTER = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Widths in em of a wide system font; a little too wide rather than too narrow, since labels must not collide. */
function characterWidth(grapheme: string): number {
  if (/^[ijlIft.,:;'|!()[\] -]$/.test(grapheme)) return 0.42;
  if (/^[mwMW@%]$/.test(grapheme)) return 1;
  if (/^[A-Z]/.test(grapheme)) return 0.74;
  return /^[\u0020-\u058f]/.test(grapheme) ? 0.63 : 1.05;
}

/** Estimated width of a text in em. Nothing can be measured here: the report holds no script. */
export function textWidth(text: string): number {
  return graphemes(text).reduce((sum, grapheme) => sum + characterWidth(grapheme), 0);
}

/**
 * Shortens a label to `maxWidth` em by cutting out its middle, so that names that share a beginning or an end
 * stay apart. Never cuts inside a grapheme.
 */
export function fitText(text: string, maxWidth: number): string {
  if (textWidth(text) <= maxWidth) return text;
  const half = (maxWidth - characterWidth(ELLIPSIS)) / 2;
  const characters = graphemes(text);
  const start = takeWidth(characters, half).join('');
  const end = takeWidth(characters.toReversed(), half).toReversed().join('');
  return start.trimEnd() + ELLIPSIS + end.trimStart();
}

function graphemes(text: string): string[] {
  return Array.from(SEGMENTER.segment(text), ({ segment }) => segment);
}

function takeWidth(characters: readonly string[], maxWidth: number): string[] {
  const taken: string[] = [];
  let width = 0;
  for (const character of characters) {
    width += characterWidth(character);
    if (width > maxWidth) break;
    taken.push(character);
  }
  return taken;
}
