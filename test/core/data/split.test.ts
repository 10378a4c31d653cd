import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cellCounts, splitBySubject, subset } from '../../../core/data/split.ts';
import type { Samples } from '../../../core/data/types.ts';

interface Row {
  readonly label: number;
  readonly group: number;
  readonly subject: number;
}

function samplesOf(rows: readonly Row[], hasSubjects = true): Samples {
  return {
    size: rows.length,
    labels: Int32Array.from(rows, (row) => row.label),
    sensitiveFeatures: [
      { name: 'sex', groupNames: ['f', 'm', 'x'], groups: Int32Array.from(rows, (row) => row.group) },
    ],
    ...(hasSubjects ? { subjects: rows.map((row) => `p${row.subject}`) } : {}),
  };
}

/** A small linear congruential generator. */
function makeRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1664525 + 1013904223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

function split(samples: Samples, fraction: number, { seed = 1, rows = [...samples.labels.keys()] } = {}) {
  const sensitiveFeature = samples.sensitiveFeatures[0]!;
  return splitBySubject(samples, rows, { fraction, sensitiveFeature, random: makeRandom(seed) });
}

function countsOf(samples: Samples, rows: ArrayLike<number>): number[] {
  const part = subset(samples, rows);
  const feature = part.sensitiveFeatures[0]!;
  return [
    ...cellCounts(part.labels, feature.groups, { groupCount: feature.groupNames.length, labelCount: 2 }),
  ];
}

const anyRow = fc.record({
  label: fc.integer({ min: 0, max: 1 }),
  group: fc.integer({ min: 0, max: 2 }),
  subject: fc.integer({ min: 0, max: 12 }),
});
const anyRows = fc.array(anyRow, { maxLength: 60 });
const anyFraction = fc.double({ min: 0.05, max: 0.95, noNaN: true });

describe('splitBySubject', () => {
  it('puts each row on one side, and no subject on both', () => {
    fc.assert(
      fc.property(anyRows, anyFraction, fc.nat(), (rows, fraction, seed) => {
        const samples = samplesOf(rows);
        const { first, second } = split(samples, fraction, { seed });
        expect([...first, ...second].sort((a, b) => a - b)).toEqual([...rows.keys()]);
        const subjects = new Set(Array.from(first, (row) => samples.subjects![row]));
        expect(Array.from(second, (row) => samples.subjects![row]).some((id) => subjects.has(id))).toBe(
          false,
        );
      }),
    );
  });

  it('divides every cell to the nearest row when each row is a subject', () => {
    fc.assert(
      fc.property(anyRows, anyFraction, fc.nat(), (rows, fraction, seed) => {
        const samples = samplesOf(rows, false);
        const { first } = split(samples, fraction, { seed });
        const whole = countsOf(samples, [...rows.keys()]);
        countsOf(samples, first).forEach((support, cell) => {
          expect(Math.abs(support - whole[cell]! * fraction)).toBeLessThanOrEqual(0.5 + 1e-9);
        });
      }),
    );
  });

  it('gives the same split for the same numbers and another for others', () => {
    const samples = samplesOf(
      Array.from({ length: 40 }, (_, row) => ({ label: row % 2, group: 0, subject: row })),
    );
    expect(split(samples, 0.5, { seed: 7 })).toEqual(split(samples, 0.5, { seed: 7 }));
    expect(split(samples, 0.5, { seed: 7 })).not.toEqual(split(samples, 0.5, { seed: 8 }));
  });

  it('keeps proportions with subjects of several rows', () => {
    // 30 subjects of 1 to 3 rows, alternating cells
    const rows = Array.from({ length: 30 }, (_, subject) =>
      Array.from({ length: 1 + (subject % 3) }, () => ({
        label: subject % 2,
        group: Number(subject > 14),
        subject,
      })),
    ).flat();
    const samples = samplesOf(rows);
    const whole = countsOf(samples, [...rows.keys()]);
    countsOf(samples, split(samples, 0.4).first).forEach((support, cell) => {
      expect(Math.abs(support - whole[cell]! * 0.4)).toBeLessThanOrEqual(1.5);
    });
  });

  it('splits only the rows asked for and returns them in ascending order', () => {
    const samples = samplesOf(
      Array.from({ length: 20 }, (_, row) => ({ label: row % 2, group: 0, subject: row })),
    );
    const { first, second } = split(samples, 0.5, { rows: [9, 3, 5, 1] });
    expect([...first].sort((a, b) => a - b)).toEqual([...first]);
    expect([...first, ...second].sort((a, b) => a - b)).toEqual([1, 3, 5, 9]);
    expect(first).toHaveLength(2);
  });

  it('leaves a side empty when there is one subject', () => {
    const samples = samplesOf([
      { label: 0, group: 0, subject: 1 },
      { label: 1, group: 1, subject: 1 },
    ]);
    expect(split(samples, 0.2)).toEqual({ first: new Int32Array(0), second: Int32Array.of(0, 1) });
  });

  it('is fast and deep enough for one subject of many rows', () => {
    const rows = Array.from({ length: 150_000 }, () => ({ label: 1, group: 0, subject: 1 }));
    const { first, second } = split(samplesOf(rows), 0.9);
    expect([first.length, second.length]).toEqual([150_000, 0]);
  });

  it.each([0, 1, -0.1, 1.5, Number.NaN])('refuses the fraction %d', (fraction) => {
    expect(() => split(samplesOf([]), fraction)).toThrow(
      expect.objectContaining({
        name: 'InvalidInputError',
        message: `split: expected a fraction between 0 and 1, received ${fraction}`,
      }),
    );
  });
});

describe('subset', () => {
  it('takes the rows in the order asked for and keeps empty groups', () => {
    const samples: Samples = {
      size: 3,
      labels: Int32Array.of(0, 1, 1),
      sensitiveFeatures: [{ name: 'sex', groupNames: ['f', 'm'], groups: Int32Array.of(0, 1, 1) }],
      subjects: ['p', 'q', 'r'],
      splits: ['train', 'test', 'val'],
    };
    expect(subset(samples, [2, 1])).toEqual({
      size: 2,
      labels: Int32Array.of(1, 1),
      sensitiveFeatures: [{ name: 'sex', groupNames: ['f', 'm'], groups: Int32Array.of(1, 1) }],
      subjects: ['r', 'q'],
      splits: ['val', 'test'],
    });
  });

  it('adds no column that was not there', () => {
    const samples: Samples = { size: 1, labels: Int32Array.of(0), sensitiveFeatures: [] };
    expect(Object.keys(subset(samples, [0]))).toEqual(['size', 'labels', 'sensitiveFeatures']);
  });
});

describe('cellCounts', () => {
  it('counts by group, then label', () => {
    const labels = Int32Array.of(0, 1, 1, 0, 1);
    const groups = Int32Array.of(0, 0, 0, 2, 2);
    expect(cellCounts(labels, groups, { groupCount: 3, labelCount: 2 })).toEqual(
      Int32Array.of(1, 2, 0, 0, 1, 1),
    );
    expect(cellCounts(labels, groups, { groupCount: 3, labelCount: 3 })).toEqual(
      Int32Array.of(1, 2, 0, 0, 0, 0, 1, 1, 0),
    );
  });
});
