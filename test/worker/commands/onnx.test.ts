import { readFile, writeFile } from 'node:fs/promises';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { RunRecord } from '../../../core/jobs/run-record.ts';
import { INFERENCE } from '../../../core/model/classifier.ts';
import { loadOnnx } from '../../../core/model/formats/onnx.ts';
import { startBackend } from '../../../worker/backend.ts';
import { runCommand } from '../../helpers/cli.ts';
import { filesIn, useWorkshop } from '../../helpers/made-files.ts';
import { decodeModel, encodeModel, madeModel, madeTensor, runtimeOutput } from '../../helpers/onnx.ts';
import { expectSameAudit } from '../../helpers/same-audits.ts';
import { expectClose, noise } from '../../helpers/tensors.ts';

useWorkshop();

const DATA =
  '--manifest labels.csv --image file --label malignant --sensitive ink --subject patient --split-column part';
const FEW = {
  mask: { percentiles: [50] },
  body: { epochs: 2, disparityWeights: [1] },
  selection: { checkpoints: [2] },
};

/** The network of the folder model/ for images with channels first, its weights under the same names. */
async function writeOnnx(): Promise<void> {
  const values = new Float32Array(new Uint8Array(await readFile('model/weights.bin')).buffer);
  const shapes = { 'hidden/kernel': [768, 2], 'hidden/bias': [2], 'head/kernel': [2, 1], 'head/bias': [1] };
  let offset = 0;
  const initializers = Object.entries(shapes).map(([name, dims]) => {
    const start = offset;
    offset += dims.reduce((product, extent) => product * extent, 1);
    return madeTensor(name, dims, values.subarray(start, offset));
  });
  const model = madeModel({
    nodes: [
      { op: 'Transpose', inputs: ['x'], outputs: ['t'], attributes: { perm: [0, 2, 3, 1] } },
      { op: 'Flatten', inputs: ['t'], outputs: ['f'] },
      { op: 'Gemm', name: 'hidden', inputs: ['f', 'hidden/kernel', 'hidden/bias'], outputs: ['h'] },
      { op: 'Relu', inputs: ['h'], outputs: ['r'] },
      { op: 'Gemm', name: 'head', inputs: ['r', 'head/kernel', 'head/bias'] },
    ],
    initializers,
    input: [null, 3, 16, 16],
  });
  model.producerName = 'a test';
  await writeFile('ink.onnx', encodeModel(model));
}

const mitigate = (model: string, out: string) =>
  runCommand(`mitigate --model ${model} ${DATA} --preprocess unit --out ${out} --options few.json`);

describe('counterweight mitigate --model ink.onnx', () => {
  beforeAll(async () => {
    await writeFile('few.json', JSON.stringify(FEW));
    await writeOnnx();
    await mitigate('model', 'run-tfjs');
  });

  it('finds the mask and the rates that it finds in the same network of tfjs', async () => {
    expect(await mitigate('ink.onnx', 'run')).toMatchObject({ exitCode: 0, leaked: 0 });
    const [own, tfjs] = [await filesIn('run'), await filesIn('run-tfjs')];
    expect(own.get('mask.safetensors')!.equals(tfjs.get('mask.safetensors')!)).toBe(true);
    for (const name of ['audit-before.json', 'audit-after.json']) {
      expectSameAudit(own.get(name)!, tfjs.get(name)!, name);
    }
    const { model } = JSON.parse(await readFile('run/run.json', 'utf8')) as RunRecord;
    expect(model).toMatchObject({ name: 'ink.onnx', format: 'onnx', inputShape: [3, 16, 16], notes: [] });
  });

  it('writes the file back under its name, other only in its weights', async () => {
    expect([...(await filesIn('run/model')).keys()].sort()).toEqual(['ink.onnx', 'preprocess.json']);
    const [before, after] = [await readFile('ink.onnx'), await readFile('run/model/ink.onnx')].map(
      decodeModel,
    );
    const changed = before!.graph!.initializer.filter(
      ({ rawData }, place) => !Buffer.from(rawData).equals(after!.graph!.initializer[place]!.rawData),
    );
    expect(changed.map(({ name }) => name)).toContain('head/kernel');
    for (const model of [before!, after!]) model.graph!.initializer = [];
    expect(after).toEqual(before);
  });

  it('saves a model that audits as audit-after.json says, by its folder or by its name', async () => {
    for (const model of ['run/model', 'run/model/ink.onnx']) {
      const { stdout } = await runCommand(`audit --model ${model} ${DATA} --only test --json`);
      expect(JSON.parse(stdout)).toEqual(JSON.parse(await readFile('run/audit-after.json', 'utf8')));
    }
  });

  it('saves a model that onnxruntime scores as we do', async () => {
    await startBackend('wasm');
    const classifier = await loadOnnx('run/model/ink.onnx');
    const x = tf.tensor(noise(5 * 768, 1), [5, 3, 16, 16]);
    const scores = tf.tidy(() => tf.sigmoid(classifier.logits(x, INFERENCE)).dataSync());
    const { values } = await runtimeOutput(await readFile('run/model/ink.onnx'), x);
    expectClose(
      scores,
      values.map((logit) => 1 / (1 + Math.exp(-logit))),
      1e-6,
    ); // 1e-4 is asked for
    x.dispose();
    classifier.dispose();
  });
});
