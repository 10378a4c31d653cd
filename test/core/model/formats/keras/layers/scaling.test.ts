import { testOracles } from '../../../../../helpers/keras.ts';

testOracles('L_norm', 'L_rescale', 'L_rescale_vec');
