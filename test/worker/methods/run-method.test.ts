import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Classifier, Parameter } from '../../../core/model/classifier.ts';
import { loadTfjsLayers } from '../../../core/model/formats/tfjs-layers.ts';
import { predictScores } from '../../../core/model/predict.ts';
import { PRESETS } from '../../../worker/bmft/options.ts';
import { NO_CHECKPOINTS } from '../../../worker/checkpoints.ts';
import type { Method } from '../../../worker/methods/method.ts';
import { METHODS } from '../../../worker/methods/registry.ts';
import { runMethod } from '../../../worker/methods/run-method.ts';
import { runMitigation } from '../../../worker/run-job.ts';
import { makeTableBench } from '../../helpers/bench.ts';
import { useTempFolder } from '../../helpers/files.ts';
import { bitsOf, makeTable, writeTableClassifier } from '../../helpers/made-data.ts';
import { expectNoLeak, withBackend } from '../../helpers/tensors.ts';

const method = (name: string) => METHODS[name]!;

function setTo({ variable, shape }: Parameter, change: (weight: number) => number): void {
  tf.tidy(() => variable.assign(tf.tensor(variable.dataSync().map(change), [...shape])));
}

describe('runMethod', () => {
  withBackend('wasm');
  const folder = useTempFolder();
  let model: Classifier;

  beforeAll(async () => {
    await writeTableClassifier(folder.at('narrow'), { isNarrow: true });
    await writeTableClassifier(folder.at('wide'));
    await writeTableClassifier(folder.at('no-bias'), { isNarrow: true, useBias: false });
  });
  beforeEach(async () => {
    model = await loadTfjsLayers(folder.at('narrow'));
  });
  afterEach(() => model.dispose());

  const mitigate = (options = makeTableBench(model).job.options as typeof PRESETS.robust) =>
    runMitigation({ ...makeTableBench(model).job, options, seed: 1, checkpoints: NO_CHECKPOINTS });

  test('gives for robust what mitigate gives, and leaves the model as it was', async () => {
    const original = bitsOf(model);
    const result = await runMethod(makeTableBench(model), method('robust'), 1);
    expect(bitsOf(model)).toEqual(original);
    const { outcome, candidates } = await mitigate();
    expect(result).toMatchObject({
      status: outcome.status,
      before: { disparity: outcome.before, auc: outcome.aucBefore },
      after: { disparity: outcome.after, auc: outcome.aucAfter },
      chosen: { id: candidates.find(({ isChosen }) => isChosen)!.id },
      candidates: candidates.length - 1,
    });
  });

  test.each(['bmft-released', 'swift-released'] as const)(
    'gives for %s what mitigate gives',
    async (name) => {
      const result = await runMethod(makeTableBench(model), method(name), 1);
      const { outcome } = await mitigate(PRESETS[name]);
      expect(result.after).toMatchObject({ disparity: outcome.after, auc: outcome.aucAfter });
      expect(result).toMatchObject({ status: outcome.status, chosen: null, candidates: 0 });
    },
  );

  test('gives the original for the reference, at no cost', async () => {
    const result = await runMethod(makeTableBench(model), method('untouched'), 1);
    expect(result).toMatchObject({ status: 'reference', reasons: [], chosen: null });
    expect(result.after).toEqual(result.before);
    expect(result.cost).toMatchObject({ epochs: 0, parametersTouched: 0 });
  });

  test('holds the decisions that its figures are made of', async () => {
    const { decisions, after } = await runMethod(makeTableBench(model), method('head-only'), 1);
    const { rows, predictions, scores } = decisions.after!;
    const rateOf = (group: number, label: number) => {
      const own = [...predictions].filter(
        (_, row) => rows.groups[row] === group && rows.labels[row] === label,
      );
      return own.filter((prediction) => prediction === 1).length / own.length;
    };
    expect(after!.groups.map(({ truePositiveRate }) => truePositiveRate)).toEqual([
      rateOf(0, 1),
      rateOf(1, 1),
    ]);
    expect(after!.groups.map(({ falsePositiveRate }) => falsePositiveRate)).toEqual([
      rateOf(0, 0),
      rateOf(1, 0),
    ]);
    expect([...predictions]).toEqual([...scores].map((score) => (score >= 0.5 ? 1 : 0)));
    expect(new Set(rows.subjects).size).toBe(rows.labels.length);
  });

  test('counts for each method what it took, shared work for each that uses it', async () => {
    const bench = makeTableBench(model);
    const alone = await runMethod(makeTableBench(model), method('random-mask'), 1);
    const first = await runMethod(bench, method('robust'), 1);
    const second = await runMethod(bench, method('random-mask'), 1);
    expect(second.cost.epochs).toBe(alone.cost.epochs);
    expect(second.cost.epochs).toBe(first.cost.epochs);
    expect(first.cost.seconds).toBeGreaterThan(0);
    // head-only: features of tune and of select once
    const head = await runMethod(bench, method('head-only'), 1);
    const { parts } = await bench.at(1);
    expect(head.cost.epochs).toBe(1 + parts.select!.rows.length / parts.tune.rows.length);
  });

  test('counts the weights that differ from the original', async () => {
    const wide = await loadTfjsLayers(folder.at('wide'));
    const { cost, chosen } = await runMethod(makeTableBench(wide), method('head-only'), 1);
    wide.dispose();
    expect(chosen).not.toBeNull();
    expect(cost.parametersTouched).toBe(4 + 1); // kernel [4, 1] and bias
  });

  test('does not depend on what ran before', async () => {
    const alone = await runMethod(makeTableBench(model), method('random-mask'), 2);
    const bench = makeTableBench(model);
    for (const [name, seed] of [
      ['swift-released', 2],
      ['robust', 1],
    ] as const) {
      await runMethod(bench, method(name), seed);
    }
    const after = await runMethod(bench, method('random-mask'), 2);
    expect({ ...after, cost: null }).toEqual({ ...alone, cost: null });
  });

  test('keeps the original where no candidate may be chosen', async () => {
    const bench = makeTableBench(model);
    const { options } = bench.job;
    const strict = { ...options, selection: { ...options.selection, maxAucDrop: 0, maxGroupTprDrop: 0 } };
    const hopeless: Method = {
      ...method('head-only'),
      propose: async ({ judge, model: tuned }) => {
        setTo(tuned.head.kernel, (weight) => -weight);
        const about = {
          kind: 'control',
          id: 'upside down',
          settings: {},
          percentile: null,
          curve: [],
        } as const;
        return { kind: 'candidates', candidates: [await judge.asItStands(about)] };
      },
    };
    const result = await runMethod(makeTableBench(model, { options: strict }), hopeless, 1);
    expect(result).toMatchObject({ status: 'not-improved', chosen: null, candidates: 1 });
    expect(result.reasons[0]).toContain('none of 1 candidates');
    expect(result.after).toEqual(result.before);
    expect(result.cost.parametersTouched).toBe(0);
  });

  test('moves the threshold of a head without bias', async () => {
    model.dispose();
    model = await loadTfjsLayers(folder.at('no-bias'));
    const result = await runMethod(makeTableBench(model), method('robust'), 1);
    const { outcome, threshold } = await mitigate();
    expect(threshold.value).not.toBe(0.5);
    expect(result.after!.disparity).toBe(outcome.after);
    expect(result.after!.threshold).toBe(threshold.value);
  });

  test('says that data cannot carry any method', async () => {
    const data = makeTable({ size: 240, hasTest: true });
    const groups = data.samples.sensitiveFeatures[0]!.groups.map((group, row) =>
      data.samples.splits![row] === 'test' ? group : 0,
    );
    const samples = {
      ...data.samples,
      sensitiveFeatures: [{ name: 'site', groupNames: ['a', 'b'], groups }],
    };
    const result = await runMethod(makeTableBench(model, { samples }), method('robust'), 1);
    expect(result).toMatchObject({ status: 'rejected', after: null });
    expect(result.reasons[0]).toContain('group "b" has no');
  });

  test('says that a training left the finite numbers', async () => {
    const exploding: Method = {
      ...method('head-only'),
      propose: async (context) => {
        setTo(context.model.body[0]!, () => Number.NaN);
        return method('head-only').propose(context);
      },
    };
    const result = await runMethod(makeTableBench(model), exploding, 1);
    expect(result).toMatchObject({ status: 'failed', after: null, chosen: null });
  });

  test('leaves no tensor behind', async () => {
    const scores = () => predictScores({ model, inputs: makeTable().inputs, rows: [0] });
    await scores();
    await expectNoLeak(async () => {
      const bench = makeTableBench(model);
      for (const name of Object.keys(METHODS)) await runMethod(bench, method(name), 1);
    });
  });
});
