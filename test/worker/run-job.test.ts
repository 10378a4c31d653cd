import { layers, sequential } from '@tensorflow/tfjs-layers';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Samples } from '../../core/data/types.ts';
import { MISSING_GROUP } from '../../core/data/types.ts';
import type { Classifier } from '../../core/model/classifier.ts';
import { loadTfjsLayers } from '../../core/model/formats/tfjs-layers.ts';
import type {
  ConvergedHeadOptions,
  EpochsHeadOptions,
  MitigationOptions,
} from '../../worker/bmft/options.ts';
import { PRESETS } from '../../worker/bmft/options.ts';
import { NO_CHECKPOINTS } from '../../worker/checkpoints.ts';
import type { Progress } from '../../worker/progress.ts';
import { NO_PROGRESS } from '../../worker/progress.ts';
import type { MitigationJob } from '../../worker/run-job.ts';
import { runMitigation, runShard } from '../../worker/run-job.ts';
import { useTempFolder } from '../helpers/files.ts';
import type { MadeData } from '../helpers/made-data.ts';
import {
  bitsOf,
  makeImages,
  makeTable,
  writeFilled,
  writePlantedClassifier,
  writeTableClassifier,
} from '../helpers/made-data.ts';
import { memoryBlobs } from '../helpers/memory-blobs.ts';
import { expectNoLeak, withBackend } from '../helpers/tensors.ts';

const ROBUST: MitigationOptions = {
  ...PRESETS.robust,
  mask: { ...PRESETS.robust.mask, percentiles: [80] },
  body: { ...PRESETS.robust.body, epochs: 3, learningRates: [0.03], disparityWeights: [4] },
  head: { ...(PRESETS.robust.head as ConvergedHeadOptions), disparityWeights: [0.1], iterations: 50 },
  selection: { ...PRESETS.robust.selection!, checkpoints: [3] },
};
const released = (name: 'bmft-released' | 'swift-released'): MitigationOptions => ({
  ...PRESETS[name],
  body: { ...PRESETS[name].body, epochs: 2 },
  head: { ...(PRESETS[name].head as EpochsHeadOptions), epochs: 2 },
});
const SPLITS = { external: 'external', test: ['test'] };

/** A stage and how far it got. */
function recorder(): { stages: { stage: string; total: number; done: number }[]; progress: Progress } {
  const stages: { stage: string; total: number; done: number }[] = [];
  return {
    stages,
    progress: {
      start: (stage, total) => void stages.push({ stage, total, done: 0 }),
      advance: (by = 1) => {
        stages.at(-1)!.done += by;
      },
      finish: () => void stages.push({ stage: 'finish', total: 0, done: 0 }),
    },
  };
}

describe('runMitigation', () => {
  withBackend('wasm');
  const folder = useTempFolder();
  const models: Classifier[] = [];

  beforeAll(async () => {
    await writePlantedClassifier(folder.at('images'));
    await writeTableClassifier(folder.at('narrow'), { isNarrow: true });
    const head = layers.dense({ name: 'head', units: 1, inputShape: [3] });
    await writeTableClassifier(folder.at('no-bias'), { isNarrow: true, useBias: false });
    await writeFilled(folder.at('head-only'), sequential({ layers: [head] }));
  });
  afterEach(() => {
    for (const model of models.splice(0)) model.dispose();
  });

  type Overrides = Partial<MitigationJob> & { kind?: string; data?: MadeData };

  /** A job for a fresh model of a kind; over the table with a test split unless told otherwise. */
  async function jobOf(overrides: Overrides = {}): Promise<MitigationJob> {
    const { kind = 'narrow', data = makeTable({ size: 240, hasTest: true }), ...job } = overrides;
    const model = await loadTfjsLayers(folder.at(kind));
    models.push(model);
    return {
      model,
      ...data,
      sensitiveFeature: 'site',
      splits: data.samples.splits ? SPLITS : null,
      options: ROBUST,
      seed: 1,
      threshold: 0.5,
      progress: NO_PROGRESS,
      checkpoints: NO_CHECKPOINTS,
      ...job,
    };
  }

  async function run(overrides: Overrides = {}) {
    const job = await jobOf(overrides);
    const before = bitsOf(job.model);
    const result = await runMitigation(job);
    return { ...result, weights: { before, after: bitsOf(job.model) } };
  }

  test('improves a classifier of images that reads a planted artefact', async () => {
    const { outcome, after, before, data } = await run({
      kind: 'images',
      data: makeImages({ size: 240, hasTest: true }),
    });
    expect(outcome.status).toBe('improved');
    expect(outcome.after!).toBeLessThan(outcome.before! / 2);
    expect(outcome.aucAfter!).toBeGreaterThan(outcome.aucBefore!);
    expect(after!.overall.support).toBe(before.overall.support);
    expect(data).toMatchObject({ auditedOn: 'test', isIndependent: true });
  });

  test('improves by the masked weight of the body where no head could', async () => {
    const { outcome, mask, weights, candidates } = await run();
    expect(outcome.status).toBe('improved');
    expect(candidates.find(({ isChosen }) => isChosen)!.kind).toBe('bmft');
    expect(mask!.summary).toMatchObject({ isApplied: true, selected: 1 });
    // of sign, artefact and noise it is the weight of the artefact that carries the disparity
    expect(Array.from(mask!.found.values.get('hidden/kernel')!)).toEqual([0, 1, 0]);
    const [kernelBefore, kernelAfter] = [weights.before, weights.after].map((bits) => bits['hidden/kernel']!);
    expect(kernelBefore!.map((bits, place) => bits === kernelAfter![place])).toEqual([true, false, true]);
    expect(weights.after['hidden/bias']).toEqual(weights.before['hidden/bias']);
  });

  test('audits further sets with the thresholds of the first, and counts whose prediction changed', async () => {
    const other = makeTable({ size: 60, hasTest: false });
    const { audited, before, after } = await run({ testSets: [{ name: 'clinic', ...other }] });
    expect(audited.map(({ name, source, support }) => [name, source, support])).toEqual([
      ['test', 'split', before.overall.support],
      ['clinic', 'manifest', 60],
    ]);
    expect([audited[0]!.before, audited[0]!.after]).toEqual([before, after]);
    for (const set of audited) {
      const [first, second] = [set.before.overall.counts, set.after!.overall.counts];
      const { positives, negatives, gained, lost } = set.flips!.overall;
      expect(positives.toPositive - positives.toNegative).toBe(second.truePositives - first.truePositives);
      expect(negatives.toPositive - negatives.toNegative).toBe(second.falsePositives - first.falsePositives);
      expect(gained + lost).toBeGreaterThan(0);
      expect(set.after!.threshold).toBe(set.before.threshold);
    }
  });

  test('gives equal results from the same seed, and others from another', async () => {
    const first = await run();
    expect(await run()).toEqual(first);
    const other = await run({ seed: 2 });
    expect(other.data.parts).not.toBe(first.data.parts);
    expect(other.curves).not.toEqual(first.curves);
  });

  test.each(['bmft-released', 'swift-released'] as const)('runs %s with its flips seeded', async (name) => {
    const options = released(name);
    const data = makeImages({ size: 48, hasTest: true });
    const first = await run({ kind: 'images', options, data });
    expect(first.curves.body).toHaveLength(2);
    expect(first.curves.head).toHaveLength(2);
    expect(first.candidates).toEqual([]);
    expect(first.threshold).toEqual({ value: 0.5, biasShift: 0 });
    expect(await run({ kind: 'images', options, data })).toEqual(first);
  });

  test('reports its stages in order and finishes each', async () => {
    const { stages, progress } = recorder();
    await run({ progress });
    const [tuned, audited] = [(160 * 2) / 3, 80];
    const batches = Math.ceil(tuned / ROBUST.batchSize);
    expect(stages).toEqual([
      { stage: 'audit before', total: audited, done: audited },
      { stage: 'importance', total: batches, done: batches },
      { stage: 'search', total: 3 * batches, done: 3 * batches },
      { stage: 'audit after', total: audited, done: audited },
      { stage: 'finish', total: 0, done: 0 },
    ]);
  });

  test('audits the select part, and says so, without a test split', async () => {
    const { data, before } = await run({ data: makeTable({ size: 120 }) });
    expect(data).toMatchObject({ auditedOn: 'select', isIndependent: false });
    expect(before.overall.support).toBe(40);
  });

  test('audits at the threshold that had to move for want of a bias', async () => {
    const { threshold, before, after } = await run({ kind: 'no-bias' });
    expect(threshold.biasShift).toBe(0);
    expect(threshold.value).not.toBe(0.5);
    expect([before.threshold, after!.threshold]).toEqual([0.5, threshold.value]);
  });

  /** As the data, with one cell emptied: no positives in group "b". */
  const withoutPositives = ({ samples, inputs }: MadeData): MadeData => ({
    inputs,
    samples: {
      ...samples,
      labels: samples.labels.map((label, row) =>
        samples.sensitiveFeatures[0]!.groups[row] === 1 ? 0 : label,
      ),
    },
  });

  describe('leaves the model bit-identical', () => {
    test('when the data cannot carry the method', async () => {
      const { stages, progress } = recorder();
      const { outcome, after, mask, weights } = await run({
        data: withoutPositives(makeTable({ size: 120 })),
        progress,
      });
      expect(outcome).toMatchObject({
        status: 'rejected',
        before: null,
        reasons: ['group "b" has no positive labels among 80 samples, expected at least 2'],
      });
      expect([after, mask]).toEqual([null, null]);
      expect(stages.map(({ stage }) => stage)).toEqual(['audit before', 'finish']);
      expect(weights.after).toEqual(weights.before);
    });

    test('when no candidate meets the guard rails', async () => {
      const head = { ...(ROBUST.head as ConvergedHeadOptions), taskWeight: 0, disparityWeights: [0] };
      const { outcome, after, weights } = await run({ options: { ...ROBUST, head } });
      expect(outcome).toMatchObject({ status: 'not-improved', after: null });
      expect(outcome.reasons[0]).toMatch(/^none of 2 candidates was chosen/);
      expect(after).toBeNull();
      expect(weights.after).toEqual(weights.before);
    });

    test('when a choice does not hold on the audited part', async () => {
      // in the test split the artefact comes as often with either group, so there is no gap to close
      const data = makeTable({ size: 240, hasTest: true, artefactInTest: [0.5, 0.5] });
      const { outcome, weights } = await run({ data });
      expect(outcome.status).toBe('not-improved');
      expect(outcome.reasons[0]).toMatch(/^the disparity did not fall on the audited data/);
      expect(weights.after).toEqual(weights.before);
    });
  });

  describe('a shard', () => {
    /** What it keeps, and whether the model stayed as it was. */
    async function runOne(overrides: Overrides = {}, shard = { index: 0, count: 2 }) {
      const checkpoints = memoryBlobs();
      const { stages, progress } = recorder();
      const job = await jobOf({ checkpoints, progress, ...overrides });
      const before = bitsOf(job.model);
      await runShard(job, shard);
      expect(bitsOf(job.model)).toEqual(before);
      expect(stages.at(-1)!.stage).toBe('finish');
      return checkpoints.saved;
    }

    test('judges its own settings and moves no weight', async () => {
      expect(await runOne()).toEqual(['importance', 'candidates-head-only']);
      expect(await runOne({}, { index: 1, count: 2 })).toEqual(['importance', 'candidates-p80-lr0.03-d4']);
    });

    test('has nothing to judge when there are more shards than settings', async () => {
      expect(await runOne({}, { index: 2, count: 3 })).toEqual(['importance']);
    });

    test('has nothing to judge under a preset without a search', async () => {
      expect(await runOne({ options: released('bmft-released') })).toEqual(['importance']);
    });

    test('has nothing to do with data that cannot carry the method', async () => {
      expect(await runOne({ data: withoutPositives(makeTable({ size: 120 })) })).toEqual([]);
    });
  });

  test('keeps rows without a group out of training and shows them in the audit', async () => {
    const data = makeTable({ size: 240, hasTest: true });
    const [feature] = data.samples.sensitiveFeatures;
    const samples: Samples = {
      ...data.samples,
      sensitiveFeatures: [
        {
          name: 'site',
          groupNames: ['a', 'b', MISSING_GROUP],
          groups: feature!.groups.map((group, row) => (row % 10 === 0 ? 2 : group)),
        },
      ],
    };
    const { outcome, before, data: use } = await run({ data: { ...data, samples } });
    expect(use.excluded).toEqual([{ reason: 'no value of site: kept out of training', rows: 16 }]);
    expect(before.features[0]!.groups.map(({ group, support }) => [group, support])).toContainEqual([
      MISSING_GROUP,
      8,
    ]);
    expect(outcome.before).not.toBeNull();
  });

  test('refits the head of a model that has no body', async () => {
    const { outcome, mask } = await run({ kind: 'head-only' });
    expect(outcome.status).not.toBe('rejected');
    expect(mask!.summary).toMatchObject({ total: 0, isApplied: false });
  });

  test('stops in any stage when told to', async () => {
    for (const stage of ['audit before', 'search', 'audit after']) {
      const controller = new AbortController();
      const progress = { ...NO_PROGRESS, start: (name: string) => name === stage && controller.abort() };
      await expect(run({ progress, signal: controller.signal }), stage).rejects.toMatchObject({
        code: 'INTERRUPTED',
      });
    }
  });

  test('leaves no tensor, whatever the preset and the outcome', async () => {
    const data = makeImages({ size: 48, hasTest: true });
    for (const options of [ROBUST, released('bmft-released'), released('swift-released')]) {
      await expectNoLeak(async () => {
        await run({ kind: 'images', options, data });
        models.pop()!.dispose();
      });
    }
  });
});
