import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, test } from 'vitest';
import type { Classifier } from '../../../../core/model/classifier.ts';
import { INFERENCE } from '../../../../core/model/classifier.ts';
import type { ModelProto } from '../../../../core/model/formats/onnx/file/onnx-pb.ts';
import { loadOnnx } from '../../../../core/model/formats/onnx.ts';
import { useTempFolder } from '../../../helpers/files.ts';
import type { MadeModel } from '../../../helpers/onnx.ts';
import {
  encodeModel,
  madeCnn,
  madeModel,
  madeNode,
  madeTensor,
  madeWeight,
  ONNX_FIXTURES,
  runtimeOutput,
} from '../../../helpers/onnx.ts';
import { expectClose, expectNoLeak, noise, withBackend } from '../../../helpers/tensors.ts';

const fixture = (name: string) => path.join(ONNX_FIXTURES, `${name}.onnx`);

describe('loadOnnx', () => {
  withBackend('wasm');
  const folder = useTempFolder();
  const loaded: Classifier[] = [];
  afterEach(() => {
    for (const classifier of loaded.splice(0)) classifier.dispose();
  });

  async function load(file: string, head?: string): Promise<Classifier> {
    const classifier = await loadOnnx(file, head === undefined ? {} : { head });
    loaded.push(classifier);
    return classifier;
  }
  const write = (model: ModelProto | MadeModel, name = 'made.onnx') =>
    folder.write(name, encodeModel('nodes' in model ? madeModel(model) : model));
  const inputs = (size = 3) => tf.tensor(noise(size * 90, 9), [size, 3, 6, 5]);
  const logitsOf = (classifier: Classifier) =>
    tf.tidy(() => classifier.logits(inputs(), INFERENCE).dataSync() as Float32Array);

  test('splits a graph at its last dense layer', async () => {
    const classifier = await load(await write(madeCnn(1)));
    const { format, inputShape, mirrorAxes, output, hasTrainingMode, notes } = classifier;
    expect({ format, inputShape, mirrorAxes, output, hasTrainingMode, notes }).toEqual({
      format: 'onnx',
      inputShape: [3, 6, 5],
      mirrorAxes: [3, 2],
      output: 'logit',
      hasTrainingMode: true,
      notes: [],
    });
    const shapes = (parameters: Classifier['body']) => parameters.map(({ name, shape }) => [name, shape]);
    expect(shapes(classifier.body)).toEqual([
      ['conv.weight', [3, 3, 3, 4]], // as the backends read it
      ['scale', [4]],
      ['offset', [4]],
    ]);
    expect(shapes(classifier.statistics)).toEqual([
      ['mean', [4]],
      ['variance', [4]],
    ]);
    expect(shapes([classifier.head.kernel, classifier.head.bias!])).toEqual([
      ['fc.weight', [4, 1]],
      ['fc.bias', [1]],
    ]);
    expect(
      classifier.layers.map(({ kind, outputShape, parameters, part }) => [
        kind,
        outputShape,
        parameters,
        part,
      ]),
    ).toEqual([
      ['Conv', [null, 4, 6, 5], 108, 'body'],
      ['BatchNormalization', [null, 4, 6, 5], 16, 'body'],
      ['Relu', [null, 4, 6, 5], 0, 'body'],
      ['Dropout', [null, 4, 6, 5], 0, 'body'],
      ['ReduceMean', [null, 4], 0, 'body'],
      ['Gemm', [null, 1], 5, 'head'],
    ]);
  });

  test.each<[string, number, MadeModel['nodes'], 'logit' | 'score', (outputs: Float32Array) => number[]]>([
    ['one unit', 1, [], 'logit', (y) => Array.from(y)],
    [
      'a sigmoid',
      1,
      [{ op: 'Sigmoid', inputs: ['logits'] }],
      'score',
      (y) => Array.from(y, (p) => Math.log(p / (1 - p))),
    ],
    ['two units', 2, [], 'logit', (y) => [0, 1, 2].map((row) => y[2 * row + 1]! - y[2 * row]!)],
    [
      'a softmax over two',
      2,
      [{ op: 'Softmax', inputs: ['logits'], attributes: { axis: 1 } }],
      'score',
      (y) => [0, 1, 2].map((row) => Math.log(y[2 * row + 1]! / y[2 * row]!)),
    ],
    [
      'a log softmax over two',
      2,
      [{ op: 'LogSoftmax', inputs: ['logits'] }],
      'logit',
      (y) => [0, 1, 2].map((row) => y[2 * row + 1]! - y[2 * row]!),
    ],
  ])('gives the logits of onnxruntime for %s', async (_, units, after, output, toLogits) => {
    const file = await write(madeCnn(units, after));
    const classifier = await load(file);
    expect(classifier.output).toBe(output);
    const expected = await runtimeOutput(await readFile(file), inputs());
    expectClose(logitsOf(classifier), toLogits(expected.values), 1e-4);
  });

  test.each([
    ['its node', 'classifier'],
    ['its weights', 'fc.weight'],
    ['its module', 'fc'],
  ])('takes a head that is named by %s', async (_, name) => {
    expect((await load(await write(madeCnn(1)), name)).head.name).toBe('classifier');
  });

  test('moves running statistics in training mode, and draws dropout by seed', async () => {
    const classifier = await load(await write(madeCnn(1)));
    const before = classifier.statistics.map(({ variable }) => Array.from(variable.dataSync()));
    const run = (seed: number) =>
      tf.tidy(() =>
        Array.from(classifier.logits(inputs(), { training: true, nextSeed: () => seed }).dataSync()),
      );
    expect(run(1)).toEqual(run(1));
    expect(run(1)).not.toEqual(run(2));
    const kernel = classifier.body[0]!.variable as tf.Tensor4D;
    const [mean] = tf.tidy(() => {
      const images = tf.transpose(inputs(), [0, 2, 3, 1]) as tf.Tensor4D;
      const { mean } = tf.moments(tf.conv2d(images, kernel, 1, 'same'), [0, 1, 2]);
      return [Array.from(mean.dataSync())];
    });
    const moved = before[0]!.map((value, at) => 0.9 ** 4 * value + (1 - 0.9 ** 4) * mean![at]!); // four passes
    expectClose(classifier.statistics[0]!.variable.dataSync(), moved, 1e-5);
    expect(Array.from(classifier.statistics[1]!.variable.dataSync())).not.toEqual(before[1]);
    expect(logitsOf(classifier)).toEqual(logitsOf(classifier));
  });

  test('says where batch norm is folded into convolutions', async () => {
    const classifier = await load(fixture('resnet14'));
    expect(classifier.notes).toEqual([expect.stringMatching(/has folded it into the convolutions/)]);
    expect((await load(fixture('mlp'))).notes).toEqual([]);
  });

  test('takes images with channels last, as tf2onnx leaves them', async () => {
    const { nodes, initializers } = madeCnn(1);
    const [conv, ...rest] = nodes;
    const scaled = { op: 'Mul', inputs: ['x', 'half'], outputs: ['h'] };
    const turned = { op: 'Transpose', inputs: ['h'], outputs: ['t'], attributes: { perm: [0, 3, 1, 2] } };
    const file = await write({
      nodes: [
        scaled,
        turned,
        { ...conv, inputs: ['t', 'conv.weight'] } as MadeModel['nodes'][number],
        ...rest,
      ],
      initializers: [...initializers!, madeTensor('half', [], [0.5])],
      input: [null, 6, 5, 3],
    });
    const classifier = await load(file);
    expect(classifier.mirrorAxes).toEqual([2, 1]);
    const x = tf.tensor(noise(270, 9), [3, 6, 5, 3]);
    const { values } = await runtimeOutput(await readFile(file), x);
    expectClose(
      tf.tidy(() => classifier.logits(x, INFERENCE).dataSync()),
      values,
      1e-5,
    );
    x.dispose();
  });

  test('takes a model that is its head alone', async () => {
    const file = await write({
      nodes: [
        { op: 'MatMul', inputs: ['x', 'w'], outputs: ['h'] },
        { op: 'Add', inputs: ['b', 'h'] },
      ],
      initializers: [madeWeight('w', [3, 1]), madeWeight('b', [1], 2)],
      input: [null, 3],
    });
    const classifier = await load(file);
    expect(classifier.body).toEqual([]);
    expect(classifier.mirrorAxes).toEqual([]);
    const x = tf.tensor(noise(6, 2), [2, 3]);
    const { values } = await runtimeOutput(await readFile(file), x);
    expectClose(
      tf.tidy(() => classifier.logits(x, INFERENCE).dataSync()),
      values,
      1e-6,
    );
    x.dispose();
  });

  test.each<[string, MadeModel, string | undefined, RegExp]>([
    [
      'a softmax over one',
      madeCnn(1, [{ op: 'Softmax', inputs: ['logits'] }]),
      undefined,
      /one sigmoid after it, received Softmax/,
    ],
    ['another head', madeCnn(1), 'conv', /head "conv": expected the last Gemm or MatMul/],
    [
      'no head',
      { nodes: [{ op: 'Relu', inputs: ['x'], name: 'r' }], input: [null, 1] },
      undefined,
      /no head found.*"r" \(Relu\)/,
    ],
    [
      'a sigmoid of the input',
      { nodes: [{ op: 'Sigmoid', inputs: ['x'] }], input: [null, 1] },
      undefined,
      /received the input "x"/,
    ],
  ])('refuses %s', async (_, model, head, message) => {
    await expect(write(model).then((file) => load(file, head))).rejects.toMatchObject({
      code: 'UNSUPPORTED_MODEL',
      message: expect.stringMatching(message),
    });
  });

  test.each<[string, MadeModel, number | undefined]>([
    ['three units of which none is named', madeCnn(3), undefined],
    ['two sigmoids likewise', madeCnn(2, [{ op: 'Sigmoid', inputs: ['logits'] }]), undefined],
    ['a unit that is not there', madeCnn(3), 3],
  ])('refuses %s', async (_, model, positiveClass) => {
    await expect(loadOnnx(await write(model), { positiveClass })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringMatching(/^head "classifier": expected the positive class among its [23] units/),
    });
  });

  test('refuses a graph that is for one batch size alone, with what to do', async () => {
    const { nodes, initializers } = madeCnn(1);
    const fixed = { op: 'Reshape', inputs: ['x', 'shape'], outputs: ['z'] };
    const [conv, ...rest] = nodes;
    const shape = madeTensor('shape', [4], [1, 3, 6, 5], 'int64');
    const model = (shape1: number | null): MadeModel => ({
      nodes: [fixed, { ...conv, inputs: ['z', 'conv.weight'] } as MadeModel['nodes'][number], ...rest],
      initializers: [...initializers!, shape],
      input: [shape1, 3, 6, 5],
    });
    await expect(write(model(1)).then((file) => load(file))).rejects.toMatchObject({
      code: 'UNSUPPORTED_MODEL',
      message: expect.stringMatching(
        /batches of any size, received one for 1 alone; export it with a dynamic batch/,
      ),
    });
    await expect(write(model(null)).then((file) => load(file))).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    });
    const free = await load(await write({ ...madeCnn(1), input: [1, 3, 6, 5] })); // fixed in name alone
    expect(logitsOf(free).length).toBe(3);
  });

  test('refuses features that are no row for each sample', async () => {
    const file = await write({
      nodes: [
        { op: 'Unsqueeze', inputs: ['x', 'axis'], outputs: ['f'] },
        { op: 'MatMul', name: 'head', inputs: ['f', 'w'] },
      ],
      initializers: [madeTensor('axis', [1], [1], 'int64'), madeWeight('w', [3, 1])],
      input: [null, 3],
    });
    await expect(load(file)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: 'head "head": expected features of shape [3, 3] for 3 samples, received [3, 1, 3]',
    });
  });

  test('names operator, node and opset of what it does not read', async () => {
    const { nodes, ...rest } = madeCnn(1);
    const odd = madeNode({ op: 'NonMaxSuppression', name: 'odd', inputs: ['x'], outputs: ['z'] });
    const file = await write({
      ...rest,
      nodes: [odd, madeNode({ op: 'Conv', inputs: ['z', 'conv.weight'], outputs: ['a'] }), ...nodes.slice(1)],
    });
    await expect(load(file)).rejects.toMatchObject({
      code: 'UNSUPPORTED_MODEL',
      details: { operator: 'NonMaxSuppression', node: 'odd', opset: 17 },
    });
  });

  test('refuses inputs of another shape', async () => {
    const classifier = await load(await write(madeCnn(1)));
    expect(() => tf.tidy(() => classifier.logits(tf.zeros([2, 3, 6, 6]), INFERENCE))).toThrow(
      'model input: expected [batch, 3, 6, 5], received [2, 3, 6, 6]',
    );
  });

  test('leaves nothing behind, loaded or refused', async () => {
    const good = await write(madeCnn(2));
    const bias = {
      ...madeCnn(1),
      initializers: [...madeCnn(1).initializers!.slice(0, -1), madeWeight('fc.bias', [2])],
    };
    const bad = await write(bias, 'bad.onnx');
    await expectNoLeak(async () => {
      const classifier = await loadOnnx(good);
      logitsOf(classifier);
      classifier.dispose();
      await expect(loadOnnx(bad)).rejects.toMatchObject({ code: 'SHAPE_MISMATCH' });
      await expect(loadOnnx(good, { head: 'other' })).rejects.toThrow();
    });
  });
});
