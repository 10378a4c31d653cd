import { describe, expect, it } from 'vitest';
import { makeVocabulary } from '../../../../core/data/column-builder.ts';
import { readBatches } from '../../../../core/data/table.ts';
import { useTempFolder } from '../../../helpers/files.ts';

const folder = useTempFolder();

describe('readBatches', () => {
  const score = { name: 'p', expected: 'a score', min: 0, max: 1, isOptional: false };

  it.each([
    ['t.csv', 'g,p,y\n a,0.5,1\n,1e-3,0\na,1,1\n', 2],
    ['t.jsonl', '{"g":"a","p":0.5,"y":1}\n{"p":"1e-3","y":0.0}\n{"g":"a ","p":1,"y":"1"}\n', 1],
  ])('gives codes and numbers of %s', async (name, content, line) => {
    const path = await folder.write(name, content);
    const groups = makeVocabulary();
    const labels = makeVocabulary();
    const texts = [
      { name: 'g', vocabulary: groups },
      { name: 'y', vocabulary: labels },
    ];
    for await (const batch of readBatches(path, { texts, numbers: [score] })) {
      expect([...batch.texts[0]!]).toEqual([0, 1, 0]);
      expect([...batch.texts[1]!]).toEqual([0, 1, 0]);
      expect([...batch.numbers[0]!]).toEqual([0.5, 1e-3, 1]);
      expect(batch.place(2, 'p')).toBe(`${path}, line ${line + 2}, column "p"`);
    }
    expect([groups.texts, labels.texts]).toEqual([
      ['a', ''],
      ['1', '0'],
    ]);
  });

  it('gives rows beyond one batch, each once', async () => {
    const path = await folder.write(
      'long.csv',
      `p\n${Array.from({ length: 40_000 }, (_, row) => row).join('\n')}`,
    );
    const numbers = [{ ...score, max: 1e6 }];
    const values: number[] = [];
    for await (const batch of readBatches(path, { texts: [], numbers })) values.push(...batch.numbers[0]!);
    expect(values).toEqual(Array.from({ length: 40_000 }, (_, row) => row));
  });

  it.each([
    ['""', 'an empty cell'],
    ['"nan"', 'NaN'],
    ['true', 'true or false'],
    ['-1', 'a number below 0'],
    ['2', 'a number above 1'],
    ['"high"', 'text of 4 characters'],
    ['null', 'an empty cell'],
  ])('refuses the score %s', async (value, received) => {
    const path = await folder.write('bad.jsonl', `{"p":0}\n{"p":${value}}\n`);
    const batches = readBatches(path, { texts: [], numbers: [score] });
    await expect(batches.next()).rejects.toThrow(
      `${path}, line 2, column "p": expected a score, received ${received}`,
    );
  });
});
