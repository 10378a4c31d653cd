import { describe, expect, test } from 'vitest';
import { EmptyGroupError } from '../../../core/errors.ts';
import { METRIC_NAMES } from '../../../core/jobs/schema.ts';
import { prepareClassLogitLosses, softmaxOf } from '../../../worker/bmft/class-logit-losses.ts';
import type { Objective } from '../../../worker/bmft/objective.ts';
import { lossTerms } from '../../../worker/bmft/objective.ts';
import { PRESETS } from '../../../worker/bmft/options.ts';
import {
  CLASSES,
  definition,
  groupings,
  logitsFor,
  softmax,
  truthWithout,
} from '../../helpers/made-classes.ts';
import { centralDifferences, valueAndGradient } from '../../helpers/made-data.ts';
import { withBackend } from '../../helpers/tensors.ts';

const objective: Objective = {
  groupCount: 6,
  groupings,
  classes: CLASSES,
  metric: 'equalizedOdds',
  disparity: PRESETS.robust.disparity,
  classWeights: [20, 30, 40],
};
const about = { objective, weights: { taskWeight: 1, disparityWeight: 2 } };

describe('losses of several classes in closed form', () => {
  withBackend('cpu');

  test.each(METRIC_NAMES)(
    'have the gradient of central differences, and are those of the tape (%s)',
    (metric) => {
      const truth = truthWithout(0);
      const logits = logitsFor(truth);
      const own = { ...about, objective: { ...objective, metric } };
      const lossesOf = prepareClassLogitLosses(truth, own);
      const { loss, gradient } = lossesOf(Float64Array.from(logits));
      const differences = centralDifferences((at) => lossesOf(Float64Array.from(at)).loss, logits);
      differences.forEach((slope, place) => {
        expect(gradient[place]).toBeCloseTo(slope, 7);
      });
      const tape = valueAndGradient((at) => lossTerms(at, truth, own).loss, logits);
      expect(tape.value).toBeCloseTo(loss, 4);
      tape.gradient.forEach((slope, place) => {
        expect(slope).toBeCloseTo(gradient[place]!, 4);
      });
    },
  );

  test('are the definitions for single missing cells, pairs of them and whole groups, without a NaN', () => {
    const singles = Array.from({ length: 18 }, (_, cell) => 1 << cell);
    const pairs = singles.flatMap((first) => singles.map((second) => first | second));
    const groups = [0b111, 0b111111, 0b111000, 0b100100100100100000];
    for (const missing of [...singles, ...pairs, ...groups]) {
      const truth = truthWithout(missing);
      const logits = logitsFor(truth);
      const { disparityLoss, taskLoss, gradient } = prepareClassLogitLosses(
        truth,
        about,
      )(Float64Array.from(logits));
      expect(Math.abs(disparityLoss - definition(truth, logits, 'equalizedOdds'))).toBeLessThan(1e-12);
      expect(Number.isFinite(taskLoss) && gradient.every(Number.isFinite)).toBe(true);
    }
  });

  test('refuse a truth in which a grouping has no two groups', () => {
    expect(() => prepareClassLogitLosses(truthWithout(0b111000111000111000), about)).toThrow(EmptyGroupError);
  });
});

describe('softmaxOf', () => {
  test('is that of each sample, however large the logits', () => {
    const logits = [1, -2, 0.5, 3, 3, -1];
    const expected = softmax(logits).flat();
    softmaxOf(Float64Array.from(logits), CLASSES).forEach((score, place) => {
      expect(score).toBeCloseTo(expected[place]!, 14);
    });
    expect(Array.from(softmaxOf(Float64Array.of(1000, 1000, -1000), CLASSES))).toEqual([0.5, 0.5, 0]);
  });
});
