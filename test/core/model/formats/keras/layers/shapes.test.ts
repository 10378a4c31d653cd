import { testOracles } from '../../../../../helpers/keras.ts';

testOracles('L_crop', 'L_flatten', 'L_permute', 'L_reshape', 'L_zp');
