import { expect, test } from 'vitest';
import { INFERENCE } from '../../../core/model/classifier.ts';

test('inference is not training', () => {
  expect(INFERENCE).toEqual({ training: false });
});
