import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Evaluation } from '../../../../core/fairness/statistics/lbfgs.ts';
import { minimize } from '../../../../core/fairness/statistics/lbfgs.ts';

const OPTIONS = { iterations: 200, tolerance: 1e-9 };

/** Σ_i c_i (x_i - m_i)² */
const quadratic =
  (curvatures: readonly number[], minimum: readonly number[]) =>
  (x: Float64Array): Evaluation => ({
    value: curvatures.reduce((sum, c, place) => sum + c * (x[place]! - minimum[place]!) ** 2, 0),
    gradient: Float64Array.from(curvatures, (c, place) => 2 * c * (x[place]! - minimum[place]!)),
  });

/** (1 - x)² + 100 (y - x²)², smallest at (1, 1) */
const rosenbrock = (point: Float64Array): Evaluation => {
  const [x, y] = point as unknown as [number, number];
  return {
    value: (1 - x) ** 2 + 100 * (y - x * x) ** 2,
    gradient: Float64Array.of(-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)),
  };
};

/** Steps taken, the start included. */
function traced(evaluate: (x: Float64Array) => Evaluation, start: Float64Array, options = OPTIONS) {
  const values: number[] = [];
  const steps: number[] = [];
  const point = minimize(evaluate, start, {
    ...options,
    onStep: (step, { value }) => {
      steps.push(step);
      values.push(value);
    },
  });
  return { point: Array.from(point), values, steps };
}

describe('minimize', () => {
  test('finds the minimum of any convex quadratic', () => {
    const term = fc.record({
      curvature: fc.double({ min: 0.1, max: 100, noNaN: true }),
      minimum: fc.double({ min: -10, max: 10, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(term, { minLength: 1, maxLength: 12 }), (terms) => {
        const minimum = terms.map((entry) => entry.minimum);
        const f = quadratic(
          terms.map(({ curvature }) => curvature),
          minimum,
        );
        const { point } = traced(f, new Float64Array(terms.length));
        point.forEach((entry, place) => {
          expect(entry).toBeCloseTo(minimum[place]!, 6);
        });
      }),
      { seed: 1, numRuns: 50 },
    );
  });

  test("finds the end of Rosenbrock's valley in fewer than 60 steps", () => {
    const { point, steps } = traced(rosenbrock, Float64Array.of(-1.2, 1));
    expect(point[0]).toBeCloseTo(1, 7);
    expect(point[1]).toBeCloseTo(1, 7);
    expect(steps.length).toBeLessThan(60);
  });

  test('lowers the value with every step and counts from 0', () => {
    const { values, steps } = traced(rosenbrock, Float64Array.of(-1.2, 1));
    expect(steps).toEqual(steps.map((_, place) => place));
    expect(values.every((value, place) => place === 0 || value < values[place - 1]!)).toBe(true);
  });

  test('takes no more steps than it may', () => {
    expect(traced(rosenbrock, Float64Array.of(-1.2, 1), { ...OPTIONS, iterations: 3 }).steps).toEqual([
      0, 1, 2, 3,
    ]);
  });

  test('stays where it is when the gradient is already below the tolerance', () => {
    const start = Float64Array.of(5);
    const { point, steps } = traced(quadratic([1], [5 + 1e-4]), start, { iterations: 10, tolerance: 1e-3 });
    expect(point).toEqual([5]);
    expect(steps).toEqual([0]);
  });

  test('stops where no step along the direction lowers the value', () => {
    // the gradient points the wrong way, so every step goes uphill
    const misled = (x: Float64Array): Evaluation => ({
      value: x[0]! ** 2,
      gradient: Float64Array.of(-2 * x[0]!),
    });
    const { point, steps } = traced(misled, Float64Array.of(1));
    expect(point).toEqual([1]);
    expect(steps).toEqual([0]);
  });

  test('stops where the slope is too small to be told from 0', () => {
    const flat = (): Evaluation => ({ value: 1, gradient: Float64Array.of(1e-200) });
    expect(traced(flat, Float64Array.of(1), { iterations: 5, tolerance: 0 }).steps).toEqual([0]);
  });

  test('stops at the value it can no longer tell apart', () => {
    const rounded = (x: Float64Array): Evaluation => ({
      value: Math.fround((x[0]! - 3) ** 2),
      gradient: Float64Array.of(Math.fround(2 * (x[0]! - 3)) || 1e-6), // never quite 0
    });
    const { point, steps } = traced(rounded, Float64Array.of(0));
    expect(point[0]).toBeCloseTo(3, 3);
    expect(steps.length).toBeLessThan(OPTIONS.iterations);
  });

  test('finds a minimum across negative curvature', () => {
    // x⁴ - 2x² is concave between its minima at -1 and 1
    const twoWells = ([x]: Float64Array): Evaluation => ({
      value: x! ** 4 - 2 * x! ** 2,
      gradient: Float64Array.of(4 * x! ** 3 - 4 * x!),
    });
    expect(Math.abs(traced(twoWells, Float64Array.of(0.01)).point[0]!)).toBeCloseTo(1, 6);
  });

  test('does not write into its start', () => {
    const start = Float64Array.of(-1.2, 1);
    minimize(rosenbrock, start, OPTIONS);
    expect(Array.from(start)).toEqual([-1.2, 1]);
  });
});
