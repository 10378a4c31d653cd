import { expect, it } from 'vitest';
import { NORMALIZATION_LAYERS } from '../../../../../../core/model/formats/keras/layers/normalizations.ts';
import { specOf, testOracles } from '../../../../../helpers/keras.ts';

testOracles('L_bn', 'L_groupnorm', 'L_ln', 'L_unitnorm');

it('refuses groups of another axis than the last', () => {
  const spec = specOf('GroupNormalization', { axis: 1, groups: 2, epsilon: 1e-3 });
  expect(() => NORMALIZATION_LAYERS.GroupNormalization(spec)).toThrow(
    'model layer "made" (GroupNormalization): expected groups of the last axis (-1), received axis 1',
  );
});
