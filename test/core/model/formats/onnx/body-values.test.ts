import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { INFERENCE } from '../../../../../core/model/classifier.ts';
import { loadOnnx } from '../../../../../core/model/formats/onnx.ts';
import { useTempFolder } from '../../../../helpers/files.ts';
import type { MadeModel } from '../../../../helpers/onnx.ts';
import { encodeModel, madeCnn, madeModel, ONNX_FIXTURES } from '../../../../helpers/onnx.ts';
import { expectClose, expectNoLeak, noise, withBackend } from '../../../../helpers/tensors.ts';

describe.each(['wasm', 'cpu'] as const)('values inside an ONNX graph on %s', (backend) => {
  withBackend(backend);
  const folder = useTempFolder();
  const load = async (made: MadeModel) =>
    loadOnnx(await folder.write('made.onnx', encodeModel(madeModel(made))));

  test('names nodes in forward order, and the trace of training in batch norms', async () => {
    const classifier = await load(madeCnn(1));
    expect(
      classifier.bodyOutputs.map(({ name, kind, shape, channelAxis }) => [name, kind, shape, channelAxis]),
    ).toEqual([
      ['a', 'Conv', [null, 4, 6, 5], 1],
      ['b', 'BatchNormalization', [null, 4, 6, 5], 1],
      ['c', 'Relu', [null, 4, 6, 5], 1],
      ['d', 'Dropout', [null, 4, 6, 5], 1],
      ['features', 'ReduceMean', [null, 4], 1],
    ]);
    const [norm, ...others] = classifier.normalizations;
    expect(others).toEqual([]);
    expect(norm).toMatchObject({ layer: 'b', input: 'b/input', channelAxis: 1, epsilon: 1e-5 });
    expect([norm!.mean, norm!.variance]).toEqual(classifier.statistics);
    classifier.dispose();
  });

  test('are those of the operations by hand, before a relu that is done in the same pass too', async () => {
    await expectNoLeak(async () => {
      const classifier = await load(madeCnn(1));
      const [kernel, scale, offset] = classifier.body.map(({ variable }) => variable);
      const [mean, variance] = classifier.statistics.map(({ variable }) => variable);
      const x = tf.tensor(noise(180, 9), [2, 3, 6, 5]);
      const found = classifier.activations(x, ['b/input', 'a', 'b', 'c', 'features', 'b']);
      expect([...found.keys()]).toEqual(['b/input', 'a', 'b', 'c', 'features']);
      const expected = tf.tidy(() => {
        const images = tf.transpose(x, [0, 2, 3, 1]) as tf.Tensor4D;
        const conv = tf.conv2d(images, kernel as tf.Tensor4D, 1, 'same');
        const standard = tf.div(tf.sub(conv, mean!), tf.sqrt(tf.add(variance!, 1e-5)));
        const norm = tf.add(tf.mul(standard, scale!), offset!);
        const first = (values: tf.Tensor) => tf.transpose(values, [0, 3, 1, 2]);
        return { a: first(conv), 'b/input': first(conv), b: first(norm), c: first(tf.relu(norm)) };
      });
      for (const [name, tensor] of Object.entries(expected)) {
        expect(found.get(name)!.shape).toEqual(tensor.shape);
        expectClose(found.get(name)!.dataSync(), tensor.dataSync(), 1e-5);
      }
      expect(Math.min(...found.get('b')!.dataSync())).toBeLessThan(0); // a relu would show
      const features = classifier.features(x, INFERENCE);
      expect(found.get('features')!.dataSync()).toEqual(features.dataSync());
      found.get('a')!.dispose(); // no other goes with it
      expect(found.get('b/input')!.dataSync().length).toBe(240);
      tf.dispose([x, features, ...Object.values(expected), ...found.values()]);
      classifier.dispose();
    });
  });

  test('finds statistics behind nodes that pass them on, and none that the file computes', async () => {
    const { nodes, ...rest } = madeCnn(1);
    const norm = (mean: string) => ({
      op: 'BatchNormalization',
      inputs: ['a', 'scale', 'offset', mean, 'variance'],
      outputs: ['b'],
    });
    const made = (op: string) => ({
      ...rest,
      nodes: [{ op, inputs: ['mean'], outputs: ['m'] }, nodes[0]!, norm('m'), ...nodes.slice(2)],
    });
    const passed = await load(made('Identity'));
    expect(passed.normalizations.map(({ mean }) => mean.name)).toEqual(['mean']);
    const computed = await load(made('Neg'));
    expect(computed.normalizations).toEqual([]);
    passed.dispose();
    computed.dispose();
  });

  test('refuses another name', async () => {
    const classifier = await load(madeCnn(1));
    const x = tf.zeros([1, 3, 6, 5]);
    expect(() => classifier.activations(x, ['classifier'])).toThrow(/received "classifier"/);
    x.dispose();
    classifier.dispose();
  });
});

describe('the last value of a body', () => {
  withBackend('wasm');
  test.each(['resnet14', 'swin-small'])('is the features of %s', async (name) => {
    const classifier = await loadOnnx(path.join(ONNX_FIXTURES, `${name}.onnx`));
    const size = classifier.inputShape.reduce((product, extent) => product * extent, 2);
    const x = tf.tensor(noise(size, 1), [2, ...classifier.inputShape]);
    const last = classifier.bodyOutputs.at(-1)!.name;
    const found = classifier.activations(x, [last]);
    const features = classifier.features(x, INFERENCE);
    expect(found.get(last)!.dataSync()).toEqual(features.dataSync());
    tf.dispose([x, features, ...found.values()]);
    classifier.dispose();
  });
});
