import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { EmptyGroupError } from '../../../core/errors.ts';
import { METRIC_NAMES } from '../../../core/jobs/schema.ts';
import {
  classSampleWeights,
  countClassLabels,
  prepareClassDisparityLoss,
  prepareClassTaskLoss,
} from '../../../worker/bmft/class-losses.ts';
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

const OPTIONS = { ...PRESETS.robust.disparity, metric: 'equalizedOdds', classes: CLASSES } as const;
const about = (truth: ReturnType<typeof truthWithout>) => ({ ...truth, groupCount: 6, groupings });

describe('the task loss of several classes', () => {
  withBackend('cpu');

  test('is the mean over classes of the mean negative log-likelihood of a class', () => {
    const labels = Int32Array.of(0, 0, 0, 1, 2, 2);
    const logits = logitsFor({ labels });
    const likelihoods = softmax(logits).map((scores, row) => -Math.log(scores[labels[row]!]!));
    const expected =
      ((likelihoods[0]! + likelihoods[1]! + likelihoods[2]!) / 3 +
        likelihoods[3]! +
        (likelihoods[4]! + likelihoods[5]!) / 2) /
      3;
    const loss = prepareClassTaskLoss(labels, { classes: CLASSES, weights: 'batch' });
    const { value, gradient } = valueAndGradient(loss, logits);
    expect(value).toBeCloseTo(expected, 5);
    const differences = centralDifferences((at) => {
      const own = softmax(at).map((scores, row) => -Math.log(scores[labels[row]!]!));
      return ((own[0]! + own[1]! + own[2]!) / 3 + own[3]! + (own[4]! + own[5]!) / 2) / 3;
    }, logits);
    differences.forEach((slope, place) => {
      expect(gradient[place]).toBeCloseTo(slope, 5);
    });
  });

  test('weighs a batch by the whole set, so that over the set it is the same loss', () => {
    const labels = Int32Array.of(0, 0, 0, 1, 2, 2);
    const counts = countClassLabels(labels, CLASSES);
    expect(counts).toEqual([3, 1, 2]);
    const whole = classSampleWeights(labels, counts);
    expect(Array.from(whole)).toEqual(Array.from(classSampleWeights(labels, 'batch')));
    const halves = [labels.slice(0, 3), labels.slice(3)].map((half) =>
      Array.from(classSampleWeights(half, counts)),
    );
    expect(halves.flat().map((weight) => weight / 2)).toEqual(
      [...whole].map((weight) => expect.closeTo(weight, 6)),
    );
  });

  test('of a batch without one class is finite', () => {
    const labels = Int32Array.of(0, 2);
    const loss = prepareClassTaskLoss(labels, { classes: CLASSES, weights: 'batch' });
    const { value, gradient } = valueAndGradient(loss, [1, 2, 3, 4, 5, 6]);
    expect(Number.isFinite(value) && gradient.every(Number.isFinite)).toBe(true);
    expect(Array.from(classSampleWeights(labels, 'batch'))).toEqual([0.5, 0.5]);
  });
});

describe('the disparity loss of three classes, two features and their intersection', () => {
  withBackend('cpu');

  test.each(METRIC_NAMES)('is the definition with the gradient of central differences (%s)', (metric) => {
    const truth = truthWithout(0);
    const logits = logitsFor(truth);
    const loss = prepareClassDisparityLoss(about(truth), { ...OPTIONS, metric });
    const { value, gradient } = valueAndGradient(loss, logits);
    expect(value).toBeCloseTo(definition(truth, logits, metric), 5);
    const differences = centralDifferences((at) => definition(truth, at, metric), logits);
    differences.forEach((slope, place) => {
      expect(gradient[place]).toBeCloseTo(slope, 5);
    });
  });

  test('leaves a class out in which no two groups can be compared, and is finite', () => {
    for (const missing of [0b1, 0b100100100100100000, 0b111111, 0b1001001]) {
      const truth = truthWithout(missing);
      const logits = logitsFor(truth);
      const { value, gradient } = valueAndGradient(prepareClassDisparityLoss(about(truth), OPTIONS), logits);
      expect(value).toBeCloseTo(definition(truth, logits, 'equalizedOdds'), 5);
      expect(gradient.every(Number.isFinite)).toBe(true);
    }
  });

  test('names the grouping in which no class is left', () => {
    const truth = truthWithout(0b111000111000111000); // one sex only
    expect(() => prepareClassDisparityLoss(about(truth), OPTIONS)).toThrow(EmptyGroupError);
    expect(() => prepareClassDisparityLoss(about(truth), OPTIONS)).toThrow(/by sex: no two groups/);
  });

  test('leaves no tensor behind', () => {
    const truth = truthWithout(0);
    const before = tf.memory().numTensors;
    const logits = tf.tensor1d(logitsFor(truth));
    prepareClassDisparityLoss(about(truth), OPTIONS)(logits).dispose();
    logits.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});
