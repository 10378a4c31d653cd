import { copyFile, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { RunRecord } from '../../../core/jobs/run-record.ts';
import { openZip } from '../../../core/model/formats/keras/zip.ts';
import { runCommand } from '../../helpers/cli.ts';
import { FIXTURES } from '../../helpers/keras.ts';
import { filesIn, useWorkshop } from '../../helpers/made-files.ts';

useWorkshop();

const DATA =
  '--manifest labels.csv --image file --label malignant --sensitive ink --subject patient --split-column part';
const FEW = {
  mask: { percentiles: [50] },
  body: { epochs: 2, disparityWeights: [1] },
  selection: { checkpoints: [2] },
};
/** The network of the folder model/, as Keras saves it. */
const FILES = ['ink.keras', 'ink.h5'] as const;

const mitigate = (model: string, out: string) =>
  runCommand(`mitigate --model ${model} ${DATA} --preprocess unit --out ${out} --options few.json`);
const recordOf = async (run: string) => JSON.parse(await readFile(`${run}/run.json`, 'utf8')) as RunRecord;

beforeAll(async () => {
  await writeFile('few.json', JSON.stringify(FEW));
  for (const file of FILES) await copyFile(path.join(FIXTURES, file), file);
  await mitigate('model', 'run-tfjs');
});

describe('counterweight inspect', () => {
  it.each(FILES)('shows what %s holds', async (file) => {
    const { exitCode, stdout, leaked } = await runCommand(`inspect ${file} --json`);
    expect({ exitCode, leaked }).toEqual({ exitCode: 0, leaked: 0 });
    expect(JSON.parse(stdout)).toMatchObject({
      format: file === 'ink.h5' ? 'keras-h5' : 'keras',
      inputShape: [16, 16, 3],
      output: 'logit',
      head: 'head',
      bodyWeights: 16 * 16 * 3 * 2 + 2,
      headWeights: 3,
      preprocess: null,
    });
  });
});

describe.each(FILES)('counterweight mitigate --model %s', (file) => {
  const run = `run-${file}`;

  it('finds the mask and the rates that it finds in the same network of tfjs', async () => {
    expect(await mitigate(file, run)).toMatchObject({ exitCode: 0, leaked: 0 });
    const [own, tfjs] = [await filesIn(run), await filesIn('run-tfjs')];
    for (const name of ['mask.safetensors', 'audit-before.json', 'audit-after.json']) {
      expect(own.get(name)!.equals(tfjs.get(name)!), name).toBe(true);
    }
    expect((await recordOf(run)).model).toMatchObject({
      name: file,
      format: file === 'ink.h5' ? 'keras-h5' : 'keras',
    });
  });

  it('writes the file back under its name, of the same length, with other weights', async () => {
    expect([...(await filesIn(`${run}/model`)).keys()].sort()).toEqual([file, 'preprocess.json']);
    const [before, after] = [await readFile(file), await readFile(`${run}/model/${file}`)];
    expect(after.length).toBe(before.length);
    expect(after.equals(before)).toBe(false);
    if (file !== 'ink.keras') return;
    for (const name of ['config.json', 'metadata.json']) {
      expect(openZip(after, 'file').read(name)).toEqual(openZip(before, 'file').read(name));
    }
  });

  it('saves a model that audits as audit-after.json says, by its folder or by its name', async () => {
    for (const model of [`${run}/model`, `${run}/model/${file}`]) {
      const { stdout } = await runCommand(`audit --model ${model} ${DATA} --only test --json`);
      expect(JSON.parse(stdout)).toEqual(JSON.parse(await readFile(`${run}/audit-after.json`, 'utf8')));
    }
  });
});
