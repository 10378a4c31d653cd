import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { audit } from '../../core/fairness/audit.ts';
import type { Classifier } from '../../core/model/classifier.ts';
import { loadTfjsLayers } from '../../core/model/formats/tfjs-layers.ts';
import { predictScores } from '../../core/model/predict.ts';
import { makeObjective } from '../../worker/bmft/objective.ts';
import type {
  ConvergedHeadOptions,
  EpochsHeadOptions,
  MitigationOptions,
} from '../../worker/bmft/options.ts';
import { PRESETS } from '../../worker/bmft/options.ts';
import { NO_CHECKPOINTS } from '../../worker/checkpoints.ts';
import { divide } from '../../worker/parts.ts';
import type { Progress } from '../../worker/progress.ts';
import { NO_PROGRESS } from '../../worker/progress.ts';
import { makeRandom } from '../../worker/random.ts';
import type { MitigationJob } from '../../worker/run-job.ts';
import { selectFigures } from '../../worker/search/selection.ts';
import { truthOf } from '../../worker/training/batch.ts';
import { tune } from '../../worker/tune.ts';
import { useTempFolder } from '../helpers/files.ts';
import { findMask } from '../helpers/find-mask.ts';
import { bitsOf, makeTable, writeTableClassifier } from '../helpers/made-data.ts';
import { expectNoLeak, withBackend } from '../helpers/tensors.ts';

const data = makeTable({ size: 120 });
const HEAD = PRESETS.robust.head as ConvergedHeadOptions;
const ROBUST: MitigationOptions = {
  ...PRESETS.robust,
  batchSize: 40,
  mask: { ...PRESETS.robust.mask, percentiles: [80] },
  body: { ...PRESETS.robust.body, epochs: 2, learningRates: [0.03], disparityWeights: [4] },
  head: { ...HEAD, disparityWeights: [0.1], iterations: 20 },
  selection: { ...PRESETS.robust.selection!, checkpoints: [2] },
};
const RELEASED: MitigationOptions = {
  ...PRESETS['bmft-released'],
  body: { ...PRESETS['bmft-released'].body, epochs: 3 },
  head: { ...(PRESETS['bmft-released'].head as EpochsHeadOptions), epochs: 4 },
};
const THRESHOLD = 0.3;

describe('tune', () => {
  withBackend('wasm');
  const folder = useTempFolder();
  let model: Classifier;

  beforeAll(async () => {
    await writeTableClassifier(folder.at('biased'), { isNarrow: true });
    await writeTableClassifier(folder.at('plain'), { isNarrow: true, useBias: false });
  });
  beforeEach(async () => {
    model = await loadTfjsLayers(folder.at('biased'));
  });
  afterEach(() => model.dispose());

  async function run(options: MitigationOptions, overrides: Partial<MitigationJob> = {}) {
    const random = makeRandom(1);
    const job: MitigationJob = {
      model,
      ...data,
      sensitiveFeature: 'site',
      splits: null,
      options,
      seed: 1,
      threshold: THRESHOLD,
      progress: NO_PROGRESS,
      checkpoints: NO_CHECKPOINTS,
      ...overrides,
    };
    const parts = divide({ ...job, selection: options.selection, random });
    const objective = makeObjective(options, parts.tune);
    const maskAt = await findMask({ ...job, set: parts.tune, objective, random });
    const maskOf = ({ percentile }: { percentile: number | null }) => maskAt(percentile!);
    return { ...(await tune({ job, parts, objective, maskOf, random })), parts, maskAt };
  }

  const recorded = () => {
    const stages: { stage: string; total: number; done: number }[] = [];
    const progress: Progress = {
      start: (stage, total) => void stages.push({ stage, total, done: 0 }),
      advance: (by = 1) => {
        stages.at(-1)!.done += by;
      },
      finish: () => {},
    };
    return { stages, progress };
  };

  describe('with fixed settings', () => {
    test('runs stage 1 and stage 2 for their epochs, says so, and has no candidates', async () => {
      const { stages, progress } = recorded();
      const tuned = await run(RELEASED, { progress });
      expect(stages).toEqual([
        { stage: 'stage 1: body', total: 3, done: 3 },
        { stage: 'stage 2: head', total: 4, done: 4 },
      ]);
      expect(tuned.curves.body.map(({ step }) => step)).toEqual([1, 2, 3]);
      expect(tuned.curves.head.map(({ step }) => step)).toEqual([1, 2, 3, 4]);
      expect(tuned).toMatchObject({ isTuned: true, isApplied: true, candidates: [] });
    });

    test('uses the first percentile and leaves the threshold alone', async () => {
      const tuned = await run(RELEASED);
      expect(tuned.found).toEqual(tuned.maskAt(50));
      expect(tuned.threshold).toEqual({ value: THRESHOLD, biasShift: 0 });
    });

    test('repeats from the same seed', async () => {
      await run(RELEASED);
      const first = bitsOf(model);
      model.dispose();
      model = await loadTfjsLayers(folder.at('biased'));
      await run(RELEASED);
      expect(bitsOf(model)).toEqual(first);
    });

    test('takes a converged head for a mistake of the program', async () => {
      await expect(run({ ...RELEASED, head: HEAD })).rejects.toThrow(TypeError);
    });

    test('leaves no tensor', async () => {
      await expectNoLeak(() => run(RELEASED));
    });
  });

  describe('with a selection', () => {
    test('moves the bias so that the threshold in place cuts where the selection did', async () => {
      const tuned = await run(ROBUST);
      const { rows } = tuned.parts.select!;
      const chosen = tuned.candidates.find(({ isChosen }) => isChosen)!;
      const scores = await predictScores({ model, inputs: data.inputs, rows });
      const { labels, groups } = truthOf(tuned.parts.select!, rows);
      const report = audit({
        labels,
        sensitiveFeatures: [{ name: 'site', groupNames: ['a', 'b'], groups }],
        decisions: { scores, threshold: THRESHOLD },
      });
      const figures = selectFigures(report, report.features, 'equalizedOdds');
      expect(tuned.threshold.value).toBe(THRESHOLD);
      expect(chosen.select).toMatchObject({ ...figures, threshold: chosen.select.threshold });
      const logit = (score: number) => Math.log(score / (1 - score));
      expect(tuned.threshold.biasShift).toBeCloseTo(logit(THRESHOLD) - logit(chosen.select.threshold), 6);
    });

    test('moves the threshold itself where the head has no bias', async () => {
      model.dispose();
      model = await loadTfjsLayers(folder.at('plain'));
      const rails = {
        ...ROBUST.selection!,
        maxAucDrop: 1,
        maxBalancedAccuracyDrop: 1,
        maxGroupAucDrop: 1,
        maxGroupTprDrop: 1,
      };
      const tuned = await run({ ...ROBUST, selection: rails });
      const chosen = tuned.candidates.find(({ isChosen }) => isChosen)!;
      expect(tuned.threshold).toEqual({ value: chosen.select.threshold, biasShift: 0 });
      expect(chosen.id).not.toBe('original');
    });

    test('tells whether the body was tuned, with the mask of the choice', async () => {
      const tuned = await run(ROBUST);
      expect(tuned).toMatchObject({ isTuned: true, isApplied: true });
      expect(tuned.found).toEqual(tuned.maskAt(80));
      expect(tuned.curves.body).toHaveLength(2);
    });

    test('applies no mask when the head alone is chosen', async () => {
      model.dispose();
      model = await loadTfjsLayers(await writeTableClassifier(folder.at('wide')));
      const still = { ...ROBUST.body, learningRates: [1e-9] }; // a body that does not move
      const tuned = await run({ ...ROBUST, body: still });
      expect(tuned.candidates.find(({ isChosen }) => isChosen)!.id).toBe('head-only-h0.1');
      expect(tuned).toMatchObject({ isTuned: true, isApplied: false });
      expect(tuned.found).toEqual(tuned.maskAt(80));
    });

    test('changes nothing when no candidate is chosen', async () => {
      const before = bitsOf(model);
      const options = { ...ROBUST, head: { ...HEAD, taskWeight: 0, disparityWeights: [0] } };
      const tuned = await run(options);
      expect(tuned).toMatchObject({
        isTuned: false,
        isApplied: false,
        threshold: { value: THRESHOLD, biasShift: 0 },
        curves: { body: [], head: [] },
      });
      expect(bitsOf(model)).toEqual(before);
    });

    test('counts the batches of its search', async () => {
      const { stages, progress } = recorded();
      await run(ROBUST, { progress });
      expect(stages).toEqual([{ stage: 'search', total: 2 * 2, done: 2 * 2 }]);
    });

    test('takes a head of epochs for a mistake of the program', async () => {
      await expect(run({ ...ROBUST, head: RELEASED.head })).rejects.toThrow(TypeError);
    });

    test('leaves no tensor', async () => {
      await expectNoLeak(() => run(ROBUST));
    });
  });
});
