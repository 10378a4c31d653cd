import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, test } from 'vitest';
import type { Classifier } from '../../../../core/model/classifier.ts';
import { INFERENCE, weightsOf } from '../../../../core/model/classifier.ts';
import type { ModelProto } from '../../../../core/model/formats/onnx/file/onnx-pb.ts';
import { loadOnnx } from '../../../../core/model/formats/onnx.ts';
import { useTempFolder } from '../../../helpers/files.ts';
import type { MadeModel } from '../../../helpers/onnx.ts';
import {
  decodeModel,
  encodeModel,
  madeCnn,
  madeModel,
  ONNX_FIXTURES,
  runtimeOutput,
} from '../../../helpers/onnx.ts';
import { expectClose, noise, withBackend } from '../../../helpers/tensors.ts';

const fixture = (name: string) => path.join(ONNX_FIXTURES, `${name}.onnx`);

describe('save', () => {
  withBackend('wasm');
  const folder = useTempFolder();
  const loaded: Classifier[] = [];
  afterEach(() => {
    for (const classifier of loaded.splice(0)) classifier.dispose();
  });

  async function load(file: string): Promise<Classifier> {
    const classifier = await loadOnnx(file);
    loaded.push(classifier);
    return classifier;
  }
  const write = (model: MadeModel) => folder.write('made.onnx', encodeModel(madeModel(model)));
  const inputs = () => tf.tensor(noise(270, 9), [3, 3, 6, 5]);
  const logitsOf = (classifier: Classifier) =>
    tf.tidy(() => classifier.logits(inputs(), INFERENCE).dataSync() as Float32Array);

  let count = 0;
  async function save(classifier: Classifier): Promise<string> {
    count += 1;
    const out = folder.at(`saved/${count}`);
    await classifier.save(out);
    const [name] = await readdir(out);
    return path.join(out, name!);
  }
  const shiftHead = (classifier: Classifier) =>
    tf.tidy(() => {
      const { kernel, bias } = classifier.head;
      kernel.variable.assign(
        tf.add(kernel.variable, tf.tensor(noise(kernel.variable.size, 3), [...kernel.shape])),
      );
      bias!.variable.assign(tf.add(bias!.variable, 0.5));
    });

  test.each(['mlp', 'resnet14'])('saves %s, untouched, as the same message', async (name) => {
    const file = await save(await load(fixture(name)));
    expect(path.basename(file)).toBe(`${name}.onnx`);
    expect(decodeModel(await readFile(file))).toEqual(decodeModel(await readFile(fixture(name))));
  });

  test('changes in the file the weights that were tuned, and no others', async () => {
    const classifier = await load(fixture('resnet14'));
    shiftHead(classifier);
    const [first] = classifier.body;
    tf.tidy(() => first!.variable.assign(tf.mul(first!.variable, 1.5)));
    const before = decodeModel(await readFile(fixture('resnet14')));
    const after = decodeModel(await readFile(await save(classifier)));
    const differing = after.graph!.initializer.filter(
      (tensor, place) => !Buffer.from(tensor.rawData).equals(before.graph!.initializer[place]!.rawData),
    );
    const expected = [first!.name, 'head.weight', 'head.bias'];
    expect(differing.map(({ name }) => name).sort()).toEqual(expected.sort());
    const values = (model: ModelProto) =>
      new Float32Array(
        Uint8Array.from(model.graph!.initializer.find(({ name }) => name === first!.name)!.rawData).buffer,
      );
    expect(values(after)).toEqual(values(before).map((value) => value * 1.5)); // [O, I, H, W] as it was
    for (const tensor of [...after.graph!.initializer]) tensor.rawData = new Uint8Array();
    for (const tensor of [...before.graph!.initializer]) tensor.rawData = new Uint8Array();
    expect(after).toEqual(before);
  });

  test.each<[string, MadeModel, (outputs: Float32Array) => number[]]>([
    ['one unit', madeCnn(1), (y) => Array.from(y)],
    ['two units', madeCnn(2), (y) => [0, 1, 2].map((row) => y[2 * row + 1]! - y[2 * row]!)],
  ])('saves a tuned model of %s that onnxruntime scores alike', async (_, model, toLogits) => {
    const classifier = await load(await write(model));
    shiftHead(classifier);
    for (const { variable } of weightsOf(classifier)) tf.tidy(() => variable.assign(tf.mul(variable, 1.1)));
    const file = await save(classifier);
    const expected = await runtimeOutput(await readFile(file), inputs());
    expectClose(logitsOf(classifier), toLogits(expected.values), 1e-4);
    expectClose(logitsOf(await load(file)), logitsOf(classifier), 1e-5);
  });
});
