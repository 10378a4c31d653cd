import { describe, expect, it } from 'vitest';
import type { Classifier } from '../../../core/model/classifier.ts';
import { blocksOf, kindsOf } from '../../../worker/explain/weight-parts.ts';

/** A body of (layer, kind, tensors by the end of their names). */
function bodyOf(
  ...layers: readonly (readonly [string, string, Readonly<Record<string, readonly number[]>>])[]
): Pick<Classifier, 'body' | 'layers'> {
  const summary = { outputShape: [], parameters: 0, part: 'body' } as const;
  return {
    layers: layers.map(([name, kind]) => ({ name, kind, ...summary })),
    body: layers.flatMap(([layer, , tensors]) =>
      Object.entries(tensors).map(([end, shape]) => ({ name: `${layer}/${end}`, layer, shape })),
    ) as unknown as Classifier['body'],
  };
}

const KERAS = bodyOf(
  ['conv1', 'Conv2D', { kernel: [3, 3, 3, 8], bias: [8] }],
  ['bn1', 'BatchNormalization', { gamma: [8], beta: [8] }],
  ['block_3_depthwise', 'DepthwiseConv2D', { depthwise_kernel: [3, 3, 8, 1] }],
  ['block_3_BN', 'BatchNormalization', { gamma: [8], beta: [8] }],
  ['conv2_block1_1_conv', 'Conv2D', { kernel: [1, 1, 8, 8] }],
  ['conv2_block1_2_conv', 'Conv2D', { kernel: [1, 1, 8, 8] }],
  ['slope', 'PReLU', { alpha: [8] }],
  ['hidden', 'Dense', { kernel: [8, 4], bias: [4] }],
);

const ONNX = bodyOf(
  ['/body/body.0/Conv', 'Conv', { weight: [3, 3, 1, 8] }],
  ['/body/body.1/BatchNormalization', 'BatchNormalization', { s: [8], o: [8] }],
  ['/body/body.3/a/Conv', 'Conv', { weight: [3, 3, 1, 8] }],
  ['/body/body.3/m/BatchNormalization', 'BatchNormalization', { weight: [8], bias: [8] }],
  ['/body/body.3/skip/skip.0/Conv', 'Conv', { weight: [1, 1, 8, 8] }],
  ['/layer1/layer1.0/conv1/Conv', 'Conv', { weight: [3, 3, 8, 8] }],
  ['/fc/Gemm', 'Gemm', { weight: [8, 4], bias: [4] }],
);

describe('kindsOf', () => {
  it('tells weights of Keras layers apart by layer, shape and name', () => {
    expect(Object.fromEntries(kindsOf(KERAS))).toEqual({
      'conv1/kernel': 'kernel',
      'conv1/bias': 'bias',
      'bn1/gamma': 'norm scale',
      'bn1/beta': 'norm offset',
      'block_3_depthwise/depthwise_kernel': 'depthwise kernel',
      'block_3_BN/gamma': 'norm scale',
      'block_3_BN/beta': 'norm offset',
      'conv2_block1_1_conv/kernel': 'kernel',
      'conv2_block1_2_conv/kernel': 'kernel',
      'slope/alpha': 'other',
      'hidden/kernel': 'dense kernel',
      'hidden/bias': 'bias',
    });
  });

  it('takes the first of unnamed normalisation weights for the scale, and images of one channel as they are', () => {
    const kinds = kindsOf(ONNX);
    expect(kinds.get('/body/body.0/Conv/weight')).toBe('kernel'); // greyscale input, not depthwise
    expect(kinds.get('/body/body.3/a/Conv/weight')).toBe('depthwise kernel');
    expect(kinds.get('/body/body.1/BatchNormalization/s')).toBe('norm scale');
    expect(kinds.get('/body/body.1/BatchNormalization/o')).toBe('norm offset');
    expect(kinds.get('/body/body.3/m/BatchNormalization/bias')).toBe('norm offset');
  });
});

describe('blocksOf', () => {
  it('takes the prefix that names a block, and puts a normalisation to the layer before', () => {
    expect(Object.fromEntries(blocksOf(KERAS))).toEqual({
      conv1: 'conv1',
      bn1: 'conv1',
      block_3_depthwise: 'block_3',
      block_3_BN: 'block_3',
      conv2_block1_1_conv: 'conv2_block1',
      conv2_block1_2_conv: 'conv2_block1',
      slope: 'slope',
      hidden: 'hidden',
    });
  });

  it('takes the path up to its first numbered part, else without the operation', () => {
    expect([...blocksOf(ONNX).values()]).toEqual([
      '/body/body.0',
      '/body/body.1',
      '/body/body.3',
      '/body/body.3',
      '/body/body.3',
      '/layer1/layer1.0',
      '/fc',
    ]);
  });
});
