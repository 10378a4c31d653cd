import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { operatingPoint } from '../../../worker/search/operating-point.ts';

interface Sample {
  readonly logit: number;
  readonly label: number;
  readonly group: number;
}

const inputOf = (samples: readonly Sample[], leastTruePositiveRates: readonly number[]) => ({
  logits: Float32Array.from(samples, ({ logit }) => logit),
  labels: Int32Array.from(samples, ({ label }) => label),
  rails: [{ groups: Int32Array.from(samples, ({ group }) => group), leastTruePositiveRates }],
});

const shareAbove = (samples: readonly Sample[], cut: number) =>
  samples.filter(({ logit }) => logit >= cut).length / samples.length;

/** Balanced accuracy and whether every group with positives keeps its rate, at a cut. */
function at(samples: readonly Sample[], cut: number, least: readonly number[]) {
  const positives = samples.filter(({ label }) => label === 1);
  const negatives = samples.filter(({ label }) => label === 0);
  const keepsAll = least.every((rate, group) => {
    const own = positives.filter((sample) => sample.group === group);
    return own.length === 0 || shareAbove(own, cut) >= rate;
  });
  return { accuracy: (shareAbove(positives, cut) + 1 - shareAbove(negatives, cut)) / 2, keepsAll };
}

/** The best accuracy among all cuts between and around the logits. */
function bestByBruteForce(samples: readonly Sample[], least: readonly number[]): number {
  const sorted = [...new Set(samples.map(({ logit }) => logit))].sort((a, b) => a - b);
  const cuts = sorted.flatMap((logit, place) => [
    logit - 0.5,
    (logit + (sorted[place + 1] ?? logit + 1)) / 2,
  ]);
  const allowed = cuts.map((cut) => at(samples, cut, least)).filter(({ keepsAll }) => keepsAll);
  return Math.max(...allowed.map(({ accuracy }) => accuracy));
}

const samplesArbitrary = fc
  .array(
    fc.record({
      logit: fc.integer({ min: -8, max: 8 }).map((steps) => steps / 2), // ties are common
      label: fc.constantFrom(0, 1),
      group: fc.integer({ min: 0, max: 2 }),
    }),
    { minLength: 2, maxLength: 30 },
  )
  .filter((samples) => new Set(samples.map(({ label }) => label)).size === 2);
const leastArbitrary = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 });

describe('operatingPoint', () => {
  test('is as accurate as the best allowed cut that brute force finds', () => {
    fc.assert(
      fc.property(samplesArbitrary, leastArbitrary, (samples, least) => {
        const found = at(samples, operatingPoint(inputOf(samples, least)), least);
        expect(found.keepsAll).toBe(true);
        expect(found.accuracy).toBeCloseTo(bestByBruteForce(samples, least), 10);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  test('does not depend on the order of the samples', () => {
    fc.assert(
      fc.property(samplesArbitrary, leastArbitrary, (samples, least) => {
        expect(operatingPoint(inputOf(samples.toReversed(), least))).toBe(
          operatingPoint(inputOf(samples, least)),
        );
      }),
      { seed: 2 },
    );
  });

  const separable = [
    { logit: 3, label: 1, group: 0 },
    { logit: 1, label: 1, group: 1 },
    { logit: 0, label: 0, group: 0 },
    { logit: -5, label: 0, group: 1 },
  ];

  test('lies halfway between the neighbours that it separates', () => {
    expect(operatingPoint(inputOf(separable, [0, 0]))).toBe((1 + 0) / 2);
  });

  test('is lowered when a group would lose its true positives', () => {
    const samples = [
      ...separable,
      { logit: -0.5, label: 0, group: 0 },
      { logit: -1, label: 1, group: 1 },
      { logit: -2, label: 0, group: 0 },
    ];
    expect(operatingPoint(inputOf(samples, [0, 0.5]))).toBe((1 + 0) / 2);
    expect(operatingPoint(inputOf(samples, [0, 0.6]))).toBe((-1 + -2) / 2);
  });

  test('lies below every logit when only that keeps a minimum of 1', () => {
    const samples = [...separable, { logit: -7, label: 1, group: 1 }];
    expect(operatingPoint(inputOf(samples, [0, 1]))).toBeLessThan(-7);
  });

  test('does not ask a rate of a group without positives', () => {
    const samples = separable.map((sample) => ({ ...sample, group: sample.label === 1 ? 0 : 1 }));
    expect(operatingPoint(inputOf(samples, [0, 1]))).toBe((1 + 0) / 2);
  });

  test.each([0, 1])('refuses samples of class %i alone', (label) => {
    const samples = separable.map((sample) => ({ ...sample, label }));
    expect(() => operatingPoint(inputOf(samples, [0, 0]))).toThrow(
      expect.objectContaining({
        code: 'EMPTY_GROUP',
        message: 'threshold: expected both classes among 4 samples, received one',
      }),
    );
  });
});
