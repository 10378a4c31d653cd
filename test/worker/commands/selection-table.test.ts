import { expect, it } from 'vitest';
import { selectionNotes, selectionTable } from '../../../worker/commands/selection-table.ts';
import type { SelectSummary } from '../../../worker/select-subset.ts';

const cell = { pool: 30, chosen: 1, reference: 4, distance: 0.1, ofRandom: 0.25 };
const summary: SelectSummary = {
  size: 2,
  subjects: 1,
  perCell: 1,
  cells: [
    { groups: { sex: 'F' }, label: 0, ...cell },
    { groups: { sex: 'F' }, label: 1, ...cell, reference: 0 },
  ],
  leftOut: { withoutGroup: 0, subjectInOtherSplit: 2 },
  bandwidth: 1,
  splitColumn: 'split',
};

it('shows each cell with its counts and distances', () => {
  const [title, , header, first] = selectionTable(summary).split('\n');
  expect(title).toBe('2 samples of 1 subject, 2 cells alike');
  expect(header).toMatch(/^cell +pool +chosen +distance \(MMD\) +of a random choice$/);
  expect(first!.split(/ {2,}/)).toEqual(['sex "F" with label 0', '30', '1', '0.1000', '0.2500']);
});

it('counts no subjects where the table names none', () => {
  const unnamed = { ...summary, subjects: null };
  expect(selectionTable(unnamed)).toMatch(/^2 samples, 2 cells alike\n/);
  expect(selectionNotes(unnamed)[0]).toMatch(/^no subjects/);
});

it('says what was left out and what stood in', () => {
  expect(selectionNotes(summary)).toEqual([
    '2 rows left out whose subject is in another split',
    'the reference has none of: sex "F" with label 1; the whole reference stands in for them',
  ]);
});
