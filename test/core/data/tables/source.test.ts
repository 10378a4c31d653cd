import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readTable, type TableRow, tableColumns } from '../../../../core/data/table.ts';
import { useTempFolder } from '../../../helpers/files.ts';

const folder = useTempFolder();

async function rowsOf(path: string, columns: readonly string[]): Promise<TableRow[]> {
  const rows: TableRow[] = [];
  for await (const row of readTable(path, { columns })) rows.push(row);
  return rows;
}

describe('openTable', () => {
  const gzip = gzipSync('a,b\n1,2\n3,4\n');

  it.each(['table.csv.gz', 'table.csv', 'table'])('reads gzip around CSV as %s', async (name) => {
    const path = await folder.write(name, gzip);
    await expect(rowsOf(path, ['b'])).resolves.toEqual([
      { line: 2, cells: ['2'] },
      { line: 3, cells: ['4'] },
    ]);
    await expect(tableColumns(path)).resolves.toEqual(['a', 'b']);
  });

  it.each<[string, Uint8Array, string]>([
    ['cut.csv.gz', gzip.subarray(0, -9), 'expected a whole gzip file, received one that ends early'],
    [
      'bad.csv.gz',
      gzip.map((byte, place) => (place === 12 ? 255 : byte)),
      'expected a whole gzip file, received a damaged one',
    ],
    [
      'bomb.jsonl.gz',
      gzipSync(Buffer.alloc(17 * 2 ** 20, `{"a":"${'2'.repeat(99_000)}"}\n`)),
      'expected gzip of at most 250 times its size, received one that grows beyond; decompress it first',
    ],
    [
      'p.parquet',
      Buffer.from('a,b\n'),
      'expected a Parquet file, received a file without its mark at the beginning',
    ],
    ['p.csv', Buffer.from('PAR1'), 'expected CSV, received a Parquet file'],
    [
      'p',
      gzipSync('PAR1'),
      'expected a Parquet file, received Parquet inside gzip (it has compression of its own)',
    ],
    [
      'p.pq',
      Buffer.from('PAR1PAR1'),
      'expected a whole Parquet file, received one whose footer cannot be read (cut short?)',
    ],
  ])('refuses %s', async (name, content, message) => {
    const path = await folder.write(name, content);
    await expect(tableColumns(path).then(() => rowsOf(path, ['a']))).rejects.toMatchObject({
      name: 'InvalidInputError',
      message: `${path}: ${message}`,
    });
  });
});
