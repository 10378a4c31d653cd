import { describe, expect, it } from 'vitest';
import { loadPredictions } from '../../../core/data/predictions.ts';
import { useTempFolder } from '../../helpers/files.ts';

const folder = useTempFolder();
const base = { label: 'y', sensitiveFeatures: ['sex'] };

describe('loadPredictions', () => {
  it('reads scores', async () => {
    const path = await folder.write('scores.csv', 'id,y,sex,p\n7,1,f,0.25\n8,0,m,1\n9,1,m,1e-3\n');
    await expect(loadPredictions(path, { ...base, score: 'p' })).resolves.toEqual({
      size: 3,
      labels: Int32Array.of(1, 0, 1),
      sensitiveFeatures: [{ name: 'sex', groupNames: ['f', 'm'], groups: Int32Array.of(0, 1, 1) }],
      scores: Float64Array.of(0.25, 1, 1e-3),
    });
  });

  it('reads predictions spelled as the labels are', async () => {
    const path = await folder.write('words.csv', 'y,sex,p\nill,f,well\nwell,m,well\nill,m,ill\n');
    const table = await loadPredictions(path, { ...base, prediction: 'p', positiveLabel: 'ill' });
    expect(table.labels).toEqual(Int32Array.of(1, 0, 1));
    expect(table.predictions).toEqual(Int32Array.of(0, 0, 1));
    expect(table).not.toHaveProperty('scores');
  });

  it.each([
    ['', 'an empty cell'],
    ['nan', 'NaN'],
    ['inf', 'an infinity'],
    ['1.01', 'a number above 1'],
    ['-0.01', 'a number below 0'],
    ['high', 'text of 4 characters'],
  ])('refuses the score %j', async (cell, received) => {
    const path = await folder.write('bad.csv', `y,sex,p\n1,f,0.5\n0,m,${cell}\n`);
    await expect(loadPredictions(path, { ...base, score: 'p' })).rejects.toMatchObject({
      name: 'InvalidInputError',
      message: `${path}, line 3, column "p": expected a score in [0, 1], received ${received}`,
      details: { path, line: 3, column: 'p' },
    });
  });

  it('refuses an empty prediction', async () => {
    const path = await folder.write('empty.csv', 'y,sex,p\n1,f,1\n0,m,\n');
    await expect(loadPredictions(path, { ...base, prediction: 'p' })).rejects.toThrow(
      `${path}, line 3, column "p": expected a value, received an empty cell`,
    );
  });

  it('refuses predictions that are scores', async () => {
    const path = await folder.write('soft.csv', 'y,sex,p\n1,f,0.2\n0,m,0.3\n');
    await expect(loadPredictions(path, { ...base, prediction: 'p' })).rejects.toThrow(
      `${path}, column "p": expected predictions spelled as the labels are (2 distinct values: "0", "1"), received 2 distinct values: "0.2", "0.3"`,
    );
  });

  it.each([
    [{}, 'neither'],
    [{ score: 'p', prediction: 'q' }, 'both'],
  ])('wants exactly one of score and prediction, not %j', async (given, received) => {
    await expect(loadPredictions('t.csv', { ...base, ...given })).rejects.toMatchObject({
      name: 'InvalidInputError',
      message: `t.csv: expected a score column or a prediction column, received ${received} (--score, --prediction)`,
    });
  });

  it('reads a long table in little memory', async () => {
    const rows = 50_000;
    const lines = Array.from({ length: rows }, (_, index) => `${index % 2},g${index % 3},0.${index % 10}\n`);
    const path = await folder.write('long.csv', `y,sex,p\n${lines.join('')}`);
    const table = await loadPredictions(path, { ...base, score: 'p' });
    expect(table.size).toBe(rows);
    const bytes = [table.labels, table.scores!, table.sensitiveFeatures[0]!.groups].map((a) => a.byteLength);
    expect(bytes).toEqual([rows * 4, rows * 8, rows * 4]);
  });
});
