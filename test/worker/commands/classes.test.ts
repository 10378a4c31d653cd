import { mkdir, readFile, writeFile } from 'node:fs/promises';
import * as tf from '@tensorflow/tfjs-core';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import type { RunRecord } from '../../../core/jobs/run-record.ts';
import { INFERENCE } from '../../../core/model/classifier.ts';
import { readKerasModel } from '../../../core/model/formats/keras/load.ts';
import { loadClassifier } from '../../../core/model/load-classifier.ts';
import { startBackend } from '../../../worker/backend.ts';
import { runCommand } from '../../helpers/cli.ts';
import { makeH5 } from '../../helpers/keras.ts';
import { filesIn, useWorkshop } from '../../helpers/made-files.ts';
import { encodeModel, madeModel, madeTensor, runtimeOutput } from '../../helpers/onnx.ts';
import { expectSameAudit } from '../../helpers/same-audits.ts';
import { noise } from '../../helpers/tensors.ts';

/*
 * A network of four classes in each format, mitigated through the command line. The class that counts is what the
 * one unit of the folder model/ is, the others tell nothing of the label but something of the picture.
 */

useWorkshop();

const POSITIVE = 2;
const DATA =
  '--manifest labels.csv --image file --label malignant --sensitive ink --subject patient --split-column part';
const FEW = {
  mask: { percentiles: [50] },
  body: { epochs: 2, disparityWeights: [1] },
  selection: { checkpoints: [2] },
};
const FILES = { tfjs: 'classes', onnx: 'classes.onnx', keras: 'classes.h5' } as const;
type Format = keyof typeof FILES;
const FORMATS = Object.keys(FILES) as Format[];

/** [2, 4] and [4]: units side by side. */
const HEAD = { kernel: [0.5, 0, 12, -0.5, 0, 0.5, 4, 0.4], bias: [-2, -2.2, -9, -2] };
const [WIDTH, COUNT] = [768, 4];

interface Weights {
  readonly kernel: Float32Array;
  readonly bias: Float32Array;
}

async function writeTfjs({ kernel, bias }: Weights): Promise<void> {
  const json = JSON.parse(await readFile('model/model.json', 'utf8'));
  Object.assign(json.modelTopology.model_config.config.layers[2].config, {
    units: COUNT,
    activation: 'softmax',
  });
  const { weights } = json.weightsManifest[0];
  [weights[2].shape, weights[3].shape] = [[2, COUNT], [COUNT]];
  await mkdir(FILES.tfjs);
  await writeFile(`${FILES.tfjs}/model.json`, JSON.stringify(json));
  const values = Float32Array.from([...kernel, ...bias, ...HEAD.kernel, ...HEAD.bias]);
  await writeFile(`${FILES.tfjs}/weights.bin`, new Uint8Array(values.buffer));
}

async function writeOnnx({ kernel, bias }: Weights): Promise<void> {
  const model = madeModel({
    nodes: [
      { op: 'Transpose', inputs: ['x'], outputs: ['t'], attributes: { perm: [0, 2, 3, 1] } },
      { op: 'Flatten', inputs: ['t'], outputs: ['f'] },
      { op: 'Gemm', name: 'hidden', inputs: ['f', 'hidden/kernel', 'hidden/bias'], outputs: ['h'] },
      { op: 'Relu', inputs: ['h'], outputs: ['r'] },
      { op: 'Gemm', name: 'head', inputs: ['r', 'head/kernel', 'head/bias'], outputs: ['z'] },
      { op: 'Softmax', inputs: ['z'] },
    ],
    initializers: [
      madeTensor('hidden/kernel', [WIDTH, 2], kernel),
      madeTensor('hidden/bias', [2], bias),
      madeTensor('head/kernel', [2, COUNT], HEAD.kernel),
      madeTensor('head/bias', [COUNT], HEAD.bias),
    ],
    input: [null, 3, 16, 16],
  });
  await writeFile(FILES.onnx, encodeModel(model));
}

async function writeKeras({ kernel, bias }: Weights): Promise<void> {
  const dense = (name: string, units: number, activation: string) => ({
    class_name: 'Dense',
    config: { name, trainable: true, units, activation, use_bias: true },
  });
  const flatten = {
    name: 'flatten',
    trainable: true,
    batch_input_shape: [null, 16, 16, 3],
    data_format: 'channels_last',
  };
  const layers = [
    { class_name: 'Flatten', config: flatten },
    dense('hidden', 2, 'relu'),
    dense('head', COUNT, 'softmax'),
  ];
  const bytes = await makeH5(
    { class_name: 'Sequential', config: { name: 'classes', layers } },
    {
      hidden: {
        'hidden/kernel:0': { shape: [WIDTH, 2], values: kernel },
        'hidden/bias:0': { shape: [2], values: bias },
      },
      head: {
        'head/kernel:0': { shape: [2, COUNT], values: HEAD.kernel },
        'head/bias:0': { shape: [COUNT], values: HEAD.bias },
      },
    },
  );
  await writeFile(FILES.keras, bytes);
}

/** Where the model of a run lies. */
const savedIn = (format: Format) => `run-${format}/model${format === 'tfjs' ? '' : `/${FILES[format]}`}`;

const images = () => tf.tensor(noise(5 * WIDTH, 1), [5, 16, 16, 3]);

/** All probabilities [5 · 4] of the saved network by its own runtime, or as tfjs runs the whole of it. */
async function probabilities(format: Format): Promise<ArrayLike<number>> {
  const file = savedIn(format);
  if (format === 'onnx') {
    const x = tf.tidy(() => tf.transpose(images(), [0, 3, 1, 2]));
    const { values } = await runtimeOutput(await readFile(file), x);
    x.dispose();
    return values;
  }
  const model = format === 'keras' ? (await readKerasModel(file)).model : await modelOfTfjs(file);
  const values = tf.tidy(() => (model.predict(images()) as tf.Tensor).dataSync());
  model.dispose();
  return values;
}

async function modelOfTfjs(folder: string) {
  const { modelTopology, weightsManifest } = JSON.parse(await readFile(`${folder}/model.json`, 'utf8'));
  const weightData = new Uint8Array(await readFile(`${folder}/weights.bin`)).buffer;
  return loadLayersModel(
    tf.io.fromMemory({ modelTopology, weightSpecs: weightsManifest[0].weights, weightData }),
  );
}

const recordOf = async (format: Format) =>
  JSON.parse(await readFile(`run-${format}/run.json`, 'utf8')) as RunRecord;

describe('a network of four classes', () => {
  beforeAll(async () => {
    await writeFile('few.json', JSON.stringify(FEW));
    const values = new Float32Array(new Uint8Array(await readFile('model/weights.bin')).buffer);
    const weights = {
      kernel: values.subarray(0, 2 * WIDTH),
      bias: values.subarray(2 * WIDTH, 2 * WIDTH + 2),
    };
    await Promise.all([writeTfjs(weights), writeOnnx(weights), writeKeras(weights)]);
    await startBackend('wasm');
  });

  it.each(FORMATS)('is mitigated for one of them: %s', async (format) => {
    const { exitCode, leaked } = await runCommand(
      `mitigate --model ${FILES[format]} --positive-class ${POSITIVE} ${DATA} --preprocess unit --out run-${format} --options few.json`,
    );
    expect({ exitCode, leaked }).toEqual({ exitCode: 0, leaked: 0 });
    const { model, mask } = await recordOf(format);
    expect(model).toMatchObject({ headWeights: 2 + 1, bodyWeights: 2 * WIDTH + 2 });
    expect(model.notes).toEqual([expect.stringMatching(/^Unit 2 of the head's 4 .* is the positive class/)]);
    expect(mask!.layers.some(({ selected }) => selected > 0)).toBe(true);
    expect((await filesIn(`run-${format}`)).get('report.html')!.toString()).toContain('Unit 2 of the head');
  });

  it('has the same mask and audits in each format', async () => {
    const [first, ...others] = await Promise.all(FORMATS.map((format) => filesIn(`run-${format}`)));
    for (const files of others) {
      expect(files.get('mask.safetensors')!.equals(first!.get('mask.safetensors')!)).toBe(true);
      for (const name of ['audit-before.json', 'audit-after.json']) {
        expectSameAudit(files.get(name)!, first!.get(name)!, name);
      }
    }
  });

  it.each(FORMATS)(
    'comes back so that the whole network makes the scores that were audited: %s',
    async (format) => {
      const model = await loadClassifier(savedIn(format), { positiveClass: POSITIVE });
      const scores = tf.tidy(() => {
        const x = format === 'onnx' ? tf.transpose(images(), [0, 3, 1, 2]) : images();
        return tf.sigmoid(model.logits(x, INFERENCE)).dataSync();
      });
      model.dispose();
      const all = await probabilities(format);
      for (const [row, score] of scores.entries()) {
        expect(Math.abs(score - all[COUNT * row + POSITIVE]!)).toBeLessThan(1e-4);
      }
    },
  );

  it('comes back with other weights of one unit, and the other units as they were', async () => {
    const values = new Float32Array(new Uint8Array(await readFile(`${savedIn('tfjs')}/weights.bin`)).buffer);
    const head = values.subarray(2 * WIDTH + 2);
    const before = Float32Array.from([...HEAD.kernel, ...HEAD.bias]);
    const moved = Array.from(head.keys()).filter((place) => head[place] !== before[place]);
    expect(moved).toEqual([POSITIVE, COUNT + POSITIVE, 2 * COUNT + POSITIVE]);
  });

  it('is audited and inspected for the class that is named, and for none without a name', async () => {
    const { stdout } = await runCommand(
      `audit --model ${savedIn('keras')} --positive-class ${POSITIVE} ${DATA} --only test --json`,
    );
    expect(JSON.parse(stdout)).toEqual(JSON.parse(await readFile('run-keras/audit-after.json', 'utf8')));
    const inspected = await runCommand(`inspect classes.h5 --positive-class ${POSITIVE}`);
    expect(inspected.stdout).toMatch(/^units {2,}4, of which 2 is the positive class$/m);
    expect(inspected.stdout).toContain("\n\nUnit 2 of the head's 4 (the first is 0) is the positive class");
    expect(await runCommand('inspect classes.h5')).toMatchObject({ exitCode: 64, leaked: 0 });
  });
});
