import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { addToHistory, readHistory } from '../../worker/audit-history.ts';
import { useTempFolder } from '../helpers/files.ts';
import { auditOf, featureOf, groupOf } from '../helpers/report-audits.ts';

const temp = useTempFolder();
const reportOf = (tp: number) => auditOf([featureOf('sex', [groupOf('f', [tp, 5, 5, 5], 0.8)])]);
const at = (day: number) => new Date(Date.UTC(2026, 2, day, 6, 30, 15));

describe('a folder of audits', () => {
  it('is empty before the first', async () => {
    expect(await readHistory(temp.at('none'))).toEqual([]);
  });

  it('gives audits back in order of time, whatever else lies there', async () => {
    const folder = temp.at('several');
    await addToHistory(folder, { time: at(3), report: reportOf(3) });
    await addToHistory(folder, { time: at(1), report: reportOf(1) });
    await writeFile(path.join(folder, 'notes.txt'), 'no audit');
    await writeFile(path.join(folder, '20269999T000000Z.json'), '{}');
    const history = await readHistory(folder);
    expect(history.map(({ time }) => time)).toEqual([at(1), at(3)]);
    expect(history.map(({ report }) => report)).toEqual([reportOf(1), reportOf(3)]);
    expect(await readdir(folder)).toContain('20260301T063015Z.json');
  });

  it('keeps one audit of one second, and no pieces', async () => {
    const folder = temp.at('again');
    await addToHistory(folder, { time: at(1), report: reportOf(1) });
    await addToHistory(folder, { time: at(1), report: reportOf(2) });
    expect(await readdir(folder)).toEqual(['20260301T063015Z.json']);
    expect((await readHistory(folder))[0]!.report).toEqual(reportOf(2));
  });

  it('names a file that holds no audit, and a folder that is none', async () => {
    const folder = temp.at('damaged');
    await mkdir(folder);
    const file = path.join(folder, '20260301T063015Z.json');
    await writeFile(file, '{"schemaVersion": 2}');
    await expect(readHistory(folder)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining(file),
    });
    await expect(readHistory(file)).rejects.toMatchObject({ code: 'STORAGE' });
    await expect(addToHistory(file, { time: at(1), report: reportOf(1) })).rejects.toMatchObject({
      code: 'STORAGE',
    });
  });
});
