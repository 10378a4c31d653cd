import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import type { AuditReport } from '../../../core/fairness/types.ts';
import { runCommand } from '../../helpers/cli.ts';
import { useWorkshop } from '../../helpers/made-files.ts';

const folder = useWorkshop();

const COLUMNS = { image: 'file', label: 'malignant', sensitiveFeatures: ['ink'] };
const FLAGS = '--image file --label malignant --sensitive ink';

async function auditJson(line: string): Promise<AuditReport> {
  const { exitCode, stdout, stderr } = await runCommand(`audit ${line} --json --quiet`);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  return JSON.parse(stdout) as AuditReport;
}

const config = (content: unknown) => writeFile('config.json', JSON.stringify(content));

let reference: AuditReport;

beforeAll(async () => {
  reference = await auditJson(`--model model --manifest labels.csv ${FLAGS} --preprocess unit`);
  for (const file of ['model.json', 'weights.bin']) {
    await folder.write(`beside/${file}`, await readFile(`model/${file}`));
  }
  await writeFile('unit.json', `{"scale": ${1 / 255}, "mean": 0, "std": 1}`);
  await copyFile('unit.json', 'beside/preprocess.json');
});

describe('a config file', () => {
  it('stands in for the flags', async () => {
    await config({ columns: COLUMNS, preprocess: 'unit' });
    expect(await auditJson('--model model --manifest labels.csv --config config.json')).toEqual(reference);
  });

  it('gives way to the flags, column by column', async () => {
    await config({
      columns: { ...COLUMNS, label: 'part', sensitiveFeatures: ['patient'] },
      preprocess: 'unit',
    });
    const line = '--model model --manifest labels.csv --config config.json --label malignant --sensitive ink';
    expect(await auditJson(line)).toEqual(reference);
  });
});

describe('the preprocess', () => {
  it.each([
    ['an object in the config', { scale: 1 / 255, mean: 0, std: 1 }],
    ['a path in the config', 'unit.json'],
    ['a preset in the config', 'unit'],
  ])('may be %s', async (_, preprocess) => {
    await config({ preprocess });
    const line = `--model model --manifest labels.csv ${FLAGS} --config config.json`;
    expect(await auditJson(line)).toEqual(reference);
  });

  it('is the file beside the model when nothing else is said', async () => {
    expect(await auditJson(`--model beside --manifest labels.csv ${FLAGS}`)).toEqual(reference);
    expect(await auditJson(`--model beside/model.json --manifest labels.csv ${FLAGS}`)).toEqual(reference);
  });

  it('of the flag wins over the config, and that of the config over the one beside the model', async () => {
    await config({ preprocess: 'none' });
    const line = `--model beside --manifest labels.csv ${FLAGS} --config config.json`;
    expect(await auditJson(`${line} --preprocess unit`)).toEqual(reference);
    expect(await auditJson(line)).not.toEqual(reference);
  });
});

describe('image paths', () => {
  it('start at --root when it is given, else at the folder of the manifest', async () => {
    await folder.write('lists/labels.csv', await readFile('labels.csv'));
    const line = `--model model --manifest lists/labels.csv ${FLAGS} --preprocess unit`;
    expect(await auditJson(`${line} --root .`)).toEqual(reference);
    expect((await runCommand(`audit ${line}`)).stderr).toMatch(/"images\/.+\.png", which does not exist\n$/);
  });
});

describe('--threads', () => {
  it.each(['0', '257', '1.5', '-1', 'many', '1e2'])('refuses %s', async (threads) => {
    const { exitCode, stdout, stderr } = await runCommand(`inspect model --threads ${threads}`);
    expect({ exitCode, stdout }).toEqual({ exitCode: 64, stdout: '' });
    expect(stderr).toContain(`--threads: expected a whole number from 1 to 256, received "${threads}"`);
  });

  it.each([`audit --model model --manifest labels.csv ${FLAGS} --preprocess unit`, 'inspect model'])(
    'is an option of %s',
    async (line) => {
      expect(await runCommand(`${line} --threads 2 --quiet`)).toMatchObject({ exitCode: 0, stderr: '' });
    },
  );
});

describe('labels', () => {
  it('that are words are coded by --positive-label', async () => {
    const words = (await readFile('labels.csv', 'utf8')).replace(/,1,/g, ',ill,').replace(/,0,/g, ',well,');
    await writeFile('words.csv', words);
    const line = `--model model --manifest words.csv ${FLAGS} --preprocess unit --positive-label`;
    expect(await auditJson(`${line} ill`)).toEqual(reference);
    const turned = await auditJson(`${line} well`);
    expect(turned.overall.counts.truePositives).toBe(reference.overall.counts.falsePositives);
  });
});
