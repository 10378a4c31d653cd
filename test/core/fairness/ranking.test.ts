import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { specificityAtSensitivity, tieBound } from '../../../core/fairness/ranking.ts';
import { collect, tableOf } from '../../../core/fairness/score-column.ts';
import { aucOf } from '../../../core/fairness/statistics/delong.ts';
import { seededUniform } from '../../../core/fairness/statistics/sampling.ts';

const tableFor = (positives: readonly number[], negatives: readonly number[]) =>
  tableOf(collect(Float64Array.from(positives), null), collect(Float64Array.from(negatives), null));

const scores = fc.array(
  fc.integer({ min: 0, max: 8 }).map((score) => score / 8),
  { minLength: 1, maxLength: 20 },
);

const specificityOf = (
  positives: readonly number[],
  negatives: readonly number[],
  { sensitivity = 0.9, replicates = 0 } = {},
) =>
  specificityAtSensitivity({
    table: tableFor(positives, negatives),
    sensitivity,
    positives: positives.length,
    negatives: negatives.length,
    replicates,
    uniform: seededUniform(1),
  });

describe('specificityAtSensitivity', () => {
  test('is the best specificity of any threshold that is sensitive enough', () => {
    fc.assert(
      fc.property(scores, scores, fc.constantFrom(0.5, 0.75, 0.9, 1), (positives, negatives, sensitivity) => {
        const cuts = [...positives, ...negatives];
        const best = cuts.map((cut) =>
          positives.filter((score) => score >= cut).length >= sensitivity * positives.length
            ? negatives.filter((score) => score < cut).length / negatives.length
            : 0,
        );
        expect(specificityOf(positives, negatives, { sensitivity }).value).toBeCloseTo(Math.max(...best), 12);
      }),
      { seed: 4, numRuns: 50 },
    );
  });

  test('draws lie about the cut of the population, at no higher and no lower rank', () => {
    // Positives and negatives of one distribution: below the cut that 0.9 of positives exceed are 0.1 of negatives.
    const scores = Array.from({ length: 20 }, (_, row) => row / 20);
    const { draws } = specificityOf(scores, scores, { replicates: 4000 });
    const mean = draws.reduce((sum, draw) => sum + draw, 0) / draws.length;
    expect(Math.abs(mean - 0.1)).toBeLessThan(0.02); // a rank is 0.05
  });

  test('draws spread about the value, the less the more rows there are', () => {
    const spreadOf = (rows: number) => {
      const positives = Array.from({ length: rows }, (_, row) => 0.2 + (0.8 * row) / rows);
      const negatives = Array.from({ length: rows }, (_, row) => (0.8 * row) / rows);
      const { value, draws } = specificityOf(positives, negatives, { replicates: 400 });
      expect(draws[20]!).toBeLessThan(value);
      expect(draws[380]!).toBeGreaterThan(value);
      return draws[380]! - draws[20]!;
    };
    expect(spreadOf(2000)).toBeLessThan(spreadOf(100) / 3);
  });
});

describe('tieBound', () => {
  test('holds what any order of tied pairs could change', () => {
    fc.assert(
      fc.property(scores, scores, (positives, negatives) => {
        const tied = aucOf(tableFor(positives, negatives))!.auc;
        const shift = (order: number) => positives.map((score) => score + order / 100);
        const bound = tieBound(tableFor(positives, negatives));
        expect(aucOf(tableFor(shift(1), negatives))!.auc).toBeCloseTo(tied + bound, 12);
        expect(aucOf(tableFor(shift(-1), negatives))!.auc).toBeCloseTo(tied - bound, 12);
      }),
      { seed: 5, numRuns: 50 },
    );
  });
});
