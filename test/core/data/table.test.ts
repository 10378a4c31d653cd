import { execFileSync } from 'node:child_process';
import { readdir, writeFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { readTable, type TableRow } from '../../../core/data/table.ts';
import { useTempFolder } from '../../helpers/files.ts';

const folder = useTempFolder();

async function rowsOf(path: string, columns: readonly string[]): Promise<TableRow[]> {
  const rows: TableRow[] = [];
  for await (const row of readTable(path, { columns })) rows.push(row);
  return rows;
}

async function read(content: string | Uint8Array, columns = ['a', 'b']): Promise<[number, ...string[]][]> {
  const rows = await rowsOf(await folder.write('table.csv', content), columns);
  return rows.map(({ line, cells }) => [line, ...cells]);
}

describe('readTable', () => {
  it('gives the columns asked for, in the order asked for, also twice', async () => {
    await expect(read('a,b,c\n1,2,3\n4,5,6\n', ['c', 'a', 'c'])).resolves.toEqual([
      [2, '3', '1', '3'],
      [3, '6', '4', '6'],
    ]);
  });

  it.each([
    ['LF', 'a,b\n1,2\n3,4\n'],
    ['CRLF', 'a,b\r\n1,2\r\n3,4\r\n'],
    ['CR', 'a,b\r1,2\r3,4\r'],
    ['mixed endings', 'a,b\r\n1,2\n3,4'],
    ['no last line end', 'a,b\n1,2\n3,4'],
    ['a byte order mark', '\uFEFFa,b\n1,2\n3,4\n'],
    ['a mark and quoted names', '\uFEFF"a","b"\n1,2\n3,4\n'],
    ['white space around names', ' a , b\n1,2\n3,4\n'],
  ])('reads a file with %s', async (_, content) => {
    await expect(read(content)).resolves.toEqual([
      [2, '1', '2'],
      [3, '3', '4'],
    ]);
  });

  it('counts lines through blank lines and line breaks in cells', async () => {
    const content = '\na,b\n\n1,"x\r\ny"\n2,""\r\n \n"3\n\n",4\n5,"say ""hi"", then"\n';
    await expect(read(content)).resolves.toEqual([
      [4, '1', 'x\r\ny'],
      [6, '2', ''],
      [8, '3\n\n', '4'],
      [11, '5', 'say "hi", then'],
    ]);
  });

  it('finds a name in either Unicode form', async () => {
    await expect(read('e\u0301ge,b\n1,2\n', ['\u00e9ge'])).resolves.toEqual([[2, '1']]);
  });

  it('lets unnamed columns be', async () => {
    await expect(read(',,a,b\n0,0,1,2\n')).resolves.toEqual([[2, '1', '2']]);
  });

  it('reads characters that straddle the chunks of the file', async () => {
    const text = '€'.repeat(50_000);
    await expect(read(`a,b\n1,${text}\n`)).resolves.toEqual([[2, '1', text]]);
  });

  it('closes the file when the reader stops early', async () => {
    const path = await folder.write('long.csv', `a,b\n${'1,2\n'.repeat(100_000)}`);
    for await (const row of readTable(path, { columns: ['a'] })) {
      expect(row).toEqual({ line: 2, cells: ['1'] });
      break;
    }
  });

  it('gives back what any writer of RFC 4180 wrote', async () => {
    const quoted = (cell: string) => `"${cell.replaceAll('"', '""')}"`;
    const cell = fc.string({ unit: 'grapheme', maxLength: 8 }).filter((text) => !text.includes('\0'));
    const table = fc.array(fc.tuple(cell, cell, fc.constant('end')), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(table, fc.constantFrom('\n', '\r\n'), async (rows, end) => {
        const content = ['a,b,c', ...rows.map((row) => row.map(quoted).join(','))].join(end);
        const result = await read(content, ['a', 'b', 'c']);
        expect(result.map(([, ...cells]) => cells)).toEqual(rows);
      }),
      { numRuns: 60 },
    );
  });
});

describe('readTable, on a file that it refuses', () => {
  it('stops at blank lines without end, each of which costs more than a row', async () => {
    const path = await folder.write('blank-lines.csv', `a,b\n1,2\n${'\n'.repeat(400_000)}`);
    await expect(rowsOf(path, ['a'])).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: `${path}, line 100003: expected at most 100000 blank lines, received more`,
    });
  });

  it.each<[string, string | Uint8Array, string]>([
    ['is empty', '', ': expected a header and at least one row, received an empty file'],
    ['is blank', '\n \n', ': expected a header and at least one row, received an empty file'],
    [
      'has a header only',
      'a,b\n',
      ': expected a header and at least one row, received a header without rows',
    ],
    ['lacks a column', 'a,c\n1,2\n', ': expected a column "b", received the columns "a", "c"'],
    [
      'has semicolons',
      'a;b\n1;2\n',
      ': expected a column "a", received the columns "a;b" (cells must be separated by commas)',
    ],
    ['has a name twice', 'a,b,a\n1,2,3\n', ': expected distinct column names, received "a" twice'],
    ['has a short row', 'a,b\n1,2\n\n3\n', ', line 4: expected 2 cells as in the header, received 1'],
    ['has a long row', 'a,b\n1,2,3\n', ', line 2: expected 2 cells as in the header, received 3'],
    [
      'leaves a quote open',
      'a,b\n"1\n",2\n3,"4\n5,6\n',
      ', line 4: expected every quote to be closed, received one left open',
    ],
    [
      'leaves a quote open at once',
      '"a,b\n1,2\n',
      ', line 1: expected every quote to be closed, received one left open',
    ],
    [
      'has a quote inside a cell',
      'a,b\n1,x"y\n',
      ', line 2: expected quotes around a whole cell, those inside it doubled, received a stray quote',
    ],
    [
      'has text after a quote',
      'a,b\n1,2\n1,"x"y\n',
      ', line 3: expected quotes around a whole cell, those inside it doubled, received a stray quote',
    ],
    [
      'has a huge cell',
      `a,b\n1,${'x'.repeat(2 ** 20 + 1)}\n`,
      ', line 2: expected a row of at most 1048576 bytes, received a longer one (is a quote left open?)',
    ],
    [
      'is binary',
      Uint8Array.of(97, 44, 98, 10, 0, 1, 2),
      ': expected CSV in UTF-8, received binary content (NUL bytes)',
    ],
    [
      'is UTF-16',
      Buffer.from('\uFEFFa,b\n1,2\n', 'utf16le'),
      ': expected CSV in UTF-8, received UTF-16 text',
    ],
    [
      'is Latin-1',
      Buffer.from('a,b\né,2\n', 'latin1'),
      ': expected CSV in UTF-8, received bytes that are no UTF-8 (another encoding?)',
    ],
    [
      'ends inside a character',
      Buffer.from('a,b\n1,é').subarray(0, -1),
      ': expected CSV in UTF-8, received bytes that are no UTF-8 (another encoding?)',
    ],
  ])('says that it %s', async (_, content, message) => {
    const path = await folder.write('refused.csv', content);
    await expect(rowsOf(path, ['a', 'b'])).rejects.toMatchObject({
      name: 'InvalidInputError',
      message: `${path}${message}`,
    });
  });

  it('lists twenty columns and counts the rest', async () => {
    const names = Array.from({ length: 23 }, (_, index) => `c${index}`).join(',');
    await expect(read(`${names}\n${names}\n`)).rejects.toThrow(/"c18", "c19" and 3 more$/);
  });

  it.skipIf(process.platform === 'win32')('does not read a pipe twice', async () => {
    const path = folder.at('pipe');
    execFileSync('env', ['mkfifo', path]);
    const [result] = await Promise.allSettled([rowsOf(path, ['a']), writeFile(path, 'a,b\n1,2\n1,x"y\n')]);
    expect(result).toMatchObject({
      reason: { message: expect.stringMatching(/pipe, line 3: expected quotes/) },
    });
  });

  it.runIf(process.platform === 'linux')('leaves no file open', async () => {
    const path = await folder.write(
      'open.csv',
      `a,b\n${'1,2\n'.repeat(20_000)}1,"x"y\n${'1,2\n'.repeat(20_000)}`,
    );
    const countOpen = async () => (await readdir('/proc/self/fd')).length;
    const before = await countOpen();
    for (let round = 0; round < 3; round += 1)
      await expect(rowsOf(path, ['a'])).rejects.toThrow(/line 20002/);
    await vi.waitFor(async () => expect(await countOpen()).toBeLessThanOrEqual(before));
  });

  it('keeps cells out of the error and its cause', async () => {
    const path = await folder.write('leak.csv', 'a,b\n1,2\nJane Doe,"x"y\n');
    const error: Error = await rowsOf(path, ['a', 'b']).then(
      () => expect.unreachable(),
      (reason) => reason,
    );
    expect(error.cause).toBeUndefined();
    expect(JSON.stringify({ ...error, message: error.message })).not.toContain('Jane');
  });

  it.each([
    ['absent.csv', 'ENOENT'],
    ['.', 'EISDIR'],
  ])('throws a StorageError when it cannot read %s', async (name, code) => {
    const path = folder.at(name);
    await expect(rowsOf(path, ['a'])).rejects.toMatchObject({
      name: 'StorageError',
      message: `${path}: cannot be read (${code})`,
    });
  });
});
