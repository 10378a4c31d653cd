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

describe('readJsonl', () => {
  it.each<[string, string | Uint8Array]>([
    ['rows.jsonl', '{"a":1,"b":"x"}\n{"a":2.5,"b":null}\n\n{"b":true}\n'],
    ['rows.ndjson', '\uFEFF{"a":1,"b":"x"}\r\n{"a":2.5,"b":""}\r\n\r\n{"b":true,"c":[]}'],
    ['rows.jsonl.gz', gzipSync('{"a":1.0,"b":"x"}\n{"a":2.5}\n\n{"a":null,"b":true}\n')],
    ['rows', '{"a":1e0,"b":"x"}\n{"a":2.5,"b":null}\n\n{"b":true}\n'],
  ])('reads %s', async (name, content) => {
    const path = await folder.write(name, content);
    const rows = await rowsOf(path, ['b', 'a']);
    expect(rows).toEqual([
      { line: 1, cells: ['x', '1'] },
      { line: 2, cells: ['', '2.5'] },
      { line: 4, cells: ['true', ''] },
    ]);
    await expect(tableColumns(path)).resolves.toEqual(['a', 'b']);
  });

  it.each<[string, string, string]>([
    ['empty', '\n', ': expected at least one row, received an empty file'],
    ['no JSON', '{"a":1}\n{"a":Jane}\n', ', line 2: expected a JSON object, received text that is no JSON'],
    [
      'NaN',
      '{"a":NaN}\n',
      ', line 1: expected a JSON object, received text that is no JSON (NaN and Infinity are none: write null)',
    ],
    ['a list', '[{"a":1}]\n', ', line 1: expected a JSON object a line, received a list'],
    ['a number', '{"a":1}\n7\n', ', line 2: expected a JSON object, received a single value'],
    [
      'nested values',
      '{"a":{"Jane":1}}\n',
      ', line 1, column "a": expected text, a number, true, false or null, received an object',
    ],
    ['no such key', '{"b":1}\n{"c":1}\n', ': expected a column "a", received the columns "b"'],
    [
      'an inexact number',
      '{"a":9007199254740993}\n',
      ', line 1, column "a": expected text or a number, received a whole number beyond 2^53, which is not kept exactly; write it as text',
    ],
    [
      'a huge row',
      `{"a":1}\n{"a":"${'x'.repeat(2 ** 20)}"}\n`,
      ', line 2: expected a row of at most 1048576 characters, received a longer one',
    ],
    ['binary', '{"a":"\0"}\n', ': expected JSONL in UTF-8, received binary content (NUL bytes)'],
  ])('refuses %s', async (_, content, message) => {
    const path = await folder.write('refused.jsonl', content);
    await expect(rowsOf(path, ['a'])).rejects.toMatchObject({
      name: 'InvalidInputError',
      message: `${path}${message}`,
    });
  });
});
