import { expect, test } from 'vitest';
import { fitLogisticClassifier } from '../../../../core/fairness/statistics/logistic-classifier.ts';
import { noise } from '../../../helpers/tensors.ts';

test('fitLogisticClassifier predicts as scikit-learn with its defaults on standardised features', () => {
  const rowsOf = (values: Float32Array, shift: number) =>
    values.map((value, place) => value + (place % 3 === 0 ? shift : 0));
  const [first, second] = [rowsOf(noise(180, 21), 0), rowsOf(noise(180, 22), 0.3)];
  const values = Float32Array.of(...first.slice(0, 90), ...second.slice(0, 90));
  const labels = Int32Array.from({ length: 60 }, (_, row) => (row < 30 ? 0 : 1));
  const logitsOf = fitLogisticClassifier({ values, width: 3, labels }, 1);
  const logits = logitsOf(Float32Array.of(...first.slice(90), ...second.slice(90)));
  const predicted = [...logits].map((logit) => Number(logit > 0)).join('');
  expect(predicted).toBe('100000111100010101101110011010010010101100011111000100110111');
});

test('fitLogisticClassifier leaves out a feature that never varies', () => {
  const values = Float32Array.of(-2, 7, -1, 7, 1, 7, 2, 7);
  const logitsOf = fitLogisticClassifier({ values, width: 2, labels: Int32Array.of(0, 0, 1, 1) }, 1);
  expect([...logitsOf(values)].map((logit) => logit > 0)).toEqual([false, false, true, true]);
  const [withOther, withSame] = logitsOf(Float32Array.of(1, 100, 1, 7));
  expect(withOther).toBe(withSame);
});
