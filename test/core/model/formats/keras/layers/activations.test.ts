import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import {
  activation,
  activationFunction,
  activationId,
} from '../../../../../../core/model/formats/keras/layers/activations.ts';
import { specOf, testOracles } from '../../../../../helpers/keras.ts';
import { withBackend } from '../../../../../helpers/tensors.ts';

const names = (...all: readonly string[]) => all.map((name) => `L_act_${name}`);

testOracles(
  ...names(
    'celu',
    'elu',
    'exponential',
    'gelu',
    'hard_sigmoid',
    'hard_silu',
    'leaky_relu',
    'log_softmax',
    'mish',
  ),
  ...names('relu', 'relu6', 'selu', 'sigmoid', 'silu', 'softmax', 'softplus', 'softsign', 'tanh'),
  'L_conv_act_gelu',
);

describe('activationId', () => {
  it('is tfjs’s own where it means the same, and linear for none', () => {
    expect(activationId(specOf('Dense'), 'tanh')).toBe('tanh');
    expect(activationId(specOf('Dense'), null)).toBe('linear');
  });

  it.each(['telu', 'constructor'])('refuses %s by its name', (name) => {
    expect(() => activationId(specOf('Dense'), name)).toThrow(
      `model layer "made" (Dense): activation "${name}" is not supported`,
    );
    expect(activationFunction(name)).toBeNull();
  });
});

describe('an activation in a file', () => {
  it('is a name, an object around one, or the class of a layer', () => {
    expect(activation.parse('relu')).toBe('relu');
    expect(activation.parse({ class_name: 'function', config: 'gelu' })).toBe('gelu');
    expect(activation.parse({ class_name: 'LeakyReLU', config: {} })).toBe('LeakyReLU');
    expect(activation.parse(null)).toBeNull();
  });
});

describe('activationFunction', () => {
  withBackend('cpu');

  it('stays finite far out', () => {
    for (const name of ['hard_silu', 'log_sigmoid', 'log_softmax', 'mish', 'silu', 'softsign', 'gelu']) {
      const values = tf.tidy(() => activationFunction(name)!(tf.tensor2d([[-1e4, 0, 1e4]])).dataSync());
      expect(values.every(Number.isFinite), name).toBe(true);
    }
  });
});
