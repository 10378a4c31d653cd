import { expect, test } from 'vitest';
import { assertActivations, INFERENCE, uniqueNames } from '../../../core/model/classifier.ts';

test('inference is not training', () => {
  expect(INFERENCE).toEqual({ training: false });
});

test('gives a name that comes again its place', () => {
  expect(uniqueNames(['conv', 'relu', 'conv', 'conv'])).toEqual(['conv', 'relu', 'conv#2', 'conv#3']);
});

test('knows activations by layers and by what normalisations read', () => {
  const bodyOutputs = [{ name: 'norm', kind: 'BatchNormalization', shape: [null, 2], channelAxis: 1 }];
  const normalizations = [{ input: 'norm/input' }] as unknown as Parameters<
    typeof assertActivations
  >[0]['normalizations'];
  expect(() => assertActivations({ bodyOutputs, normalizations }, ['norm', 'norm/input'])).not.toThrow();
  expect(() => assertActivations({ bodyOutputs, normalizations }, ['norm', 'head'])).toThrow(
    'model activation: expected the name of a layer of the body, received "head"',
  );
});
