import { describe, expect, test } from 'vitest';
import { fitLogistic } from '../../../../core/fairness/statistics/logistic.ts';

/*
 * Expected weights are those of scikit-learn 1.2.1:
 *
 *   value = lambda i: ((i * 37) % 101) / 50 - 1
 *   x = np.array([[value(row * 3 + f) for f in range(3)] for row in range(24)])
 *   y = (x[:, 0] + 0.8 * np.array([value(5 * row + 3) for row in range(24)]) > 0).astype(int)
 *   LogisticRegression(penalty=penalty, C=c, fit_intercept=intercept, solver='saga' if penalty == 'l1' else 'lbfgs',
 *                      tol=1e-12, max_iter=1000000).fit(x, y)
 */
const ROWS = 24;
const WIDTH = 3;
const value = (place: number) => ((place * 37) % 101) / 50 - 1;
const features = Float32Array.from({ length: ROWS * WIDTH }, (_, place) => value(place));
const labels = Int32Array.from({ length: ROWS }, (_, row) =>
  value(row * WIDTH) + 0.8 * value(5 * row + 3) > 0 ? 1 : 0,
);
const input = { features, width: WIDTH, labels, offsets: new Float64Array(ROWS) };

describe('fitLogistic', () => {
  test.each([
    ['l1', 1, [1.88364, 0, -0.07145, -0.34168]],
    ['l1', 0.3, [0.55982, 0, 0, -0.31949]],
    ['l2', 1, [1.5273, -0.03414, -0.42947, -0.36697]],
    ['l2', 0.3, [0.81581, -0.08843, -0.23542, -0.32369]],
  ] as const)('finds the weights of scikit-learn under %s with C = %s', (penalty, strength, expected) => {
    const found = fitLogistic({ ...input, hasIntercept: true }, { penalty, strength });
    expect(found).toHaveLength(WIDTH + 1);
    expected.forEach((weight, place) => {
      expect(found[place]).toBeCloseTo(weight, 4);
    });
  });

  test.each([
    ['l1', 1, [1.89445, 0, 0]],
    ['l2', 0.3, [0.81991, -0.0965, -0.22312]],
  ] as const)('finds them without an intercept under %s with C = %s', (penalty, strength, expected) => {
    const found = fitLogistic({ ...input, hasIntercept: false }, { penalty, strength });
    expect(found).toHaveLength(WIDTH);
    expected.forEach((weight, place) => {
      expect(found[place]).toBeCloseTo(weight, 4);
    });
  });

  test('gives exact zeros under l1', () => {
    const found = fitLogistic({ ...input, hasIntercept: true }, { penalty: 'l1', strength: 0.3 });
    expect(Math.abs(found[1]!)).toBe(0);
  });

  test('takes offsets into account: what they explain already is not explained again', () => {
    const [weight] = fitLogistic({ ...input, hasIntercept: true }, { penalty: 'l2', strength: 1 });
    const explained = Float64Array.from({ length: ROWS }, (_, row) => 3 * features[row * WIDTH]!);
    const [left] = fitLogistic(
      { ...input, offsets: explained, hasIntercept: true },
      { penalty: 'l2', strength: 1 },
    );
    expect(left).toBeLessThan(weight! / 2);
  });
});
