import { testOracles } from '../../../../../helpers/keras.ts';

testOracles('L_dense4d');
