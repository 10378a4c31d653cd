import { input, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { describe, expect, test } from 'vitest';
import { boundAfter, type GraphLayer, replaceCall } from '../../../worker/kernels/layer-graph.ts';
import { withBackend } from '../../helpers/tensors.ts';

type Layer = layers.Layer;

/** The bound after a layer that some others read. */
function boundBefore(...readers: Layer[]): number | null {
  const x = input({ shape: [4] });
  const layer = layers.batchNormalization();
  const y = layer.apply(x) as SymbolicTensor;
  const outputs = readers.map((reader) => reader.apply(y) as SymbolicTensor);
  if (outputs.length > 0) model({ inputs: x, outputs });
  return boundAfter(layer as unknown as GraphLayer);
}

describe('the relu after a layer', () => {
  withBackend('wasm');

  test.each<[string, number | null, () => Layer[]]>([
    ['has no end', Number.POSITIVE_INFINITY, () => [layers.reLU()]],
    ['ends at 6', 6, () => [layers.reLU({ maxValue: 6 })]],
    ['is none that ends elsewhere', null, () => [layers.reLU({ maxValue: 5 })]],
    ['may be an activation', Number.POSITIVE_INFINITY, () => [layers.activation({ activation: 'relu' })]],
    ['is no other activation', null, () => [layers.activation({ activation: 'relu6' })]],
    ['is no other layer', null, () => [layers.dense({ units: 2 })]],
    ['is to be the only reader', null, () => [layers.reLU(), layers.dense({ units: 2 })]],
    ['is to be there', null, () => []],
  ])('%s', (_, bound, readers) => {
    expect(boundBefore(...readers())).toBe(bound);
  });
});

test('a class that is not there is left alone', () => {
  expect(() =>
    replaceCall('NoSuchLayer', () => {
      throw new Error('was asked for');
    }),
  ).not.toThrow();
});
