import { readFile, writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Explanation } from '../../../core/jobs/explanation.ts';
import type { RunRecord } from '../../../core/jobs/run-record.ts';
import { runCommand } from '../../helpers/cli.ts';
import { filesIn, tablePreprocess, useWorkshop } from '../../helpers/made-files.ts';

useWorkshop();

const DATA = '--image file --label malignant --sensitive ink --subject patient --split-column part';
const mitigate = (model: string, out: string, flags: string) =>
  runCommand(
    `mitigate --model ${model} --manifest labels.csv ${DATA} --preprocess unit --out ${out} ${flags}`,
  );
const recordOf = async (run: string) => JSON.parse(await readFile(`${run}/run.json`, 'utf8')) as RunRecord;

describe('counterweight mitigate --explain', () => {
  const FEW = {
    mask: { percentiles: [50] },
    body: { epochs: 2, disparityWeights: [1] },
    selection: { checkpoints: [2] },
    explain: { draws: 0, batchSizeFactors: [], occlusionImages: 2, occlusionPlaces: 4 },
  };
  const explanationOf = async (run: string) =>
    JSON.parse(await readFile(`${run}/explanation.json`, 'utf8')) as Explanation;

  beforeAll(async () => {
    await writeFile('few-explain.json', JSON.stringify(FEW));
    await mitigate('model', 'plain', '--options few-explain.json');
    await mitigate('model', 'explained', '--options few-explain.json --explain');
    await mitigate('model', 'shown', '--options few-explain.json --explain --show-images');
  });

  it('adds explanation.json, hashed, and its part of the report, and changes nothing else', async () => {
    const [explained, plain] = [await filesIn('explained'), await filesIn('plain')];
    expect([...explained.keys()].filter((name) => !plain.has(name))).toEqual(['explanation.json']);
    expect((await recordOf('explained')).outputs.map(({ name }) => name)).toContain('explanation.json');
    expect(explained.get('model/weights.bin')).toEqual(plain.get('model/weights.bin'));
    expect(await explanationOf('explained')).toMatchObject({
      sensitiveFeature: 'ink',
      groups: ['inked', 'plain'],
      probes: { measuredOn: { part: 'test', rows: 40 } },
    });
  });

  it('writes images only when asked to, in a page that no list of files names', async () => {
    const shown = await filesIn('shown');
    const page = shown.get('explanation-images.html')!.toString();
    expect(page).toContain('contains images of people or patients: keep it on this machine');
    expect(page).toContain('data:image/jpeg;base64,');
    shown.delete('explanation-images.html');
    expect(shown).toEqual(await filesIn('explained'));
    for (const bytes of shown.values()) {
      expect(bytes.includes('explanation-images')).toBe(false);
      expect(bytes.includes('data:image')).toBe(false);
    }
  });

  it('writes folders that verify has nothing to say against, with and without images', async () => {
    for (const run of ['explained', 'shown']) {
      const { exitCode, stdout, stderr } = await runCommand(`verify ${run}`);
      expect({ exitCode, run }, stdout + stderr).toEqual({ exitCode: 0, run });
    }
  });

  it('refuses images without an explanation, and of a model that reads none', async () => {
    const alone = await mitigate('model', 'refused', '--show-images');
    expect(alone).toMatchObject({ exitCode: 64 });
    expect(alone.stderr).toContain('--show-images: expected --explain beside it');
    await writeFile(
      'columns-of-rows.json',
      JSON.stringify({
        columns: { label: 'malignant', sensitiveFeatures: ['ink'], subject: 'patient', split: 'part' },
        preprocess: tablePreprocess,
      }),
    );
    const table = await runCommand(
      'mitigate --model table-model --manifest rows.csv --config columns-of-rows.json --explain --show-images --out refused',
    );
    expect(table).toMatchObject({ exitCode: 64, leaked: 0 });
    expect(table.stderr).toContain('--show-images: expected a model of images');
  });
});
