import { testOracles } from '../../../../../helpers/keras.ts';

testOracles('L_avgpool_same', 'L_gap_keep', 'L_gmp_keep', 'L_maxpool_same');
