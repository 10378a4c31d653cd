import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { INFERENCE } from '../../../../../core/model/classifier.ts';
import { readOnnxFile } from '../../../../../core/model/formats/onnx/file/read-model.ts';
import { readGraph } from '../../../../../core/model/formats/onnx/graph.ts';
import { OnnxNetwork } from '../../../../../core/model/formats/onnx/network.ts';
import { madeModel, madeTensor, madeWeight, networkOf, ONNX_FIXTURES } from '../../../../helpers/onnx.ts';
import { expectClose, expectNoLeak, noise, withBackend } from '../../../../helpers/tensors.ts';

interface Oracle {
  readonly input: number[];
  readonly output: number[][];
  readonly gradients: { readonly name: string; readonly shape: number[] }[];
}

const readOracle = (name: string) =>
  JSON.parse(readFileSync(path.join(ONNX_FIXTURES, `${name}.json`), 'utf8')) as Oracle;

function readFloats(file: string): Float32Array {
  const bytes = readFileSync(path.join(ONNX_FIXTURES, file));
  return new Float32Array(new Uint8Array(bytes).buffer);
}

async function openNetwork(name: string): Promise<OnnxNetwork> {
  const file = await readOnnxFile(path.join(ONNX_FIXTURES, `${name}.onnx`));
  const graph = readGraph(file.model);
  return new OnnxNetwork(file, graph, graph.output);
}

/** Inputs to outputs, and the weights' gradient of the sum of squared outputs, in the file's order of axes. */
function gradientsOf(network: OnnxNetwork, x: tf.Tensor): Map<string, Float32Array> {
  const weights = network.weights.filter(({ role }) => role === 'weight');
  const { value, grads } = tf.variableGrads(
    () => tf.sum(tf.square(network.run(x, INFERENCE))) as tf.Scalar,
    weights.map(({ variable }) => variable),
  );
  const found = weights.map(({ name, order, variable }) => {
    const back = order.map((_, axis) => order.indexOf(axis));
    const gradient = tf.tidy(() => tf.transpose(grads[variable.name]!, back).dataSync() as Float32Array);
    return [name, gradient] as const;
  });
  tf.dispose([value, ...Object.values(grads)]);
  return new Map(found);
}

/** Transposes: one at the input, and those that the network cannot do without. */
const NETWORKS = {
  mlp: 0,
  'vgg-like': 2, // before the image is flattened
  resnet14: 1,
  'mobilenet-v2-025': 1,
  'shufflenet-v2': 7, // one a shuffle
  'densenet-small': 1,
  'efficientnet-small': 1,
  'convnext-small': 1, // none of its 14 is left
  'vit-small': 10,
  'swin-small': 25,
} as const;

describe.each(Object.entries(NETWORKS))('%s as PyTorch exported it', (name, transposes) => {
  withBackend('wasm');

  test('gives the outputs and gradients of PyTorch in float64', async () => {
    const { input, output, gradients } = readOracle(name);
    const network = await openNetwork(name);
    const x = tf.tensor(readFloats(`${name}.input.bin`), input);
    const y = network.run(x, INFERENCE);
    output.flat().forEach((expected, place) => {
      expect(Math.abs(y.dataSync()[place]! - expected)).toBeLessThan(1e-5); // 1e-4 is asked for
    });
    const found = gradientsOf(network, x);
    const expected = readFloats(`${name}.grad.bin`);
    let offset = 0;
    for (const { name: weight, shape } of gradients) {
      const size = shape.reduce((product, extent) => product * extent, 1);
      expectClose(found.get(weight)!, expected.subarray(offset, offset + size), 1e-5); // 1e-3 is asked for
      offset += size;
    }
    expect(offset).toBe(expected.length);
    const steps = network.plan(input).steps.filter(({ op }) => op === 'Transpose');
    expect(steps.length).toBe(transposes);
    tf.dispose([x, y]);
    network.dispose();
  });
});

describe('OnnxNetwork', () => {
  withBackend('wasm');

  test('keeps no transpose between the first and the last convolution of a ResNet', async () => {
    const network = await openNetwork('resnet14');
    const ops = network.plan([2, 3, 64, 64]).steps.map(({ op }) => op);
    expect(ops.indexOf('Transpose')).toBeLessThan(ops.indexOf('Conv'));
    expect(ops.slice(ops.indexOf('Conv'))).not.toContain('Transpose');
    network.dispose();
  });

  test('takes batches of any size and leaves nothing behind', async () => {
    await expectNoLeak(async () => {
      const network = await openNetwork('shufflenet-v2');
      for (const size of [1, 3, 2, 4, 5, 6, 7, 8, 9, 1]) {
        const x = tf.tensor(noise(size * 3 * 64 * 64, 1), [size, 3, 64, 64]);
        const y = network.run(x, INFERENCE);
        expect(y.shape).toEqual([size, 2]);
        tf.dispose([x, y]);
      }
      network.dispose();
    });
  });

  test('holds few tensors while it runs', async () => {
    const network = await openNetwork('resnet14');
    const x = tf.zeros([2, 3, 64, 64]);
    const { bytes } = { bytes: tf.memory().numBytes };
    const most = tf.profile(() => network.run(x, INFERENCE));
    const image = 2 * 16 * 64 * 64 * 4; // bytes of the largest one
    expect((await most).peakBytes - bytes).toBeLessThan(6 * image); // of 53 steps
    network.dispose();
    x.dispose();
  });

  test('lets one tensor under two names be one weight', () => {
    const network = networkOf(
      madeModel({
        nodes: [
          { op: 'Identity', inputs: ['w'], outputs: ['v'] },
          { op: 'MatMul', inputs: ['x', 'w'], outputs: ['h'] },
          { op: 'MatMul', inputs: ['h', 'v'] },
        ],
        initializers: [madeTensor('w', [2, 2], [1, 2, 3, 4])],
        input: [null, 2],
      }),
    );
    expect(network.weights.map(({ name }) => name)).toEqual(['w']);
    const y = tf.tidy(() => Array.from(network.run(tf.tensor2d([[1, 0]]), INFERENCE).dataSync()));
    expect(y).toEqual([7, 10]); // (1, 2) times the matrix again
    network.dispose();
  });

  test('refuses weights that are not finite', () => {
    const model = madeModel({
      nodes: [{ op: 'MatMul', inputs: ['x', 'w'] }],
      initializers: [madeTensor('w', [1, 2], [1, Number.NaN])],
      input: [null, 1],
    });
    expect(() => networkOf(model)).toThrow('model weight "w": expected finite numbers, received NaN');
  });

  test('refuses an output that does not depend on the input', () => {
    const model = madeModel({
      nodes: [{ op: 'Shape', inputs: ['x'] }],
      initializers: [madeWeight('unused', [1])],
      input: [null, 1],
    });
    const network = networkOf(model);
    expect(() => network.trace([2, 1])).toThrow(/expected it to depend on the model's input/);
    network.dispose();
  });

  test('names a second output that it does not make', () => {
    const model = madeModel({
      nodes: [
        { op: 'MaxPool', inputs: ['x'], outputs: ['h', 'places'], attributes: { kernel_shape: [1, 1] } },
        { op: 'Add', inputs: ['h', 'places'], name: 'sum' },
      ],
      input: [null, 1, 2, 2],
    });
    const network = networkOf(model);
    expect(() => network.trace([2, 1, 2, 2])).toThrow(/Add "sum" \(opset 17\): expected the first outputs/);
    network.dispose();
  });
});
