import { describe, expect, it } from 'vitest';
import { cleanText, describeCell, parseNumber, plural, quote } from '../../../core/data/cells.ts';

describe('parseNumber', () => {
  it.each([
    ['0', 0],
    [' 1.50 ', 1.5],
    ['-.5', -0.5],
    ['+3.', 3],
    ['1e-3', 0.001],
  ])('reads %j as %d', (cell, value) => {
    expect(parseNumber(cell)).toBe(value);
  });

  it.each(['', ' ', 'nan', 'Infinity', '0x10', '1,5', '1 2', '1e999', 'e5', '.', '1_000', '٣'])(
    'refuses %j',
    (cell) => {
      expect(parseNumber(cell)).toBeNull();
    },
  );

  it('stays fast on a long run of digits that is no number', () => {
    const start = performance.now();
    expect(parseNumber(`${'1'.repeat(1_000_000)}x`)).toBeNull();
    expect(performance.now() - start).toBeLessThan(1000);
  });
});

describe('describeCell', () => {
  it.each([
    ['  ', 'an empty cell'],
    ['NaN', 'NaN'],
    ['-inf', 'an infinity'],
    ['Infinity', 'an infinity'],
    ['12.5', 'a number'],
    ['1e999', 'a number too large for float64'],
    ['x', 'text of 1 character'],
    ['Jane Doe', 'text of 8 characters'],
  ])('says what %j is without repeating it', (cell, words) => {
    expect(describeCell(cell)).toBe(words);
  });
});

describe('quote', () => {
  it('escapes control characters', () => {
    expect(quote('a\u001b[31m"b')).toBe('"a\\u001b[31m\\"b"');
  });

  it('cuts long text', () => {
    expect(quote('x'.repeat(100))).toBe(`"${'x'.repeat(80)}…"`);
  });
});

describe('cleanText', () => {
  it('gives one spelling to composed and decomposed letters', () => {
    expect(cleanText(' e\u0301 ')).toBe('\u00e9');
  });
});

describe('plural', () => {
  it.each([
    [0, '0 rows'],
    [1, '1 row'],
    [2, '2 rows'],
  ])('counts %d', (size, words) => {
    expect(plural(size, 'row')).toBe(words);
  });
});
