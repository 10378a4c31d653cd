/** Longest piece of a user's text (a column, group or file name) that a message repeats. */
const MAX_QUOTED = 80;

const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;
const NOT_A_NUMBER = /^[+-]?nan$/i;
const INFINITE = /^[+-]?inf(?:inity)?$/i;

/** The text in quotes, control characters escaped, cut at 80 characters: safe to print in a terminal. */
export function quote(text: string): string {
  return JSON.stringify(text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text);
}

/** Names as they are compared: outer white space gone, one Unicode form, so that no name has two spellings. */
export function cleanText(text: string): string {
  return text.trim().normalize('NFC');
}

/**
 * Number in a decimal cell; hexadecimal and the like are no numbers.
 *
 * @returns null when the cell is empty, no number, NaN, infinite or beyond float64
 */
export function parseNumber(cell: string): number | null {
  const text = cell.trim();
  if (!NUMBER.test(text)) return null;
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}

/** What a cell holds, by kind and never by value: rows of data must not leak into messages. */
export function describeCell(cell: string): string {
  const text = cell.trim();
  if (text === '') return 'an empty cell';
  if (NOT_A_NUMBER.test(text)) return 'NaN';
  if (INFINITE.test(text)) return 'an infinity';
  if (NUMBER.test(text)) return Number.isFinite(Number(text)) ? 'a number' : 'a number too large for float64';
  return `text of ${text.length} ${text.length === 1 ? 'character' : 'characters'}`;
}

/** `1 row`, `2 rows` */
export function plural(size: number, noun: string): string {
  return `${size} ${noun}${size === 1 ? '' : 's'}`;
}
