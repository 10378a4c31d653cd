import { expect, it } from 'vitest';
import { CONVOLUTION_LAYERS } from '../../../../../../core/model/formats/keras/layers/convolutions.ts';
import { specOf, testOracles } from '../../../../../helpers/keras.ts';

testOracles('L_conv_groups', 'L_dw_dil', 'L_dw_mult', 'L_sep');

const config = { filters: 4, kernel_size: [3, 3], padding: 'same', use_bias: false };

it.each([
  ['channels in front', { data_format: 'channels_first' }, '"data_format" must be "channels_last"'],
  ['a window of nothing', { kernel_size: [0, 3] }, '"kernel_size[0]" must be at least 1'],
  ['an unknown padding', { padding: 'causal' }, '"padding" must be one of "valid", "same"'],
  ['an unknown activation', { groups: 2, activation: 'telu' }, 'activation "telu" is not supported'],
])('refuses %s', (_, change, problem) => {
  expect(() => CONVOLUTION_LAYERS.Conv2D(specOf('Conv2D', { ...config, ...change }))).toThrow(problem);
});
