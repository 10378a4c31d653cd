import { plural } from '../../core/data/cells.ts';
import type { SelectSummary } from '../select-subset.ts';
import { cellText } from '../selection-pool.ts';
import { textTable } from './tables.ts';

/** Cells as plain text. */
export function selectionTable({ size, subjects, cells }: SelectSummary): string {
  const rows = cells.map((cell) => [
    cellText(cell),
    String(cell.pool),
    String(cell.chosen),
    cell.distance.toFixed(4),
    cell.ofRandom.toFixed(4),
  ]);
  const header = ['cell', 'pool', 'chosen', 'distance (MMD)', 'of a random choice'];
  return [
    `${plural(size, 'sample')}${subjects === null ? '' : ` of ${plural(subjects, 'subject')}`}, ${plural(cells.length, 'cell')} alike`,
    textTable([header, ...rows]),
  ].join('\n\n');
}

/** What to know beside the table, a sentence each. */
export function selectionNotes({ cells, leftOut, subjects }: SelectSummary): string[] {
  const unknown = cells.filter(({ reference }) => reference === 0).map(cellText);
  const { withoutGroup, subjectInOtherSplit } = leftOut;
  return [
    ...(subjects === null
      ? ['no subjects (--subject): samples of one may be among those chosen and in other splits']
      : []),
    ...(withoutGroup > 0 ? [`${plural(withoutGroup, 'row')} without a group left out`] : []),
    ...(subjectInOtherSplit > 0
      ? [`${plural(subjectInOtherSplit, 'row')} left out whose subject is in another split`]
      : []),
    ...(unknown.length > 0
      ? [`the reference has none of: ${unknown.join('; ')}; the whole reference stands in for them`]
      : []),
  ];
}
