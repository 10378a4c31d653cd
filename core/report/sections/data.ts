import type { Cell, DataPart, DataUse } from '../../jobs/run-record.ts';
import { SMALL_CELL } from '../facts/limits.ts';
import { notice, paragraph, type Section } from '../page/layout.ts';
import { numberCell, row, table } from '../page/table.ts';
import { count, plural } from '../text/format.ts';
import { type Content, type Html, html, NOTHING } from '../text/html.ts';
import { nameHtml } from '../text/names.ts';
import { PART_WORDS } from '../text/words.ts';

/** Where every row of the manifest went. */
export function dataSection(data: DataUse, sensitiveFeature: string): Section {
  return {
    id: 'data',
    title: 'What was done to the data',
    body: html`${paragraph(`The manifest has ${plural(data.rows, 'row')}.`)}
${partTable(data)}
<div class="tables">${data.parts.map((part) => cellTables(part, sensitiveFeature))}</div>${mergedCells(data)}
${exclusions(data)}
${unaccounted(data)}`,
  };
}

function partTable({ parts, auditedOn }: DataUse): Html {
  if (parts.length === 0) return paragraph('No part of the data was used.');
  const rows = parts.map((part) =>
    row(html`${part.name}${part.name === auditedOn ? html` <span class="tag">audited</span>` : NOTHING}`, [
      html`<td>${PART_WORDS[part.name]}</td>`,
      numberCell(count(part.support)),
    ]),
  );
  const columns = [{ title: 'Part' }, { title: 'Used for' }, { title: 'Samples', isNumeric: true }];
  return table({ caption: 'Parts of the data', columns, rows });
}

const POSITIVE_FIRST = [
  { label: 1, title: 'Positives' },
  { label: 0, title: 'Negatives' },
];

/** One table for each feature that the cells are of. */
function cellTables({ name, cells }: DataPart, sensitiveFeature: string): Html[] {
  const nameOf = (cell: Cell) => cell.sensitiveFeature ?? sensitiveFeature;
  return [...new Set(cells.map(nameOf))].map((feature) =>
    cellTable({ name, cells: cells.filter((cell) => nameOf(cell) === feature) }, feature),
  );
}

/** Cells of intersections that are too small to be groups of their own. */
function mergedCells({ merged = [] }: DataUse): Html {
  if (merged.length === 0) return NOTHING;
  const rows = merged.map(({ sensitiveFeature, group, reason }) =>
    row(nameHtml(group), [html`<td>${nameHtml(sensitiveFeature)}</td>`, html`<td>${reason}</td>`]),
  );
  return table({
    caption: 'Combinations too small to be groups of their own: they count in their features alone',
    columns: [{ title: 'Combination' }, { title: 'Of' }, { title: 'What it lacks' }],
    rows,
  });
}

function cellTable({ name, cells }: Pick<DataPart, 'name' | 'cells'>, sensitiveFeature: string): Html {
  const groups = [...new Set(cells.map(({ group }) => group))];
  const classes = new Map(cells.map(({ label, className }) => [label, className]));
  const labels =
    cells[0]?.className === undefined
      ? POSITIVE_FIRST
      : [...classes].map(([label, title = '']) => ({ label, title }));
  const rows = groups.map((group) => {
    const own = cells.filter((cell) => cell.group === group);
    return row(
      nameHtml(group),
      labels.map(({ label }) => supportCell(own, label)),
    );
  });
  const columns = [{ title: 'Group' }, ...labels.map(({ title }) => ({ title, isNumeric: true }))];
  return table({ caption: `Samples of the ${name} part by ${sensitiveFeature}`, columns, rows });
}

function supportCell(cells: readonly Cell[], label: number): Html {
  const cell = cells.find((each) => each.label === label);
  if (cell === undefined) return numberCell('not recorded');
  return numberCell(count(cell.support), sizeRemark(cell.support));
}

function sizeRemark(support: number): Content {
  if (support === 0) return 'empty';
  return support < SMALL_CELL ? 'small' : '';
}

function exclusions({ excluded }: DataUse): Html {
  if (excluded.length === 0) return paragraph('No row was excluded.');
  const rows = excluded.map((each) => row(each.reason, [numberCell(count(each.rows))]));
  return table({
    caption: 'Rows that no part holds',
    columns: [{ title: 'Reason' }, { title: 'Rows', isNumeric: true }],
    rows,
  });
}

function unaccounted({ rows, excluded, parts }: DataUse): Html {
  const inParts = parts.reduce((sum, { support }) => sum + support, 0);
  const total = excluded.reduce((sum, each) => sum + each.rows, inParts);
  if (total === rows) return NOTHING;
  return notice(
    'Warning',
    `parts and exclusions add up to ${count(total)}, the manifest has ${plural(rows, 'row')}; the difference is not explained in the run record.`,
  );
}
