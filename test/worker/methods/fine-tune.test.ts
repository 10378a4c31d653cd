import { layers, sequential } from '@tensorflow/tfjs-layers';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Classifier } from '../../../core/model/classifier.ts';
import { loadTfjsLayers } from '../../../core/model/formats/tfjs-layers.ts';
import { prepareLogitLosses } from '../../../worker/bmft/logit-losses.ts';
import { movedShares } from '../../../worker/methods/group-dro.ts';
import { METHODS } from '../../../worker/methods/registry.ts';
import { cellWeights } from '../../../worker/methods/reweighting.ts';
import { runMethod } from '../../../worker/methods/run-method.ts';
import { truthOf } from '../../../worker/training/batch.ts';
import { contextOf, makeTableBench, SMALL_GRID } from '../../helpers/bench.ts';
import { useTempFolder } from '../../helpers/files.ts';
import { makeSet, writeFilled } from '../../helpers/made-data.ts';
import { withBackend } from '../../helpers/tensors.ts';

const RATE = 0.1;
const LAMBDA = 4;

/** One epoch of one batch, so that one step is all. */
const ONE_STEP = {
  ...SMALL_GRID,
  batchSize: 1000,
  body: { ...SMALL_GRID.body, epochs: 1, learningRates: [RATE], disparityWeights: [LAMBDA] },
  selection: { ...SMALL_GRID.selection!, checkpoints: [1] },
};

describe('fine-tuning', () => {
  withBackend('wasm');
  const folder = useTempFolder();
  let model: Classifier;

  beforeAll(async () => {
    // logistic regression: gradients are Σ slope · x
    const head = layers.dense({ name: 'head', units: 1, inputShape: [3] });
    await writeFilled(folder.at('logistic'), sequential({ layers: [head] }));
  });
  beforeEach(async () => {
    model = await loadTfjsLayers(folder.at('logistic'));
  });
  afterEach(() => model.dispose());

  /** The tune part of a bench: inputs, truth, and the scores of the model that is tuned. */
  async function problem() {
    const context = await contextOf(makeTableBench(model, { options: ONE_STEP }));
    const { tune } = context;
    const batch = await tune.inputs.batch(tune.rows);
    const x = batch.arraySync() as number[][];
    batch.dispose();
    const { labels, groups } = truthOf(tune, tune.rows);
    const kernel = [...model.head.kernel.variable.dataSync()];
    const [bias] = model.head.bias!.variable.dataSync();
    const logits = x.map((row) => row.reduce((sum, entry, place) => sum + entry * kernel[place]!, bias!));
    const scores = logits.map((logit) => 1 / (1 + Math.exp(-logit)));
    return { context, tune, x, labels, groups, kernel, bias: bias!, logits, scores };
  }
  type Problem = Awaited<ReturnType<typeof problem>>;

  const inCell = ({ labels, groups }: Problem, group: number, label: number) =>
    [...labels.keys()].filter((row) => groups[row] === group && labels[row] === label);

  /** Expects each weight of the method's first candidate to be w − rate · Σ slope · x. */
  async function expectStep(name: string, slopesOf: (about: Problem) => ArrayLike<number>, rate = RATE) {
    const about = await problem();
    const slopes = slopesOf(about);
    const proposal = await METHODS[name]!.propose(about.context);
    if (proposal.kind !== 'candidates') throw new TypeError('fine-tuning gives candidates');
    const { snapshot, settings } = proposal.candidates.find(
      (candidate) => candidate.settings.learningRate === rate,
    )!;
    expect(settings.epochs).toBe(1);
    const moved = [...snapshot.get(model.head.kernel.name)!, snapshot.get(model.head.bias!.name)![0]!];
    const expected = [...about.kernel, about.bias].map((weight, place) => {
      const gradient = about.x.reduce((sum, row, at) => sum + slopes[at]! * (row[place] ?? 1), 0);
      return weight - rate * gradient;
    });
    moved.forEach((weight, place) => {
      expect(weight).toBeCloseTo(expected[place]!, 5);
    });
  }

  const disparitySlopes = ({ context, labels, groups, logits }: Problem, taskWeight: number) =>
    prepareLogitLosses(
      { labels, groups },
      { objective: context.objective, weights: { taskWeight, disparityWeight: LAMBDA } },
    )(Float64Array.from(logits)).gradient;

  const weightedSlopes = ({ tune, labels, groups, scores }: Problem) => {
    const weights = cellWeights(tune);
    return scores.map(
      (score, row) => (weights[groups[row]! * 2 + labels[row]!]! * (score - labels[row]!)) / scores.length,
    );
  };

  test('reweighting steps along the weighted log-loss', () => expectStep('reweighting', weightedSlopes));

  test('disparity steps along task and disparity loss', () =>
    expectStep('disparity', (about) => disparitySlopes(about, ONE_STEP.body.taskWeight)));

  test('reweighting-disparity steps along both', () =>
    expectStep('reweighting-disparity', (about) => {
      const gap = disparitySlopes(about, 0);
      return weightedSlopes(about).map((slope, row) => slope + gap[row]!);
    }));

  test('group-dro steps along the losses of cells, each by its moved share', () =>
    expectStep('group-dro', (about) => {
      const { labels, scores } = about;
      const slopes = scores.map(() => 0);
      const cells = [0, 1].flatMap((group) => [0, 1].map((label) => inCell(about, group, label)));
      const losses = cells.map(
        (rows) =>
          rows.reduce((sum, row) => sum - Math.log(labels[row] ? scores[row]! : 1 - scores[row]!), 0) /
          rows.length,
      );
      const grown = losses.map((loss) => Math.exp(0.01 * loss));
      const total = grown.reduce((sum, share) => sum + share, 0);
      cells.forEach((rows, cell) => {
        for (const row of rows)
          slopes[row] = ((grown[cell]! / total) * (scores[row]! - labels[row]!)) / rows.length;
      });
      return slopes;
    }));

  test('diff-bias steps along the gaps of mean scores, each towards zero', async () => {
    const stepOf = (about: Problem) => {
      const slopes = about.scores.map(() => 0);
      for (const label of [0, 1]) {
        const [first, second] = [inCell(about, 0, label), inCell(about, 1, label)];
        const mean = (rows: number[]) => rows.reduce((sum, row) => sum + about.scores[row]!, 0) / rows.length;
        const sign = Math.sign(mean(first) - mean(second)) / 2;
        const spread = (rows: number[], by: number) => {
          for (const row of rows)
            slopes[row] = (by * about.scores[row]! * (1 - about.scores[row]!)) / rows.length;
        };
        spread(first, sign);
        spread(second, -sign);
      }
      return slopes;
    };
    await expectStep('diff-bias', stepOf);
    await expectStep('diff-bias', stepOf, RATE / 10);
  });

  test('weights of cells make group and label independent', () => {
    // group a: 3 positives of 4, group b: 1 of 4
    const set = makeSet({ labels: [1, 1, 1, 0, 1, 0, 0, 0], groups: [0, 0, 0, 0, 1, 1, 1, 1] });
    const expected = [(4 * 4) / (8 * 1), (4 * 4) / (8 * 3), (4 * 4) / (8 * 3), (4 * 4) / (8 * 1)];
    cellWeights(set).forEach((weight, cell) => {
      expect(weight).toBeCloseTo(expected[cell]!, 6);
    });
  });

  test('shares of cells grow with their losses and sum to 1', () => {
    const moved = movedShares([0.5, 0.5], [Math.log(3) / 0.01, 0], 0.01);
    expect(moved[0]).toBeCloseTo(0.75, 12);
    expect(moved[1]).toBeCloseTo(0.25, 12);
  });

  test('starts every setting from the original', async () => {
    const options = { ...ONE_STEP, body: { ...ONE_STEP.body, learningRates: [RATE, RATE] } };
    const context = await contextOf(makeTableBench(model, { options }));
    const proposal = await METHODS['group-dro']!.propose(context);
    if (proposal.kind !== 'candidates') throw new TypeError('fine-tuning gives candidates');
    const [first, tenth, second] = proposal.candidates;
    expect(second!.snapshot).toEqual(first!.snapshot);
    expect(tenth!.snapshot).not.toEqual(first!.snapshot);
  });

  test.each(['reweighting', 'disparity', 'reweighting-disparity', 'group-dro', 'diff-bias'])(
    '%s moves every weight or none',
    async (name) => {
      const { cost, chosen } = await runMethod(makeTableBench(model), METHODS[name]!, 1);
      expect(cost.parametersTouched).toBe(chosen === null ? 0 : 4);
      expect(cost.epochs).toBeGreaterThanOrEqual(3);
    },
  );
});
