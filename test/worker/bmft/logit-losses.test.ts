import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { METRIC_NAMES } from '../../../core/jobs/schema.ts';
import { prepareLogitLosses } from '../../../worker/bmft/logit-losses.ts';
import { GROUP_REDUCTIONS } from '../../../worker/bmft/losses.ts';
import type { LossWeights, Objective } from '../../../worker/bmft/objective.ts';
import { lossTerms } from '../../../worker/bmft/objective.ts';
import { PRESETS } from '../../../worker/bmft/options.ts';
import type { BatchTruth } from '../../../worker/training/batch.ts';
import { gradientsOf } from '../../../worker/training/gradients.ts';
import { centralDifferences } from '../../helpers/made-data.ts';
import { expectClose, noise, withBackend } from '../../helpers/tensors.ts';

const SIZE = 24;
const ROBUST = PRESETS.robust;

const drawn = fc.record({
  groupCount: fc.integer({ min: 2, max: 4 }),
  cells: fc.array(fc.tuple(fc.nat(3), fc.integer({ min: 0, max: 1 })), { minLength: SIZE, maxLength: SIZE }),
  logits: fc.nat(10_000).map((seed) => Array.from(noise(SIZE, seed), (value) => 6 * value)),
  metric: fc.constantFrom(...METRIC_NAMES),
  form: fc.constantFrom('absolute' as const, 'signed' as const),
  surrogate: fc.constantFrom('score' as const, 'logit' as const),
  smoothing: fc.constantFrom(0, 1e-3),
  cellMinimum: fc.integer({ min: 1, max: 4 }),
  reduction: fc.constantFrom(...GROUP_REDUCTIONS),
  classWeights: fc.constantFrom('batch' as const, { positives: 10, negatives: 30 }),
  weights: fc.record({ taskWeight: fc.constantFrom(0, 1), disparityWeight: fc.constantFrom(0.1, 1, 4) }),
});
interface Drawn extends Omit<Objective, 'disparity'>, Omit<Objective['disparity'], 'metric'> {
  /** Group and label of each sample. */
  readonly cells: readonly (readonly [number, number])[];
  readonly logits: readonly number[];
  readonly weights: LossWeights;
}

function problemOf(drawn: Drawn): Problem {
  const { cells, groupCount, metric, classWeights, weights, logits, ...disparity } = drawn;
  const truth: BatchTruth = {
    labels: Int32Array.from(cells, ([, label]) => label),
    groups: Int32Array.from(cells, ([group]) => group % groupCount),
  };
  const objective: Objective = { groupCount, metric, classWeights, disparity };
  return { truth, about: { objective, weights }, logits: Float64Array.from(logits) };
}

/** Two groups with either label, as `robust` has them. */
function balanced(logits: readonly number[], smoothing: number): Problem {
  const cells = logits.map((_, row) => [row % 2, (row >> 1) % 2] as const);
  const weights = { taskWeight: 1, disparityWeight: 2 };
  const { metric, disparity } = ROBUST;
  const about = { groupCount: 2, metric, classWeights: 'batch' as const, ...disparity, smoothing };
  return problemOf({ ...about, cells, logits, weights });
}

interface Problem {
  readonly truth: BatchTruth;
  readonly about: { readonly objective: Objective; readonly weights: LossWeights };
  readonly logits: Float64Array;
}

const inClosedForm = ({ truth, about, logits }: Problem) => prepareLogitLosses(truth, about)(logits);

function onTape({ truth, about, logits }: Problem) {
  const variable = tf.tidy(() => tf.variable(tf.tensor1d(Float32Array.from(logits))));
  const parameter = { name: 'logits', layer: '', shape: [SIZE], variable };
  try {
    const { gradients, losses } = gradientsOf([parameter], () =>
      lossTerms(variable as tf.Tensor1D, truth, about),
    );
    const gradient = gradients.logits!.dataSync();
    tf.dispose(gradients);
    return { ...losses, gradient };
  } finally {
    variable.dispose();
  }
}

/** Not at a kink, where two gaps are equal or one is 0: the gradient close by is another one, and rounding decides. */
function hasSlope(problem: Problem): boolean {
  const moved = noise(SIZE, 1).map((value, row) => problem.logits[row]! + 1e-4 * value);
  const [here, beside] = [problem.logits, Float64Array.from(moved)].map(
    (logits) => inClosedForm({ ...problem, logits }).gradient,
  ) as [Float64Array, Float64Array];
  const largest = Math.max(...here.map(Math.abs), 1e-9);
  return here.every((slope, row) => Math.abs(slope - beside[row]!) < 0.01 * largest);
}

/** What came of it, or the code of its error. */
function outcomeOf<Result>(run: () => Result): Result | string {
  try {
    return run();
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe('losses in closed form', () => {
  withBackend('cpu');

  test('are those of the tape, with their gradients and errors', () => {
    fc.assert(
      fc.property(drawn, (values) => {
        const problem = problemOf(values);
        const [ours, taped] = [outcomeOf(() => inClosedForm(problem)), outcomeOf(() => onTape(problem))];
        if (typeof taped === 'string' || typeof ours === 'string') {
          expect(ours).toBe(taped);
          return;
        }
        for (const term of ['loss', 'taskLoss', 'disparityLoss'] as const) {
          expect(Math.abs(ours[term] - taped[term]), term).toBeLessThan(1e-4 * Math.max(1, taped[term]));
        }
        fc.pre(hasSlope(problem));
        expectClose(taped.gradient, ours.gradient, 1e-4);
      }),
      { numRuns: 150 },
    );
  });

  test('share the gradient among gaps that are equal, on the tape as well', () => {
    // Groups of six with one label: m0 = 1.5, m1 = -0.5, all = 0.5, so that both gaps are 1, each by 1/12 a member.
    const logits = Array.from({ length: SIZE }, (_, row) => [1, -1, 2, 0][row % 4]!);
    const cells = logits.map((_, row) => [row % 2, row < SIZE / 2 ? 0 : 1] as const);
    const about = { groupCount: 3, metric: 'equalOpportunity' as const, classWeights: 'batch' as const };
    const options = { ...ROBUST.disparity, reduction: 'max' as const, smoothing: 0 };
    const weights = { taskWeight: 0, disparityWeight: 1 };
    const problem = problemOf({ ...about, ...options, surrogate: 'logit', cells, logits, weights });
    const expected = cells.map(([group, label]) => (label === 0 ? 0 : group === 0 ? 1 / 12 : -1 / 12));
    const [ours, taped] = [inClosedForm(problem), onTape(problem)];
    expect(ours.disparityLoss).toBeCloseTo(1, 12);
    expect(taped.disparityLoss).toBeCloseTo(1, 6);
    expectClose(ours.gradient, expected, 1e-12);
    expectClose(taped.gradient, expected, 1e-6);
  });

  test('have the gradient that central differences give', () => {
    const logits = Array.from({ length: SIZE }, (_, row) => Math.sin(row));
    const { truth, about } = balanced(logits, 1e-3);
    const lossesOf = prepareLogitLosses(truth, about);
    const differences = centralDifferences((at) => lossesOf(Float64Array.from(at)).loss, logits);
    expectClose(lossesOf(Float64Array.from(logits)).gradient, differences, 1e-5);
  });

  test('stay finite for logits of any size', () => {
    const logits = Array.from({ length: SIZE }, (_, row) => (row % 3 === 0 ? 1e6 : -1e6));
    const { loss, gradient } = inClosedForm(balanced(logits, 1e-6));
    expect(Number.isFinite(loss)).toBe(true);
    expect(gradient.every(Number.isFinite)).toBe(true);
  });
});
