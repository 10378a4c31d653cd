import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { EmptyGroupError } from '../../../core/errors.ts';
import { METRIC_NAMES } from '../../../core/jobs/schema.ts';
import { prepareLogitLosses } from '../../../worker/bmft/logit-losses.ts';
import type { Objective } from '../../../worker/bmft/objective.ts';
import { lossTerms } from '../../../worker/bmft/objective.ts';
import { PRESETS } from '../../../worker/bmft/options.ts';
import type { BatchTruth } from '../../../worker/training/batch.ts';
import { centralDifferences, valueAndGradient } from '../../helpers/made-data.ts';
import { noise, withBackend } from '../../helpers/tensors.ts';

/* Sites a, b, c and sexes f, m: six combinations, each with three positives and three negatives. */
const PER_CELL = 3;
const COMBINATIONS = 6;
const groupings = [
  { name: 'site', groupNames: ['a', 'b', 'c'], groupOf: Int32Array.of(0, 0, 1, 1, 2, 2) },
  { name: 'sex', groupNames: ['f', 'm'], groupOf: Int32Array.of(0, 1, 0, 1, 0, 1) },
  {
    name: 'site × sex',
    groupNames: ['a × f', 'a × m', 'b × f', 'b × m', 'c × f', 'c × m'],
    groupOf: Int32Array.of(0, 1, 2, 3, 4, 5),
  },
];
const objective: Objective = {
  groupCount: COMBINATIONS,
  groupings,
  metric: 'equalizedOdds',
  disparity: PRESETS.robust.disparity,
  classWeights: 'batch',
};
const weights = { taskWeight: 1, disparityWeight: 2 };

/** All cells but those whose bit is set: bit 2 · combination + label. */
function truthWithout(missing: number): BatchTruth {
  const cells = Array.from({ length: COMBINATIONS * 2 }, (_, cell) => cell).filter(
    (cell) => !((missing >> cell) & 1),
  );
  const rows = cells.flatMap((cell) => Array.from({ length: PER_CELL }, () => cell));
  return {
    labels: Int32Array.from(rows, (cell) => cell % 2),
    groups: Int32Array.from(rows, (cell) => cell >> 1),
  };
}

/** By the definition: mean over groupings of the mean over labels of the mean over groups of √(gap² + smoothing). */
function definition({ labels, groups }: BatchTruth, logits: readonly number[]): number {
  const scores = logits.map((logit) => 1 / (1 + Math.exp(-logit)));
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const byGrouping = groupings.map(({ groupNames, groupOf }) => {
    const byLabel = [0, 1].flatMap((label) => {
      const cells = groupNames.map((_, group) =>
        scores.filter((_, row) => labels[row] === label && groupOf[groups[row]!] === group),
      );
      const present = cells.filter((cell) => cell.length >= 2);
      if (present.length < 2) return [];
      const gaps =
        groupNames.length === 2
          ? [mean(present[0]!) - mean(present[1]!)]
          : present.map((cell) => mean(cell) - mean(scores.filter((_, row) => labels[row] === label)));
      return [mean(gaps.map((gap) => Math.sqrt(gap ** 2 + 1e-6)))];
    });
    return mean(byLabel);
  });
  return mean(byGrouping);
}

const about = { objective, weights };
const logitsFor = ({ labels }: BatchTruth) => Array.from(noise(labels.length, 11), (value) => 3 * value);

describe('the disparity loss of several groupings', () => {
  withBackend('cpu');

  test.each(METRIC_NAMES)(
    'has the gradient of central differences on the tape and in closed form (%s)',
    (metric) => {
      const truth = truthWithout(0);
      const logits = logitsFor(truth);
      const own = { objective: { ...objective, metric }, weights };
      const lossAt = (at: readonly number[]) => prepareLogitLosses(truth, own)(Float64Array.from(at)).loss;
      const differences = centralDifferences(lossAt, logits);
      const closed = prepareLogitLosses(truth, own)(Float64Array.from(logits));
      const tape = valueAndGradient((at) => lossTerms(at, truth, own).loss, logits);
      expect(tape.value).toBeCloseTo(closed.loss, 5);
      for (const [row, slope] of differences.entries()) {
        expect(closed.gradient[row]).toBeCloseTo(slope, 7);
        expect(tape.gradient[row]).toBeCloseTo(slope, 4);
      }
    },
  );

  test('is the definition, on the tape and in closed form', () => {
    const truth = truthWithout(0);
    const logits = logitsFor(truth);
    const { disparityLoss } = prepareLogitLosses(truth, about)(Float64Array.from(logits));
    expect(disparityLoss).toBeCloseTo(definition(truth, logits), 12);
    const onTape = tf.tidy(() => lossTerms(tf.tensor1d(logits), truth, about).disparityLoss.dataSync()[0]!);
    expect(onTape).toBeCloseTo(definition(truth, logits), 5);
  });

  test('is the definition and finite for every subset of missing cells, or an error that names the grouping', () => {
    let compared = 0;
    let refused = 0;
    for (let missing = 0; missing < 2 ** (COMBINATIONS * 2); missing += 1) {
      const truth = truthWithout(missing);
      const logits = logitsFor(truth);
      const expected = truth.labels.length === 0 ? Number.NaN : definition(truth, logits);
      if (Number.isNaN(expected)) {
        expect(() => prepareLogitLosses(truth, about)).toThrow(EmptyGroupError);
        expect(() => prepareLogitLosses(truth, about)).toThrow(/by (site|sex|site × sex): no two groups/);
        refused += 1;
        continue;
      }
      const { disparityLoss, gradient } = prepareLogitLosses(truth, about)(Float64Array.from(logits));
      expect(Math.abs(disparityLoss - expected)).toBeLessThan(1e-12);
      expect(gradient.every(Number.isFinite)).toBe(true);
      compared += 1;
    }
    expect(compared + refused).toBe(2 ** 12);
    expect(Math.min(compared, refused)).toBeGreaterThan(100);
  });

  test('is finite on the tape, with its gradients, where cells are missing', () => {
    for (const missing of [0b1, 0b11, 0b110000, 0b101010101000, 0b111100000011]) {
      const truth = truthWithout(missing);
      const logits = logitsFor(truth);
      const { value, gradient } = valueAndGradient((at) => lossTerms(at, truth, about).disparityLoss, logits);
      expect(value).toBeCloseTo(definition(truth, logits), 5);
      expect(gradient.every(Number.isFinite)).toBe(true);
    }
  });
});
