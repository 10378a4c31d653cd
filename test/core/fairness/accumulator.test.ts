import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  type AuditChunk,
  addChunk,
  mergeAccumulators,
  startAccumulator,
} from '../../../core/fairness/accumulator.ts';
import { finishAudit } from '../../../core/fairness/audit.ts';
import type { AuditReport } from '../../../core/fairness/types.ts';
import { startBackend } from '../../../worker/backend.ts';

beforeAll(async () => {
  await startBackend('cpu');
});

interface Row {
  readonly label: number;
  readonly sex: number;
  readonly race: number;
  readonly score: number;
  readonly weight: number;
  readonly subject: number;
}

const rowArbitrary = fc.record({
  label: fc.nat(1),
  sex: fc.nat(1),
  race: fc.nat(2),
  score: fc.nat(20).map((score) => score / 20),
  weight: fc.integer({ min: 1, max: 3 }),
  subject: fc.nat(6),
});
const rowsArbitrary = fc.array(rowArbitrary, { minLength: 8, maxLength: 40 });

interface Parts {
  readonly isWeighted?: boolean;
  readonly hasSubjects?: boolean;
  readonly hasStrata?: boolean;
}

const column = (rows: readonly Row[], name: keyof Row) => Int32Array.from(rows, (row) => row[name]);

function chunkOf(
  rows: readonly Row[],
  { isWeighted = false, hasSubjects = false, hasStrata = false }: Parts = {},
): AuditChunk {
  return {
    labels: column(rows, 'label'),
    groups: [column(rows, 'sex'), column(rows, 'race')],
    scores: Float64Array.from(rows, ({ score }) => score),
    predictions: null,
    weights: isWeighted ? Float64Array.from(rows, ({ weight }) => weight) : null,
    subjects: hasSubjects ? column(rows, 'subject') : null,
    strata: hasStrata ? column(rows, 'subject') : null,
  };
}

const FEATURES = [[0], [1], [0, 1]];
const VOCABULARIES = {
  attributes: [
    { name: 'sex', groupNames: ['f', 'm'] },
    { name: 'race', groupNames: ['a', 'b', 'c'] },
  ],
  strata: ['s6', 's5', 's4', 's3', 's2', 's1', 's0'],
};

function countOf(chunks: readonly AuditChunk[], exactRows = 1000, features = FEATURES) {
  const accumulator = startAccumulator({ threshold: 0.5, features, exactRows });
  for (const chunk of chunks) addChunk(accumulator, chunk);
  return accumulator;
}

const reportOf = (accumulator: ReturnType<typeof countOf>) =>
  finishAudit(accumulator, VOCABULARIES, { replicates: 0 });

/** Every number of a report, rounded to the digits that do not depend on the order of sums. */
function numbersIn(report: AuditReport): AuditReport {
  return JSON.parse(
    JSON.stringify(report, (_, value) => (typeof value === 'number' ? Number(value.toPrecision(8)) : value)),
  );
}

/** Values alone: intervals of weighted rows are wider than those of as many rows. */
const valuesOf = ({ overall, features }: AuditReport) =>
  [overall, ...features.flatMap(({ groups }) => groups)].flatMap(({ rates, auc, brier, calibration }) => [
    ...Object.values(rates).map(({ value }) => value),
    auc.value,
    brier.value,
    calibration!.error.value,
  ]);

describe('an accumulator', () => {
  test.each([
    {},
    { isWeighted: true },
    { hasSubjects: true },
    { isWeighted: true, hasSubjects: true, hasStrata: true },
  ])(
    'gives the same for rows at once, in chunks, in another order, and for the union of two (%o)',
    (parts) => {
      fc.assert(
        fc.property(rowsArbitrary, fc.nat(7), (rows, cut) => {
          const whole = numbersIn(reportOf(countOf([chunkOf(rows, parts)])));
          const [first, second] = [chunkOf(rows.slice(0, cut), parts), chunkOf(rows.slice(cut), parts)];
          expect(numbersIn(reportOf(countOf([first, second])))).toEqual(whole);
          const merged = countOf([second]);
          mergeAccumulators(merged, countOf([first]));
          expect(numbersIn(reportOf(merged))).toEqual(whole);
          if (parts.hasSubjects) return; // draws of subjects go by the order in which these are seen
          expect(numbersIn(reportOf(countOf([chunkOf(rows.toReversed(), parts)])))).toEqual(whole);
        }),
        { seed: 9, numRuns: 2 },
      );
    },
  );

  test('counts a weight of k as k equal rows', () => {
    fc.assert(
      fc.property(rowsArbitrary, (rows) => {
        const repeated = rows.flatMap((row) => new Array<Row>(row.weight).fill(row));
        const weighted = valuesOf(reportOf(countOf([chunkOf(rows, { isWeighted: true })])));
        const twice = valuesOf(reportOf(countOf([chunkOf(repeated)])));
        weighted.forEach((value, place) => {
          if (value === null) expect(twice[place]).toBeNull();
          else expect(value).toBeCloseTo(twice[place]!, 10);
        });
      }),
      { seed: 10, numRuns: 5 },
    );
  });

  test('beyond the exact rows counts scores in bins: thresholds exact, ranks within the bound', () => {
    fc.assert(
      fc.property(rowsArbitrary, fc.boolean(), (rows, isWeighted) => {
        const chunks = [chunkOf(rows.slice(0, 5), { isWeighted }), chunkOf(rows.slice(5), { isWeighted })];
        const features = [[0, 1]]; // few: each group has bins of its own
        const exact = reportOf(countOf(chunks, 1000, features));
        const binned = reportOf(countOf(chunks, 6, features));
        expect([exact.ranks, binned.ranks]).toEqual(['exact', 'histogram']);
        expect(binned.overall.counts).toEqual(exact.overall.counts);
        expect(binned.features[0]!.groups.map(({ rates }) => rates)).toEqual(
          exact.features[0]!.groups.map(({ rates }) => rates),
        );
        const { auc, brier } = binned.overall;
        if (auc.value === null) return;
        expect(Math.abs(auc.value - exact.overall.auc.value!)).toBeLessThanOrEqual(auc.errorBound! + 1e-12);
        expect(Math.abs(brier.value! - exact.overall.brier.value!)).toBeLessThanOrEqual(brier.errorBound!);
        const sweptAt = binned.thresholds.indexOf(0.5);
        expect(binned.overall.sweep!.truePositives[sweptAt]).toBe(exact.overall.counts.truePositives);
        const merged = countOf([chunks[1]!], 1000, features);
        mergeAccumulators(merged, countOf([chunks[0]!], 0, features));
        expect(numbersIn(reportOf(merged)).overall).toEqual(numbersIn(binned).overall);
      }),
      { seed: 11, numRuns: 3 },
    );
  });

  test('keeps histograms of 256 groups, those of the features with fewest', () => {
    const many = Int32Array.from({ length: 300 }, (_, row) => row);
    const zeros = new Int32Array(300);
    const vocabularies = {
      attributes: [
        { name: 'site', groupNames: Array.from(many, String) },
        { name: 'one', groupNames: ['x'] },
      ],
    };
    const accumulator = startAccumulator({ threshold: 0.5, features: [[0], [1]], exactRows: 1 });
    addChunk(accumulator, {
      ...chunkOf([]),
      labels: many.map((row) => row % 2),
      groups: [many, zeros],
      scores: Float64Array.from(many, (row) => row / 300),
    });
    const { features, overall } = finishAudit(accumulator, vocabularies, { replicates: 0 });
    expect(features[0]!.groups[0]!.auc.reason).toBe('too many groups to count their scores in bins');
    expect(features[0]!.disparities.aucDifference.reason).toBe(
      'too many groups to count their scores in bins',
    );
    expect(features[1]!.groups[0]!.auc.value).toBeCloseTo(overall.auc.value!, 12);
    const other = startAccumulator({ threshold: 0.5, features: [[0], [1]], exactRows: 1 });
    const three = { ...chunkOf([]), labels: Int32Array.of(0, 1, 1), scores: Float64Array.of(0.1, 0.4, 0.9) };
    addChunk(other, { ...three, groups: [new Int32Array(3), new Int32Array(3)] });
    addChunk(accumulator, { ...three, groups: [new Int32Array(3), new Int32Array(3)] });
    mergeAccumulators(other, accumulator);
    const merged = finishAudit(other, vocabularies, { replicates: 0 });
    expect(merged.overall.support).toBe(306);
    expect(merged.features[0]!.groups[0]!.auc.value).toBeNull();
    expect(merged.features[1]!.groups[0]!.auc.value).not.toBeNull();
  });

  test('refuses what does not fit', () => {
    const rows: Row[] = [{ label: 1, sex: 0, race: 0, score: 0.5, weight: 1, subject: 0 }];
    const chunk = chunkOf(rows);
    const adding = (change: Partial<AuditChunk>, exactRows = 10) => {
      const accumulator = countOf([chunk], exactRows);
      return () => addChunk(accumulator, { ...chunk, ...change });
    };
    expect(adding({ scores: Float64Array.of(Number.NaN) })).toThrow('score 2: expected a finite number');
    expect(adding({ scores: Float64Array.of(1.5) }, 1)).toThrow('beyond a million rows');
    expect(adding({ scores: null })).toThrow('scores: expected in every chunk or in none');
    expect(adding({ groups: [Int32Array.of(0), Int32Array.of(0, 1)] })).toThrow(
      'groups of attribute 2: expected 1 entries, one per label, received 2',
    );
    const weighted = startAccumulator({ threshold: 0.5, features: [] });
    const weigh = (weight: number) => () =>
      addChunk(weighted, { ...chunk, weights: Float64Array.of(weight) });
    expect(weigh(-1)).toThrow('weight 1: expected a finite number >= 0, received -1');
    expect(weigh(Number.POSITIVE_INFINITY)).toThrow('received Infinity');
    expect(adding({ groups: [Int32Array.of(2 ** 20), Int32Array.of(0)] })).toThrow(
      'groups: expected at most 1048576, received 1048577',
    );
    const none = startAccumulator({ threshold: null, features: [] });
    expect(() => addChunk(none, chunk)).toThrow('expected predictions, or scores and a threshold');
  });
});
