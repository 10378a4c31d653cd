import { testOracles } from '../../../../../helpers/keras.ts';

testOracles('L_dropout', 'L_flip', 'L_gnoise', 'L_rot', 'L_spdrop');
