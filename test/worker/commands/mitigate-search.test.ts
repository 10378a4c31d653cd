import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { RunRecord } from '../../../core/jobs/run-record.ts';
import { runCommand } from '../../helpers/cli.ts';
import { useWorkshop } from '../../helpers/made-files.ts';

useWorkshop();

const DATA =
  '--manifest labels.csv --image file --label malignant --sensitive ink --subject patient --split-column part --preprocess unit';
const mitigate = (out: string, flags: string) =>
  runCommand(`mitigate --model model ${DATA} --out ${out} ${flags}`);

describe('counterweight mitigate --search', () => {
  it('searches beyond the preset, says what it tried, and writes the same bytes again', async () => {
    const few = {
      mask: { percentiles: [50] },
      body: { epochs: 2, disparityWeights: [1] },
      selection: { checkpoints: [1, 2] },
    };
    await writeFile('few.json', JSON.stringify({ ...few, search: { settings: 3, softShare: 0 } }));
    const run = await mitigate('run', '--options few.json --search 7epochs');
    expect(run.exitCode).toBe(0);
    // three settings to epoch 1 and one of them to epoch 2 take four epochs; one is left, and trains none to its end
    const sentence =
      'Beside the 1 setting of the preset, 3 more were drawn and raced in 1 bracket of successive halving (3 to epoch 1, 1 to epoch 2), 6 epochs of training in all, within a budget of 7epochs.';
    expect(run.stderr).toContain(sentence);
    expect(run.stderr).toMatch(/bracket 1, rung 2 of 2: 1 setting to epoch 2 +\d/);
    const text = await readFile('run/run.json', 'utf8');
    const record = JSON.parse(text) as RunRecord;
    expect(record.search).toMatchObject({ budget: '7epochs', epochs: 6 });
    expect(record.candidates.filter(({ isDrawn }) => isDrawn)).toHaveLength((3 + 1) * 3);
    expect(await readFile('run/report.html', 'utf8')).toContain(sentence);
    await mitigate('again', '--options few.json --search 7epochs');
    expect(await readFile('again/run.json', 'utf8')).toBe(text);
  });

  it.each([
    [
      '--search soon',
      '--search: expected a budget above 0, like 2.5x, 60epochs, 10m, 2h or 2usd, received "soon"',
    ],
    [
      '--search 0.00x',
      '--search: expected a budget above 0, like 2.5x, 60epochs, 10m, 2h or 2usd, received "0.00x"',
    ],
    [
      '--preset bmft-released --search 2x',
      'options: "search" needs a selection, which the preset "robust" has',
    ],
  ])('%s is wrong input', async (flags, message) => {
    const { exitCode, stderr } = await mitigate('none', flags);
    expect(exitCode).toBe(64);
    expect(stderr).toContain(message);
  });
});
