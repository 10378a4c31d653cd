import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { METRIC_NAMES } from '../../../core/jobs/schema.ts';
import type { DisparityLossOptions } from '../../../worker/bmft/losses.ts';
import { GROUP_REDUCTIONS } from '../../../worker/bmft/losses.ts';
import { disparityLoss } from '../../helpers/losses.ts';
import { centralDifferences, valueAndGradient } from '../../helpers/made-data.ts';
import { expectClose, expectNoLeak, withBackend } from '../../helpers/tensors.ts';

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const sigmoid = (logit: number) => 1 / (1 + Math.exp(-logit));

interface Member {
  readonly logit: number;
  readonly label: number;
  readonly group: number;
}

const ABSOLUTE: DisparityLossOptions = {
  metric: 'equalizedOdds',
  form: 'absolute',
  surrogate: 'logit',
  smoothing: 0,
  cellMinimum: 1,
  reduction: 'mean',
};

const truthOf = (members: readonly Member[], groupCount = 2) => ({
  labels: Int32Array.from(members, ({ label }) => label),
  groups: Int32Array.from(members, ({ group }) => group),
  groupCount,
});
const disparityOf = (members: readonly Member[], options: Partial<DisparityLossOptions>, groupCount = 2) =>
  valueAndGradient(
    (z) => disparityLoss(z, truthOf(members, groupCount), { ...ABSOLUTE, ...options }),
    members.map(({ logit }) => logit),
  );

/** Members whose cell means are the rates given, two to a cell. */
function membersWith(rates: readonly { readonly tpr: number; readonly fpr: number }[]): Member[] {
  return rates.flatMap(({ tpr, fpr }, group) => [
    { logit: tpr - 0.05, label: 1, group },
    { logit: tpr + 0.05, label: 1, group },
    { logit: fpr - 0.05, label: 0, group },
    { logit: fpr + 0.05, label: 0, group },
  ]);
}

const OPPOSITE = membersWith([
  { tpr: 0.9, fpr: 0.1 },
  { tpr: 0.7, fpr: 0.3 },
]);

/** The definition once more in float64, cell by cell. */
function definition(members: readonly Member[], options: DisparityLossOptions, groupCount: number): number {
  const { metric, surrogate, form, smoothing, cellMinimum, reduction } = options;
  const labels = { demographicParity: [-1], equalOpportunity: [1], equalizedOdds: [0, 1] }[metric];
  const absolute = (gap: number) => (smoothing === 0 ? Math.abs(gap) : Math.sqrt(gap * gap + smoothing));
  const valuesIn = (group: number, label: number) =>
    members
      .filter((member) => group < 0 || member.group === group)
      .filter((member) => label < 0 || member.label === label)
      .map(({ logit }) => (surrogate === 'score' ? sigmoid(logit) : logit));
  const cellMean = (group: number, label: number) => {
    const values = valuesIn(group, label);
    return values.length === 0 ? 0 : mean(values);
  };
  if (form === 'signed') {
    return absolute(mean(labels.map((label) => cellMean(0, label) - cellMean(1, label))));
  }
  const reduce = {
    max: (gaps: readonly number[]) => Math.max(...gaps),
    mean,
    logSumExp: (gaps: readonly number[]) => Math.log(gaps.reduce((sum, gap) => sum + Math.exp(gap), 0)),
  }[reduction];
  const terms = labels.flatMap((label) => {
    const groups = Array.from({ length: groupCount }, (_, group) => group).filter(
      (group) => valuesIn(group, label).length >= cellMinimum,
    );
    if (groups.length < 2) return [];
    if (groupCount === 2) return [absolute(cellMean(0, label) - cellMean(1, label))];
    return [reduce(groups.map((group) => absolute(cellMean(group, label) - cellMean(-1, label))))];
  });
  return mean(terms);
}

const optionsArbitrary = (form: 'absolute' | 'signed') =>
  fc.record({
    metric: fc.constantFrom(...METRIC_NAMES),
    form: fc.constant(form),
    surrogate: fc.constantFrom('score' as const, 'logit' as const),
    smoothing: fc.constantFrom(1e-6, 1e-2),
    cellMinimum: fc.integer({ min: 1, max: 3 }),
    reduction: fc.constantFrom(...GROUP_REDUCTIONS),
  });
const membersArbitrary = (groupCount: number, minLength: number) =>
  fc.array(
    fc.record({
      logit: fc.integer({ min: -96, max: 96 }).map((steps) => steps / 32), // exact in float32
      label: fc.constantFrom(0, 1),
      group: fc.integer({ min: 0, max: groupCount - 1 }),
    }),
    { minLength, maxLength: 30 },
  );

describe('disparityLoss', () => {
  withBackend('wasm');

  test('opposite gaps cancel in the signed form: TPR .9/.7 with FPR .1/.3 scores 0', () => {
    expect(disparityOf(OPPOSITE, { form: 'signed' }).value).toBeCloseTo(0, 6);
  });

  test('opposite gaps add up in the absolute form: TPR .9/.7 with FPR .1/.3 scores .2', () => {
    expect(disparityOf(OPPOSITE, {}).value).toBeCloseTo((0.2 + 0.2) / 2, 6);
  });

  test('equal opportunity looks at positives only', () => {
    expect(disparityOf(OPPOSITE, { metric: 'equalOpportunity' }).value).toBeCloseTo(0.9 - 0.7, 6);
  });

  test('demographic parity does not look at labels', () => {
    const members = membersWith([
      { tpr: 0.9, fpr: 0.5 },
      { tpr: 0.4, fpr: 0.2 },
    ]);
    expect(disparityOf(members, { metric: 'demographicParity' }).value).toBeCloseTo(
      (0.9 + 0.5) / 2 - (0.4 + 0.2) / 2,
      6,
    );
  });

  test.each([2, 3])(
    'is the definition, and its gradient that of central differences, for %i groups',
    (groupCount) => {
      fc.assert(
        fc.property(membersArbitrary(groupCount, 8), optionsArbitrary('absolute'), (members, options) => {
          const at = members.map(({ logit }) => logit);
          const moved = (logits: readonly number[]) =>
            definition(
              members.map((member, row) => ({ ...member, logit: logits[row]! })),
              options,
              groupCount,
            );
          fc.pre(!Number.isNaN(moved(at)));
          const { value, gradient } = disparityOf(members, options, groupCount);
          expectClose([value], [moved(at)], 1e-3);
          fc.pre(options.reduction !== 'max'); // its gradient jumps where two gaps are equal
          const slopes = centralDifferences(moved, at);
          gradient.forEach((slope, row) => {
            expect(Math.abs(slope - slopes[row]!)).toBeLessThan(5e-4);
          });
        }),
        { seed: 3, numRuns: 60 },
      );
    },
  );

  test('the signed form is its definition, empty cells included', () => {
    fc.assert(
      fc.property(membersArbitrary(2, 1), optionsArbitrary('signed'), (members, options) => {
        expectClose([disparityOf(members, options).value], [definition(members, options, 2)], 1e-3);
      }),
      { seed: 4, numRuns: 60 },
    );
  });

  test('does not change when the two groups swap names', () => {
    fc.assert(
      fc.property(membersArbitrary(2, 6), optionsArbitrary('signed'), (members, options) => {
        const swapped = members.map((member) => ({ ...member, group: 1 - member.group }));
        expectClose([disparityOf(swapped, options).value], [disparityOf(members, options).value], 1e-3);
      }),
      { seed: 5, numRuns: 30 },
    );
  });

  test.each([
    ['max', Math.max(0.3, 0, 0.3)],
    ['mean', (0.3 + 0 + 0.3) / 3],
    ['logSumExp', Math.log(Math.exp(0.3) + Math.exp(0) + Math.exp(0.3))],
  ] as const)('three groups are each compared with all by %s', (reduction, expectation) => {
    const members = membersWith([
      { tpr: 0.8, fpr: 0.8 },
      { tpr: 0.5, fpr: 0.5 },
      { tpr: 0.2, fpr: 0.2 },
    ]);
    expect(disparityOf(members, { reduction }, 3).value).toBeCloseTo(expectation, 5);
  });

  test('a term whose cell is below the minimum is dropped, not filled with 0', () => {
    const members = OPPOSITE.filter(({ label, group }) => !(label === 1 && group === 1));
    const one = { logit: 0.1, label: 1, group: 1 };
    expect(disparityOf([...members, one], { cellMinimum: 2 }).value).toBeCloseTo(0.3 - 0.1, 6);
    expect(disparityOf([...members, one], { cellMinimum: 1 }).value).toBeCloseTo(
      (0.3 - 0.1 + 0.9 - 0.1) / 2,
      6,
    );
  });

  test('a group below the minimum is left out of the comparison and stays in the mean of all', () => {
    const members: Member[] = [
      { logit: 1, label: 1, group: 0 },
      { logit: 1, label: 1, group: 0 },
      { logit: 4, label: 1, group: 1 },
      { logit: 4, label: 1, group: 1 },
      { logit: 10, label: 1, group: 2 },
    ];
    const all = (1 + 1 + 4 + 4 + 10) / 5;
    expect(disparityOf(members, { metric: 'equalOpportunity', cellMinimum: 2 }, 3).value).toBeCloseTo(
      (Math.abs(1 - all) + Math.abs(4 - all)) / 2,
      5,
    );
  });

  test('an empty cell counts as 0 in the signed form', () => {
    const members = OPPOSITE.filter(({ label, group }) => !(label === 1 && group === 1));
    expect(disparityOf(members, { form: 'signed' }).value).toBeCloseTo((0.9 - 0 + (0.1 - 0.3)) / 2, 6);
  });

  test('nothing left to compare is an EmptyGroupError, not 0', () => {
    const members = OPPOSITE.filter(({ group }) => group === 0);
    expect(() => disparityOf(members, { cellMinimum: 2 })).toThrow(
      expect.objectContaining({
        code: 'EMPTY_GROUP',
        message: 'disparity loss (equalizedOdds): no two groups with 2 members of one label in a batch of 4',
      }),
    );
  });

  test('the signed form refuses three groups', () => {
    expect(() => disparityOf(OPPOSITE, { form: 'signed' }, 3)).toThrow(
      expect.objectContaining({ code: 'INVALID_INPUT', details: { expected: 2, received: 3 } }),
    );
  });

  test('equal means give exactly 0 and no gradient without smoothing', () => {
    const members = [3, 7].flatMap((size, group) =>
      Array.from({ length: size * 2 }, (_, row) => ({ logit: 0, label: row % 2, group })),
    );
    for (const form of ['signed', 'absolute'] as const) {
      const { value, gradient } = disparityOf(members, { form, surrogate: 'score' });
      expect(value).toBe(0);
      expect(gradient.map(Math.abs)).toEqual(members.map(() => 0));
    }
  });

  test('smoothing turns |x| into sqrt(x² + smoothing)', () => {
    const gap = (x: number) => [
      { logit: x, label: 1, group: 0 },
      { logit: 0, label: 1, group: 1 },
    ];
    const smooth = { metric: 'equalOpportunity', smoothing: 1e-4 } as const;
    expect(disparityOf(gap(0), smooth).value).toBeCloseTo(Math.sqrt(1e-4), 8);
    expect(disparityOf(gap(0.03), smooth).value).toBeCloseTo(Math.sqrt(0.03 ** 2 + 1e-4), 7);
    expect(disparityOf(gap(0.03), smooth).gradient[0]).toBeCloseTo(0.03 / Math.sqrt(0.03 ** 2 + 1e-4), 5);
  });

  test('keeps no tensor but its result', async () => {
    const logits = tf.tensor1d(OPPOSITE.map(({ logit }) => logit));
    for (const form of ['signed', 'absolute'] as const) {
      await expectNoLeak(() => disparityLoss(logits, truthOf(OPPOSITE), { ...ABSOLUTE, form }).dispose());
    }
    logits.dispose();
  });
});
