import { parse } from 'csv-parse/sync';
import { expect, test } from 'vitest';
import { csvCell } from '../../../core/data/csv-text.ts';

test('every text comes back from a reader of CSV as it was', () => {
  const cells = ['plain', 'a,b', 'say "so"', 'two\nlines', ' spaced ', '', 'é\r\n'];
  expect(parse(cells.map(csvCell).join(','))).toEqual([cells]);
});

test('numbers are as JavaScript spells them, and nothing is an empty cell', () => {
  expect([0.5, null, 'x'].map(csvCell)).toEqual(['0.5', '', 'x']);
});
