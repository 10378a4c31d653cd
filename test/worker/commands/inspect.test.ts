import { copyFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../../helpers/cli.ts';
import { useWorkshop } from '../../helpers/made-files.ts';
import { ONNX_FIXTURES } from '../../helpers/onnx.ts';
import { SMALL_CNN } from '../../helpers/small-cnn.ts';

const folder = useWorkshop();

/** Weights by layer: two 3 × 3 convolutions of 8 and 16 filters, normalised, and a dense head. */
const BODY = 3 * 3 * 3 * 8 + 2 * 8 + 3 * 3 * 8 * 16 + 2 * 16;
const STATISTICS = 2 * 8 + 2 * 16;

async function inspectJson(location: string) {
  const { exitCode, stdout, stderr, leaked } = await runCommand(`inspect ${location} --json`);
  expect({ exitCode, stderr, leaked }).toEqual({ exitCode: 0, stderr: '', leaked: 0 });
  return JSON.parse(stdout);
}

describe('counterweight inspect', () => {
  beforeAll(async () => {
    await folder.write('with/preprocess.json', '{"scale": 1, "mean": 0, "std": 2}');
    for (const file of ['model.json', 'weights.bin']) await copyFile(`model/${file}`, `with/${file}`);
  });

  it('shows what a network holds', async () => {
    const { layers, ...facts } = await inspectJson(SMALL_CNN);
    expect(facts).toEqual({
      format: 'tfjs-layers',
      inputShape: [16, 16, 3],
      output: 'logit',
      head: 'head',
      units: 1,
      positiveClass: null,
      bodyWeights: BODY,
      headWeights: 16 + 1,
      normalizationStatistics: STATISTICS,
      notes: [],
      preprocess: null,
    });
    const parts = layers.map(({ name, part }: { name: string; part: string }) => [name, part]);
    expect(parts.at(-1)).toEqual(['head', 'head']);
    expect(parts.slice(0, -1).every(([, part]: string[]) => part === 'body')).toBe(true);
    const parameters = layers.reduce(
      (sum: number, layer: { parameters: number }) => sum + layer.parameters,
      0,
    );
    expect(parameters).toBe(BODY + STATISTICS + 17);
  });

  it('prints the same as a table, a line for each layer', async () => {
    const { stdout } = await runCommand(`inspect ${SMALL_CNN}`);
    expect(stdout).toMatch(/^format {2,}tfjs-layers$/m);
    expect(stdout).toMatch(/^input {2,}\[16, 16, 3\]$/m);
    expect(stdout).toMatch(new RegExp(`^body weights {2,}${BODY}$`, 'm'));
    expect(stdout).toMatch(/^preprocess {2,}none beside the model; give --preprocess$/m);
    expect(stdout).toMatch(/^conv_a {2,}Conv2D {2,}\[any, 16, 16, 8\] {2,}216 {2,}body$/m);
    expect(stdout).toMatch(/^head {2,}Dense {2,}\[any, 1\] {2,}17 {2,}head$/m);
  });

  it('shows what there is to know about an ONNX file, and how its images lie', async () => {
    await copyFile(path.join(ONNX_FIXTURES, 'resnet14.onnx'), folder.at('net.onnx'));
    const { layers, ...facts } = await inspectJson('net.onnx');
    expect(facts).toMatchObject({
      format: 'onnx',
      inputShape: [3, 64, 64],
      head: '/head/Gemm',
      headWeights: 65,
    });
    expect(facts.notes[0]).toMatch(/folded it into the convolutions/);
    expect(layers.filter(({ kind }: { kind: string }) => kind === 'Conv').length).toBe(15);
    const { stdout } = await runCommand('inspect net.onnx');
    expect(stdout).toContain(`\n\n${facts.notes[0]}\n\n`);
  });

  it('shows the preprocess beside the model as it will be used', async () => {
    const preprocess = {
      kind: 'image',
      height: 16,
      width: 16,
      channels: 'RGB',
      layout: 'NHWC',
      resize: 'stretch',
      scale: 1,
      mean: [0, 0, 0],
      std: [2, 2, 2],
    };
    expect(await inspectJson('with')).toMatchObject({ preprocess });
    const { stdout } = await runCommand('inspect with');
    expect(stdout).toContain(JSON.stringify(preprocess));
  });

  it('takes the path of a model.json as well as its folder', async () => {
    expect(await inspectJson('with/model.json')).toEqual(await inspectJson('with'));
  });

  it('knows a score from a logit', async () => {
    expect(await inspectJson('table-model')).toMatchObject({ output: 'score', inputShape: [4] });
  });

  it('refuses a preprocess that does not fit, instead of showing it', async () => {
    await writeFile('with/preprocess.json', '{"size": [8, 8], "scale": 1, "mean": 0, "std": 1}');
    const { exitCode, stdout, leaked } = await runCommand('inspect with');
    expect({ exitCode, stdout, leaked }).toEqual({ exitCode: 65, stdout: '', leaked: 0 });
  });

  it('confirms the head by name', async () => {
    const { exitCode } = await runCommand(`inspect ${SMALL_CNN} --head head`);
    expect(exitCode).toBe(0);
  });

  it('shows an example and exit codes in its help', async () => {
    const { exitCode, stdout } = await runCommand('inspect --help');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/Example:\n\s+counterweight inspect model\/\n/);
    expect(stdout).toMatch(/Exit codes: 0 done/);
  });
});
