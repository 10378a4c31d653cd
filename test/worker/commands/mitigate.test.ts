import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import type { AuditReport } from '../../../core/fairness/types.ts';
import type { RunRecord } from '../../../core/jobs/run-record.ts';
import { type CliRun, runCommand } from '../../helpers/cli.ts';
import { filesIn, readSafetensors, tablePreprocess, useWorkshop } from '../../helpers/made-files.ts';
import { SMALL_CNN } from '../../helpers/small-cnn.ts';

const folder = useWorkshop();

const DATA = '--image file --label malignant --sensitive ink --subject patient --split-column part';
const FEW = {
  mask: { percentiles: [50] },
  body: { epochs: 2, disparityWeights: [1] },
  selection: { checkpoints: [2] },
};
const mitigate = (model: string, out: string, flags = '--options few.json') =>
  runCommand(
    `mitigate --model ${model} --manifest labels.csv ${DATA} --preprocess unit --out ${out} ${flags}`,
  );

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const recordOf = async (run: string) => JSON.parse(await readFile(`${run}/run.json`, 'utf8')) as RunRecord;
const auditOf = async (file: string) => JSON.parse(await readFile(file, 'utf8')) as AuditReport;

let first: CliRun;
let modelBefore: Map<string, Buffer>;

beforeAll(async () => {
  await writeFile('few.json', JSON.stringify(FEW));
  modelBefore = await filesIn('model');
  first = await mitigate('model', 'run', '--options few.json --json');
});

describe('counterweight mitigate', () => {
  it('ends with 0 when the disparity fell, and prints what run.json holds', async () => {
    expect(first).toMatchObject({ exitCode: 0, leaked: 0 });
    const record = JSON.parse(first.stdout) as RunRecord;
    expect(record).toEqual(await recordOf('run'));
    expect(record.outcome.status).toBe('improved');
    expect(record.outcome.after).toBeLessThan(record.outcome.before!);
    expect(record.options).toMatchObject(FEW);
  });

  it('runs controls of the mask beside it, and changes nothing else', async () => {
    const { exitCode, stdout, leaked } = await mitigate(
      'model',
      'controlled',
      '--options few.json --controls',
    );
    expect({ exitCode, leaked }).toEqual({ exitCode: 0, leaked: 0 });
    expect(stdout.match(/^- the run: /gm)).toHaveLength(3);
    const { controls, outputs: _, ...rest } = await recordOf('controlled');
    const { outputs: __, ...plain } = await recordOf('run');
    expect(rest).toEqual(plain);
    expect(controls!.results.map(({ control }) => control)).toEqual([
      'random-mask',
      'all-ones-mask',
      'head-only',
    ]);
    expect(await readFile('controlled/report.html', 'utf8')).toContain('Whether the mask earned its keep');
    expect((await filesIn('controlled/model')).get('weights.bin')).toEqual(
      (await filesIn('run/model')).get('weights.bin'),
    );
    await rm('controlled', { recursive: true });
  });

  it('has no controls for a preset without a selection', async () => {
    const { exitCode, stderr } = await mitigate('model', 'none', '--preset bmft-released --controls');
    expect(exitCode).toBe(64);
    expect(stderr).toContain('controls: expected the preset "robust"');
  });

  it('names each stage and the report on stderr, in order', () => {
    const stages = ['read images', 'check data', 'audit before', 'importance', 'search', 'audit after'];
    const lines = first.stderr.trimEnd().split('\n');
    expect(lines.map((line) => line.replace(/\s+\d+\.\d s$/, ''))).toEqual([
      ...stages,
      'report: run/report.html',
    ]);
  });

  it('fills the run folder with exactly the files that the help promises', async () => {
    expect([...(await filesIn('run')).keys()]).toEqual([
      'audit-after.json',
      'audit-before.json',
      'check.json',
      'decision.json',
      'mask.safetensors',
      'model/model.json',
      'model/preprocess.json',
      'model/weights.bin',
      'report.html',
      'run.json',
    ]);
  });

  it('hashes every output but run.json itself', async () => {
    const files = await filesIn('run');
    files.delete('run.json');
    expect((await recordOf('run')).outputs).toEqual(
      [...files].map(([name, bytes]) => ({ name, bytes: bytes.length, sha256: sha256(bytes) })),
    );
  });

  it('hashes every input, the images together and without their names', async () => {
    const inputs = await Promise.all(
      ['model/model.json', 'model/weights.bin', 'labels.csv'].map(async (file) => {
        const bytes = await readFile(file);
        return { name: file.split('/').at(-1), bytes: bytes.length, sha256: sha256(bytes) };
      }),
    );
    const rows = (await readFile('labels.csv', 'utf8')).trimEnd().split('\n').slice(1);
    const images = await Promise.all(rows.map((row) => readFile(row.split(',')[0]!)));
    const together = {
      name: '100 images',
      bytes: images.reduce((sum, { length }) => sum + length, 0),
      sha256: sha256(Buffer.from(images.map((image) => `${sha256(image)}\n`).join(''))),
    };
    expect((await recordOf('run')).inputs).toEqual([...inputs, together]);
  });

  it('leaves the model that it was given as it was', async () => {
    expect(await filesIn('model')).toEqual(modelBefore);
  });

  it('says nowhere where the files lie or what an image is called', async () => {
    const rows = (await readFile('labels.csv', 'utf8')).trimEnd().split('\n').slice(1);
    const secrets = [
      folder.path,
      import.meta.dirname,
      ...rows.flatMap((row) => [row.split(',')[0]!.slice(7), row.split(',')[3]!]),
    ];
    for (const [name, bytes] of await filesIn('run')) {
      const text = bytes.toString('latin1');
      expect(
        secrets.filter((secret) => text.includes(secret)),
        name,
      ).toEqual([]);
    }
  });

  it('saves a model that audits as audit-after.json says', async () => {
    const flags = `--manifest labels.csv ${DATA} --only test`;
    const { stdout } = await runCommand(`audit --model run/model ${flags} --json`);
    expect(JSON.parse(stdout)).toEqual(await auditOf('run/audit-after.json'));
    const original = await runCommand(`audit --model model ${flags} --preprocess unit --json`);
    expect(JSON.parse(original.stdout)).toEqual(await auditOf('run/audit-before.json'));
  });

  it('gives the same bytes for the same seed, and others for another', async () => {
    await mitigate('model', 'again');
    expect(await filesIn('again')).toEqual(await filesIn('run'));
    await mitigate('model', 'other', '--options few.json --seed 1');
    expect((await filesIn('other')).get('mask.safetensors')).not.toEqual(
      (await filesIn('run')).get('mask.safetensors'),
    );
  });

  it('gives the same bytes on any number of threads, which only the line of the backend tells', async () => {
    for (const threads of [1, 3]) {
      await mitigate('model', `threads-${threads}`, `--options few.json --backend wasm --threads ${threads}`);
    }
    const [one, three] = [await filesIn('threads-1'), await filesIn('threads-3')];
    expect((await recordOf('threads-3')).environment.backendDetail).toMatch(/SIMD, 3 threads$/);
    for (const [name, bytes] of one) {
      const sameBackend = three.get(name)!.toString('latin1').replaceAll('3 threads', '1 thread');
      if (name !== 'run.json') expect(sameBackend === bytes.toString('latin1'), name).toBe(true);
    }
  });
});

describe('mask.safetensors', () => {
  it('has one U8 tensor per weight of the model, end to end, of its shape', async () => {
    const { headerLength, metadata, tensors, data } = readSafetensors(await readFile('run/mask.safetensors'));
    expect(headerLength % 8).toBe(0);
    expect(metadata).toEqual({ format: 'counterweight-mask', kind: 'hard' });
    const shapes = { 'hidden/kernel': [768, 2], 'hidden/bias': [2], 'head/kernel': [2, 1], 'head/bias': [1] };
    expect(Object.fromEntries(Object.entries(tensors).map(([name, { shape }]) => [name, shape]))).toEqual(
      shapes,
    );
    let end = 0;
    for (const { dtype, shape, data_offsets } of Object.values(tensors)) {
      expect(dtype).toBe('U8');
      expect(data_offsets).toEqual([end, end + shape.reduce((size, side) => size * side, 1)]);
      end = data_offsets[1];
    }
    expect(data.length).toBe(end);
  });

  it('holds 0 and 1 only, as many of them as run.json says', async () => {
    const { tensors, data } = readSafetensors(await readFile('run/mask.safetensors'));
    expect(new Set(data)).toEqual(new Set([0, 1]));
    const { mask } = await recordOf('run');
    const selected = mask!.layers.map(({ parameter }) =>
      data.subarray(...tensors[parameter]!.data_offsets).reduce((sum, entry) => sum + entry, 0),
    );
    expect(selected).toEqual(mask!.layers.map((layer) => layer.selected));
    expect(selected.reduce((sum, entries) => sum + entries, 0)).toBe(mask!.selected);
  });
});

describe('counterweight mitigate, with the settings of the paper', () => {
  it('ends with 10 when the disparity did not fall, and saves no model', async () => {
    await writeFile('one.json', '{"body": {"epochs": 1}, "head": {"epochs": 1}}');
    const run = await mitigate(
      SMALL_CNN,
      'paper',
      '--preset bmft-released --options one.json --despite-check',
    );
    expect(run).toMatchObject({ exitCode: 10, leaked: 0 });
    expect(run.stdout).toMatch(/^not-improved \(audited on test data\)\n/);
    expect([...(await filesIn('paper')).keys()].filter((name) => name.startsWith('model/'))).toEqual([]);
    const { mask, curves } = await recordOf('paper');
    expect(mask).toMatchObject({ isApplied: true, percentile: 50 });
    expect(curves).toMatchObject({ body: [{ step: 1 }], head: [{ step: 1 }] });
  });

  it('stores a soft mask as F32 in [0, 1]', async () => {
    await mitigate(SMALL_CNN, 'soft', '--preset swift-released --options one.json --despite-check');
    const { metadata, tensors, data } = readSafetensors(await readFile('soft/mask.safetensors'));
    expect(metadata).toEqual({ format: 'counterweight-mask', kind: 'soft' });
    const size = Object.values(tensors).reduce(
      (sum, { dtype, shape }) => sum + (dtype === 'F32' ? 4 : Number.NaN) * shape.reduce((a, b) => a * b, 1),
      0,
    );
    expect(data.length).toBe(size);
    const values = new Float32Array(new Uint8Array(data).buffer);
    expect(values.every((value) => value >= 0 && value <= 1)).toBe(true);
    expect(values.some((value) => value > 0 && value < 1)).toBe(true);
  });
});

describe('counterweight mitigate, for a model of features', () => {
  it.each([
    ['a file', 'table.json'],
    ['the config', tablePreprocess],
  ])(
    'saves a model with its preprocess from %s that audits as audit-after.json says',
    async (_, preprocess) => {
      const out = typeof preprocess === 'string' ? 'table-run-1' : 'table-run-2';
      const columns = { label: 'malignant', sensitiveFeatures: ['ink'], subject: 'patient', split: 'part' };
      await writeFile('config.json', JSON.stringify({ columns, preprocess }));
      const data = '--manifest rows.csv --config config.json';
      const run = await runCommand(`mitigate --model table-model ${data} --options few.json --out ${out}`);
      expect(run).toMatchObject({ exitCode: 0, leaked: 0 });
      await writeFile('columns.json', JSON.stringify({ columns }));
      const again = await runCommand(
        `audit --model ${out}/model --manifest rows.csv --config columns.json --only test --json`,
      );
      expect(again.stderr).not.toContain('counterweight: ');
      expect(JSON.parse(again.stdout)).toEqual(await auditOf(`${out}/audit-after.json`));
    },
  );
});

describe('counterweight mitigate, around the run', () => {
  it('audits on the select part without a split column, and says that this is optimistic', async () => {
    const line =
      'mitigate --model model --manifest labels.csv --image file --label malignant --sensitive ink';
    const { stdout } = await runCommand(`${line} --preprocess unit --options few.json --out whole`);
    expect(stdout).toMatch(
      /\(audited on select data, which also steered the run, so these figures are optimistic\)/,
    );
    expect((await recordOf('whole')).data).toMatchObject({ auditedOn: 'select', isIndependent: false });
  });

  it('copies the preprocess file beside the model to the letter', async () => {
    await mkdir('beside', { recursive: true });
    for (const file of ['model.json', 'weights.bin']) await copyFile(`model/${file}`, `beside/${file}`);
    const text = '{ "scale": 0.00392156862745098,  "mean": 0, "std": 1, "output": "logit" }';
    await writeFile('beside/preprocess.json', text);
    const line = `mitigate --model beside --manifest labels.csv ${DATA} --options few.json --out beside-run`;
    expect(await runCommand(line)).toMatchObject({ exitCode: 0 });
    expect(await readFile('beside-run/model/preprocess.json', 'utf8')).toBe(text);
  });

  it('takes a preset for a preset, though a file of its name lies in the working folder', async () => {
    await writeFile('unit', 'no preprocess');
    try {
      const { exitCode } = await mitigate('model', 'preset-run');
      expect(exitCode).toBe(0);
      const saved = await readFile('preset-run/model/preprocess.json', 'utf8');
      expect(JSON.parse(saved)).toMatchObject({ scale: 1 / 255 });
    } finally {
      await rm('unit');
    }
  });

  it('stops at once when it is interrupted, with exit 130 and no folder', async () => {
    const stop = new AbortController();
    stop.abort();
    const line = `mitigate --model model --manifest labels.csv ${DATA} --preprocess unit --out stopped`;
    const { exitCode, stdout, stderr, leaked } = await runCommand(line, { signal: stop.signal });
    expect({ exitCode, stdout, stderr, leaked }).toEqual({
      exitCode: 130,
      stdout: '',
      stderr: 'counterweight: stopped; nothing was written\n',
      leaked: 0,
    });
    await expect(readFile('stopped/run.json')).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('shows examples and exit codes in its help', async () => {
    const { exitCode, stdout, stderr } = await runCommand('mitigate --help');
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toMatch(/Examples:\n.*\n\s+counterweight mitigate --model model\//);
    expect(stdout).toMatch(/Exit codes: 0 improved, 10 not improved, 64 wrong input/);
  });
});
