import { readFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import type { ColumnSource } from 'hyparquet-writer';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, it } from 'vitest';
import { makeVocabulary } from '../../../../../core/data/column-builder.ts';
import { readBatches, readTable, tableColumns } from '../../../../../core/data/table.ts';
import { useTempFolder } from '../../../../helpers/files.ts';

const folder = useTempFolder();
const fixture = (name: string) => path.join(import.meta.dirname, '../../../../fixtures/tables', name);

/** Texts of columns, row by row. */
async function texts(file: string, ...columns: string[]): Promise<(readonly string[])[]> {
  const rows: (readonly string[])[] = [];
  for await (const { cells } of readTable(file, { columns })) rows.push(cells);
  return rows;
}

async function numbers(file: string, name: string, rule = {}): Promise<number[]> {
  const values: number[] = [];
  const request = { name, expected: 'a number', min: -Infinity, max: Infinity, isOptional: false, ...rule };
  for await (const batch of readBatches(file, { texts: [], numbers: [request] })) {
    values.push(...batch.numbers[0]!);
  }
  return values;
}

async function written(columnData: ColumnSource[], rowGroupSize = 1000): Promise<string> {
  return folder.write('made.parquet', new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize })));
}

const rows = Array.from({ length: 12 }, (_, row) => row);
const race = ['a', 'b', '', 'b', 'a', 'a', 'é', 'b', 'a', 'b', 'a', ''];

describe('a Parquet file of pyarrow or polars', () => {
  it.each(['snappy', 'checked', 'plain-v2-zstd', 'gzip', 'brotli-v2', 'none', 'delta-v2', 'polars'])(
    'gives its texts and numbers (%s)',
    async (name) => {
      const file = fixture(`${name}.parquet`);
      const read = await texts(
        file,
        'id',
        'race',
        'flag',
        'y',
        'wide',
        'single',
        'money',
        'born',
        'seen',
        'age',
      );
      expect(read).toEqual(
        rows.map((row) => [
          String(100 + row),
          race[row],
          String(row % 3 === 0),
          String(row % 2),
          row % 2 === 0 ? '1152921504606846976' : '1152921504606846977', // 2^60, 2^60 + 1
          row < 6 ? '0.1' : '0.5',
          '1.5',
          '1970-01-02',
          '2001-02-03T04:05:06.000Z',
          row === 4 ? '' : String(20 + row),
        ]),
      );
      const scores = rows.map((row) => row / 16);
      await expect(numbers(file, 'score', { min: 0, max: 1 })).resolves.toEqual(scores);
      await expect(numbers(file, 'share')).resolves.toEqual(scores); // texts that spell numbers
      await expect(numbers(file, 'id')).resolves.toEqual(rows.map((row) => 100 + row));
      await expect(numbers(file, 'wide')).resolves.toEqual(rows.map(() => 2 ** 60));
      const ages = rows.map((row) => (row === 4 ? Number.NaN : 20 + row));
      await expect(numbers(file, 'age', { isOptional: true })).resolves.toEqual(ages);
      const gaps = rows.map((row) => (row === 5 ? Number.NaN : row));
      await expect(numbers(file, 'gap', { isOptional: true })).resolves.toEqual(gaps);
    },
  );

  it('has no group that no row is in, though its dictionary names one', async () => {
    const vocabulary = makeVocabulary();
    const request = { texts: [{ name: 'race', vocabulary }], numbers: [] };
    for await (const { texts: read } of readBatches(fixture('unused-category.parquet'), request)) {
      expect([...read[0]!]).toEqual([0, 1]);
    }
    expect(vocabulary.texts).toEqual(['a', 'c']);
  });

  it('names its columns', async () => {
    await expect(tableColumns(fixture('unused-category.parquet'))).resolves.toEqual(['y', 'race', 'score']);
  });

  it.each<[string, string, string]>([
    ['no-rows', 'y', ': expected at least one row, received none'],
    ['snappy', 'sex', ': expected a column "sex", received the columns "id", "race"'],
    ['snappy', 'tags', ', column "tags": expected a column of texts or numbers, received one with parts'],
    ['snappy', 'blob', ', column "blob": expected whole Parquet pages, received damaged ones'],
    [
      'lz4',
      'y',
      ', column "y": expected compression by snappy, gzip, brotli, zstd or none, received LZ4_RAW',
    ],
  ])('is refused in words (%s, column %s)', async (name, column, message) => {
    const file = fixture(`${name}.parquet`);
    await expect(texts(file, column)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining(`${file}${message}`),
    });
  });

  it.each([
    ['race', {}, ', row 1, column "race": expected a number, received text of 1 character'],
    ['age', {}, ', row 5, column "age": expected a number, received an empty cell'],
    ['gap', {}, ', row 6, column "gap": expected a number, received NaN'],
    ['score', { max: 0.5 }, ', row 10, column "score": expected a number, received a number above 0.5'],
    ['flag', {}, ', column "flag": expected a number in each row, received true and false'],
    ['born', {}, ', column "born": expected a number in each row, received dates or times'],
    ['seen', {}, ', column "seen": expected a number in each row, received dates or times'],
  ])('names the row of a %s that is no number', async (name, rule, message) => {
    const file = fixture('snappy.parquet');
    await expect(numbers(file, name, rule)).rejects.toThrow(`${file}${message}`);
  });
});

describe('readParquet', () => {
  it('gives back what was written, whatever the row groups and pages', async () => {
    const row = fc.tuple(
      fc.constantFrom('x', 'y', null),
      fc.integer({ min: 0, max: 9 }),
      fc.double({ noNaN: true }),
    );
    const table = fc.array(row, { minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(table, fc.integer({ min: 1, max: 40 }), async (made, size) => {
        const file = await written(
          [
            { name: 'g', data: made.map(([group]) => group), type: 'STRING' },
            { name: 'n', data: made.map(([, count]) => count), type: 'INT32' },
            { name: 's', data: made.map(([, , score]) => score), type: 'DOUBLE' },
          ],
          size,
        );
        await expect(texts(file, 'g', 'n')).resolves.toEqual(made.map(([g, n]) => [g ?? '', String(n)]));
        await expect(numbers(file, 's')).resolves.toEqual(made.map(([, , score]) => score));
      }),
      { numRuns: 20 },
    );
  });

  it('has the fewest digits of 32-bit floats, and fixed bytes of kinds that are numbers or names', async () => {
    const file = await written([
      { name: 'f', data: [0.1, 16777216, 1 / 3], type: 'FLOAT' },
      { name: 'h', data: [0.5, 2, null], type: 'FLOAT16' },
      { name: 'u', data: ['00000000-0000-0000-0000-000000000001', null, null], type: 'UUID' },
    ]);
    await expect(texts(file, 'f', 'h', 'u')).resolves.toEqual([
      ['0.1', '0.5', '00000000-0000-0000-0000-000000000001'],
      ['16777216', '2', ''],
      ['0.33333334', '', ''], // the eight digits that float32 tells apart
    ]);
  });

  it('counts rows through batches', async () => {
    const data = Array.from({ length: 40_000 }, (_, row) => (row === 39_998 ? 2 : 0.5));
    const file = await written([{ name: 's', data, type: 'DOUBLE' }], 30_000);
    await expect(numbers(file, 's', { max: 1 })).rejects.toThrow(/row 39999, column "s"/);
  });

  it('says that a file is cut short or damaged, wherever that is, and repeats nothing of it', async () => {
    const whole = await readFile(fixture('snappy.parquet'));
    for (let length = 4; length < whole.length; length += 1999) {
      const file = await folder.write('cut.parquet', whole.subarray(0, length));
      await expect(texts(file, 'race')).rejects.toThrow('expected a whole Parquet file');
    }
    let refused = 0;
    for (let place = 4; place < whole.length - 8; place += 401) {
      const bytes = Uint8Array.from(whole);
      bytes[place] = bytes[place]! ^ 0x55;
      const file = await folder.write('damaged.parquet', bytes);
      const error = await texts(file, 'race', 'id').then(
        () => null,
        (reason) => reason,
      );
      if (error === null) continue;
      refused += 1;
      expect(error).toMatchObject({ code: 'INVALID_INPUT', message: expect.stringMatching(/expected/) });
    }
    expect(refused).toBeGreaterThan(3);
  });
});
