import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'csv-parse/sync';

/** Data sets and models beside the repository. */
export const SHARED = path.join(import.meta.dirname, '../../../shared');

/** Rows of a data set's labels by column, the paths of their files absolute. */
export async function readRows(dataSet: string): Promise<Record<string, string>[]> {
  const folder = path.join(SHARED, 'data', dataSet);
  const text = await readFile(path.join(folder, 'labels.csv'), 'utf8');
  const rows = parse(text, { columns: true }) as Record<string, string>[];
  return rows.map((row) => ({ ...row, file: path.join(folder, row.file!) }));
}
