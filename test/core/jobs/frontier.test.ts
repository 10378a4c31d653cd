import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { frontierOf } from '../../../core/jobs/frontier.ts';
import type { SelectFigures } from '../../../core/jobs/run-record.ts';
import type { Judged } from '../../../worker/search/selection.ts';
import { chooseCandidate } from '../../../worker/search/selection.ts';

const ORIGINAL: SelectFigures = {
  disparity: 0.3,
  auc: 0.8,
  balancedAccuracy: 0.75,
  threshold: 0.5,
  groups: [],
};

describe('frontierOf', () => {
  const judged = (id: string, { disparity, auc, standardError = 0.05, violations = 0 }: Figures): Judged => ({
    id,
    kind: 'bmft',
    settings: {},
    select: { ...ORIGINAL, disparity, auc },
    violations: Array(violations).fill('broken'),
    standardError,
  });
  interface Figures {
    readonly disparity: number;
    readonly auc: number;
    readonly standardError?: number;
    readonly violations?: number;
  }

  test('keeps what no other beats in both figures, of those that improve without a violation', () => {
    const candidates = [
      judged('best gap', { disparity: 0.1, auc: 0.7 }),
      judged('beaten', { disparity: 0.2, auc: 0.7 }),
      judged('between', { disparity: 0.2, auc: 0.75 }),
      judged('its twin', { disparity: 0.2, auc: 0.75 }),
      judged('best AUC', { disparity: 0.25, auc: 0.9 }),
      judged('no better than the original', { disparity: 0.3, auc: 0.95 }),
      judged('broken', { disparity: 0, auc: 0.99, violations: 1 }),
    ];
    expect(frontierOf(candidates, ORIGINAL).map(({ id }) => id)).toEqual([
      'best gap',
      'between',
      'its twin',
      'best AUC',
    ]);
    expect(frontierOf([], ORIGINAL)).toEqual([]);
  });

  test('always holds the choice, among whatever else is found later', () => {
    const figures = fc.record({
      disparity: fc.integer({ min: 0, max: 12 }).map((value) => value / 40),
      auc: fc.integer({ min: 0, max: 6 }).map((value) => 0.7 + value / 50),
      standardError: fc.integer({ min: 0, max: 10 }).map((value) => value / 100),
      violations: fc.integer({ min: 0, max: 1 }),
    });
    fc.assert(
      fc.property(fc.array(figures, { maxLength: 8 }), fc.array(figures, { maxLength: 8 }), (early, late) => {
        const [first, all] = [early, [...early, ...late]].map((some) =>
          some.map((each, place) => judged(String(place), each)),
        );
        const chosen = chooseCandidate(all!, ORIGINAL);
        if (chosen === null) return;
        expect(frontierOf(all!, ORIGINAL).map(({ id }) => id)).toContain(chosen.id);
        const wasThere = first!.some(({ id }) => id === chosen.id);
        if (wasThere) expect(frontierOf(first!, ORIGINAL).map(({ id }) => id)).toContain(chosen.id);
      }),
    );
  });
});
