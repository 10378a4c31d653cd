import { layers, sequential } from '@tensorflow/tfjs-layers';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Classifier } from '../../../core/model/classifier.ts';
import { weightsOf } from '../../../core/model/classifier.ts';
import { loadTfjsLayers } from '../../../core/model/formats/tfjs-layers.ts';
import { prune, saliencies } from '../../../worker/methods/fairprune.ts';
import { METHODS } from '../../../worker/methods/registry.ts';
import { contextOf, makeTableBench } from '../../helpers/bench.ts';
import { useTempFolder } from '../../helpers/files.ts';
import { writeFilled } from '../../helpers/made-data.ts';
import { withBackend } from '../../helpers/tensors.ts';

describe('FairPrune', () => {
  withBackend('wasm');
  const folder = useTempFolder();
  let model: Classifier;

  beforeAll(async () => {
    const head = layers.dense({ name: 'head', units: 1, inputShape: [3] });
    await writeFilled(folder.at('logistic'), sequential({ layers: [head] }));
  });
  beforeEach(async () => {
    model = await loadTfjsLayers(folder.at('logistic'));
  });
  afterEach(() => model.dispose());

  const weights = () => weightsOf(model).flatMap(({ variable }) => [...variable.dataSync()]);
  const both = (values: number[]) =>
    new Map([
      [model.head.kernel.name, Float64Array.from(values.slice(0, 3))],
      [model.head.bias!.name, Float64Array.from(values.slice(3))],
    ]);

  test('weighs a weight by half its square times the difference of curvatures', () => {
    const found = saliencies(weightsOf(model), {
      unprivileged: both([1, 2, 3, 4]),
      privileged: both([4, 2, 1, 0]),
      beta: 0.5,
    });
    const expected = weights().map((weight, place) => (weight ** 2 / 2) * [1 - 2, 2 - 1, 3 - 0.5, 4][place]!);
    [...found.values()]
      .flatMap((values) => [...values])
      .forEach((value, place) => {
        expect(value).toBeCloseTo(expected[place]!, 12);
      });
  });

  test('zeroes the share with the smallest saliency, over all tensors together', () => {
    const before = weights();
    prune(weightsOf(model), both([0.5, -1, 2, 0.1]), 0.5);
    expect(weights()).toEqual([before[0], 0, before[2], 0]);
  });

  test('prunes nothing where all weights matter alike', () => {
    const before = weights();
    prune(weightsOf(model), both([1, 1, 1, 1]), 0.35);
    expect(weights()).toEqual(before);
  });

  test('prunes a logistic regression by squared gradients of single samples', async () => {
    const context = await contextOf(makeTableBench(model));
    const { tune, judge } = context;
    const batch = await tune.inputs.batch(tune.rows);
    const x = batch.arraySync() as number[][];
    batch.dispose();
    const start = weights();
    const curvature = (group: number) => {
      const own = tune.rows.flatMap((row, place) =>
        tune.groups[row] === group ? [{ row, x: x[place]! }] : [],
      );
      return start.map(
        (_, place) =>
          own.reduce((sum, sample) => {
            const logit = sample.x.reduce((total, entry, at) => total + entry * start[at]!, start[3]!);
            const slope = 1 / (1 + Math.exp(-logit)) - tune.labels[sample.row]!;
            return sum + (slope * (sample.x[place] ?? 1)) ** 2;
          }, 0) / own.length,
      );
    };
    const accuracy = judge.original.groups.map(
      ({ truePositiveRate, falsePositiveRate }) => truePositiveRate! - falsePositiveRate!,
    );
    const worst = accuracy[0]! <= accuracy[1]! ? 0 : 1;
    const [low, high] = [curvature(worst), curvature(1 - worst)];
    const saliency = start.map((weight, place) => (weight ** 2 / 2) * (low[place]! - 0.67 * high[place]!));
    const smallest = [...saliency.keys()].sort((a, b) => saliency[a]! - saliency[b]!).slice(0, 1);
    const proposal = await METHODS.fairprune!.propose(context);
    if (proposal.kind !== 'candidates') throw new TypeError('pruning gives candidates');
    // the 20th percentile of four values lies between the first and the second
    const pruned = proposal.candidates.find(({ id }) => id === 'fairprune-b0.67-s0.2')!.snapshot;
    const left = weightsOf(model).flatMap(({ name }) => [...pruned.get(name)!]);
    expect(left).toEqual(start.map((weight, place) => (smallest.includes(place) ? 0 : weight)));
    expect(proposal.candidates).toHaveLength(2 * 4);
  });
});
