import { describe, expect, it } from 'vitest';
import { fitClasses, fitProbe, probeChange, probeFigure } from '../../../worker/explain/probe.ts';

/** x[i][j] = sin(1 + 7i + 3j + ij): 60 rows to fit, 40 to measure. */
const WIDTH = 4;
const entry = (row: number, column: number) => Math.sin(1 + 7 * row + 3 * column + row * column);
const rowsFrom = (start: number, end: number) => ({
  values: Float32Array.from({ length: (end - start) * WIDTH }, (_, place) =>
    entry(start + Math.floor(place / WIDTH), place % WIDTH),
  ),
  width: WIDTH,
});
const two = (row: number) => (entry(row, 0) - 0.5 * entry(row, 2) + 0.8 * Math.sin(5 * row) > 0 ? 1 : 0);
const three = (row: number) => {
  if (entry(row, 0) + 0.6 * Math.sin(5 * row) < -0.3) return 0;
  return entry(row, 1) + 0.6 * Math.cos(3 * row) < 0 ? 1 : 2;
};
const classesFrom = (start: number, end: number, of: (row: number) => number) =>
  Array.from({ length: end - start }, (_, place) => of(start + place));

/*
 * scikit-learn 1.x on the same numbers: StandardScaler, then LogisticRegression(C=1 / (60 * 0.01), tol=1e-12), and
 * roc_auc_score, of three classes the mean of one-vs-rest.
 */
const SKLEARN = {
  logits: [-0.0861393, 1.73007483, 3.58599222, 1.11327773, 2.25362198],
  auc: 0.8621553884711779,
  macroAuc: 0.9268416768416768,
};

describe('a probe', () => {
  it('has the logits and the AUC of scikit-learn', () => {
    const train = { ...rowsFrom(0, 60), classes: classesFrom(0, 60, two) };
    const scores = fitProbe(train, 1, 0.01)(rowsFrom(60, 100).values);
    SKLEARN.logits.forEach((logit, row) => {
      expect(Math.abs(scores[row]! - logit)).toBeLessThan(2e-4);
    });
    const figure = probeFigure({ scores: [scores], classes: classesFrom(60, 100, two) })!;
    expect(figure.auc).toBeCloseTo(SKLEARN.auc, 12);
    expect(figure.low).toBeLessThan(figure.auc);
    expect(figure.high).toBeGreaterThan(figure.auc);
  });

  it('of three classes has the mean AUC of one-vs-rest', () => {
    const train = { ...rowsFrom(0, 60), classes: classesFrom(0, 60, three) };
    const probes = fitClasses(train, { count: 3, ridge: 0.01 });
    const { values } = rowsFrom(60, 100);
    const scores = probes.map((probe) => probe(values));
    expect(probeFigure({ scores, classes: classesFrom(60, 100, three) })!.auc).toBeCloseTo(
      SKLEARN.macroAuc,
      12,
    );
  });

  it('gives a feature that never varies no weight', () => {
    const values = Float32Array.from([1, 7, 2, 7, 3, 7, 4, 7]);
    const probe = fitProbe({ values, width: 2, classes: [0, 0, 1, 1] }, 1, 0.1);
    expect(probe(Float32Array.from([2, 7]))[0]).toBe(probe(Float32Array.from([2, 900]))[0]);
  });
});

describe('probeFigure', () => {
  it('counts pairs, ties half', () => {
    // pairs (positive, negative): 2>1, 2=2, 3>1, 3>2 → (1 + ½ + 1 + 1) / 4
    const scores = [Float64Array.from([1, 2, 2, 3])];
    expect(probeFigure({ scores, classes: [0, 0, 1, 1] })!.auc).toBe(3.5 / 4);
  });

  it('is null when a class has no rows', () => {
    expect(probeFigure({ scores: [Float64Array.from([1, 2])], classes: [1, 1] })).toBeNull();
  });
});

describe('probeChange', () => {
  const classes = [0, 0, 0, 1, 1, 1];
  const measured = (...scores: number[]) => ({ scores: [Float64Array.from(scores)], classes });

  it('is the difference of the AUCs with the variance of paired components', () => {
    const before = measured(1, 2, 3, 4, 5, 6); // AUC 1
    const after = measured(1, 2, 5, 4, 3, 6); // positives 4, 3, 6 against 1, 2, 5: 2/3, 2/3, 1
    const changes10 = [-1 / 3, -1 / 3, 0];
    const changes01 = [0, 0, -2 / 3]; // negatives 1 and 2 below all, 5 below one of three
    const variance = (values: number[]) => {
      const mean = values.reduce((sum, value) => sum + value, 0) / 3;
      return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 2 / 3;
    };
    const half = 1.959963984540054 * Math.sqrt(variance(changes10) + variance(changes01));
    const change = probeChange(before, after)!;
    expect(change.value).toBeCloseTo(-2 / 9, 12);
    expect(change.low).toBeCloseTo(-2 / 9 - half, 9);
    expect(change.high).toBeCloseTo(-2 / 9 + half, 9);
  });

  it('is 0 without spread for the same order, and null with one row of a class', () => {
    expect(probeChange(measured(1, 2, 3, 4, 5, 6), measured(10, 20, 30, 40, 50, 60))).toEqual({
      value: 0,
      low: 0,
      high: 0,
    });
    const lone = { scores: [Float64Array.from([1, 2, 3])], classes: [0, 0, 1] };
    expect(probeChange(lone, lone)).toBeNull();
  });
});
