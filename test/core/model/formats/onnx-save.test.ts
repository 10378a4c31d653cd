import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, test } from 'vitest';
import type { Classifier } from '../../../../core/model/classifier.ts';
import { INFERENCE, weightsOf } from '../../../../core/model/classifier.ts';
import { halfOfFloat } from '../../../../core/model/formats/onnx/file/half.ts';
import type { ModelProto, TensorProto } from '../../../../core/model/formats/onnx/file/onnx-pb.ts';
import { TensorProto_DataType as DataType } from '../../../../core/model/formats/onnx/file/onnx-pb.ts';
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

const NETWORKS = [
  'mlp',
  'vgg-like',
  'resnet14',
  'mobilenet-v2-025',
  'shufflenet-v2',
  'densenet-small',
  'efficientnet-small',
  'convnext-small',
  'vit-small',
  'swin-small',
] as const;

/** The message in one way of writing it, in which equal bytes mean equal fields, those of no schema too. */
const canonical = (bytes: Uint8Array) => Buffer.from(encodeModel(decodeModel(bytes)));

const floatsOf = ({ rawData }: TensorProto) => new Float32Array(Uint8Array.from(rawData).buffer);

describe('save', () => {
  withBackend('wasm');
  const folder = useTempFolder();
  const loaded: Classifier[] = [];
  afterEach(() => {
    for (const classifier of loaded.splice(0)) classifier.dispose();
  });

  async function load(file: string, positiveClass?: number): Promise<Classifier> {
    const classifier = await loadOnnx(file, { positiveClass });
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

  test.each(NETWORKS)('saves %s, untouched, as the same message', async (name) => {
    const file = await save(await load(fixture(name)));
    expect(path.basename(file)).toBe(`${name}.onnx`);
    const [saved, original] = [await readFile(file), await readFile(fixture(name))];
    expect(canonical(saved).equals(canonical(original))).toBe(true);
  });

  test.each(NETWORKS)('saves %s, all weights tuned, as onnxruntime scores it', async (name) => {
    const classifier = await load(fixture(name));
    const { inputShape, output } = classifier;
    for (const [place, { variable, shape }] of weightsOf(classifier).entries()) {
      const factors = noise(variable.size, place).map((value) => 1 + 0.1 * value);
      tf.tidy(() => variable.assign(tf.mul(variable, tf.tensor(factors, [...shape]))));
    }
    const size = inputShape.reduce((product, extent) => product * extent, 2);
    const x = tf.tensor(noise(size, 5), [2, ...inputShape]);
    const logits = tf.tidy(() => classifier.logits(x, INFERENCE).dataSync());
    const { values, shape } = await runtimeOutput(await readFile(await save(classifier)), x);
    const expected = [0, 1].map((row) => {
      if (shape[1] === 2) return values[2 * row + 1]! - values[2 * row]!;
      return output === 'score' ? Math.log(values[row]! / (1 - values[row]!)) : values[row]!;
    });
    expectClose(logits, expected, 1e-4);
    x.dispose();
  });

  test('rounds to half precision what was tuned, and keeps the bits of the rest', async () => {
    const model = decodeModel(await readFile(fixture('mlp')));
    for (const tensor of model.graph!.initializer) {
      tensor.dataType = DataType.FLOAT16;
      tensor.rawData = new Uint8Array(Uint16Array.from(floatsOf(tensor), halfOfFloat).buffer);
    }
    const original = encodeModel(model);
    const classifier = await load(await folder.write('half.onnx', original));
    expect(canonical(await readFile(await save(classifier))).equals(canonical(original))).toBe(true);
    const { variable, name } = classifier.head.kernel;
    const values = variable.dataSync().slice() as Float32Array;
    values[3] = 0.1;
    tf.tidy(() => variable.assign(tf.tensor(values, variable.shape)));
    const saved = decodeModel(await readFile(await save(classifier))).graph!.initializer;
    saved.forEach((tensor, place) => {
      const expected = new Uint16Array(Uint8Array.from(model.graph!.initializer[place]!.rawData).buffer);
      if (tensor.name === name) expected[3] = halfOfFloat(0.1);
      expect(Array.from(new Uint16Array(Uint8Array.from(tensor.rawData).buffer))).toEqual(
        Array.from(expected),
      );
    });
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
    const values = ({ graph }: ModelProto) =>
      floatsOf(graph!.initializer.find(({ name }) => name === first!.name)!);
    expect(values(after)).toEqual(values(before).map((value) => value * 1.5)); // [O, I, H, W] as it was
    for (const tensor of [...after.graph!.initializer]) tensor.rawData = new Uint8Array();
    for (const tensor of [...before.graph!.initializer]) tensor.rawData = new Uint8Array();
    expect(after).toEqual(before);
  });

  const softmax = { op: 'Softmax', inputs: ['logits'] };
  const sigmoid = { op: 'Sigmoid', inputs: ['logits'] };
  const squash = (logit: number) => 1 / (1 + Math.exp(-logit));

  test.each<[string, MadeModel, number | undefined, (outputs: Float32Array) => number[]]>([
    ['one unit', madeCnn(1), undefined, (y) => Array.from(y, squash)],
    [
      'two units',
      madeCnn(2),
      undefined,
      (y) => [0, 1, 2].map((row) => squash(y[2 * row + 1]! - y[2 * row]!)),
    ],
    ['two units, the first of them', madeCnn(2, [softmax]), 0, (y) => [0, 2, 4].map((place) => y[place]!)],
    ['five units of a softmax', madeCnn(5, [softmax]), 3, (y) => [3, 8, 13].map((place) => y[place]!)],
    ['five units of a sigmoid each', madeCnn(5, [sigmoid]), 3, (y) => [3, 8, 13].map((place) => y[place]!)],
  ])('saves a tuned model of %s that onnxruntime scores alike', async (_, model, positiveClass, toScores) => {
    const classifier = await load(await write(model), positiveClass);
    shiftHead(classifier);
    for (const { variable } of weightsOf(classifier)) tf.tidy(() => variable.assign(tf.mul(variable, 1.1)));
    const file = await save(classifier);
    const expected = await runtimeOutput(await readFile(file), inputs());
    expectClose(logitsOf(classifier).map(squash), toScores(expected.values), 1e-5);
    expectClose(logitsOf(await load(file, positiveClass)), logitsOf(classifier), 1e-5);
    const [before, after] = [encodeModel(madeModel(model)), await readFile(file)].map((bytes) =>
      decodeModel(bytes)
        .graph!.initializer.filter(({ name }) => name.startsWith('fc.'))
        .map(floatsOf),
    );
    const { units, positiveClass: positive } = classifier.head;
    const rows = after!.flatMap(
      (values, tensor) =>
        Array.from(values.keys())
          .filter((place) => values[place] !== before![tensor]![place])
          .map((place) => Math.floor((place * units) / values.length)), // [K, F] and [K]
    );
    expect(new Set(rows)).toEqual(new Set([positive ?? 0]));
  });
});
