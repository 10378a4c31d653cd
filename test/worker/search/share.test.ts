import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { CandidateRecord } from '../../../core/jobs/run-record.ts';
import type { Classifier } from '../../../core/model/classifier.ts';
import { loadTfjsLayers } from '../../../core/model/formats/tfjs-layers.ts';
import { maskChooser, measureRatios } from '../../../worker/bmft/find-mask.ts';
import { makeObjective } from '../../../worker/bmft/objective.ts';
import type { ConvergedHeadOptions, MitigationOptions } from '../../../worker/bmft/options.ts';
import { optionsOf, SURROGATES } from '../../../worker/bmft/options.ts';
import { NO_CHECKPOINTS } from '../../../worker/checkpoints.ts';
import { makeRandom } from '../../../worker/random.ts';
import { search, searchShard } from '../../../worker/search/search.ts';
import { useTempFolder } from '../../helpers/files.ts';
import { bitsOf, makeSet, makeTable, writeTableClassifier } from '../../helpers/made-data.ts';
import { memoryBlobs } from '../../helpers/memory-blobs.ts';
import { expectNoLeak, withBackend } from '../../helpers/tensors.ts';

const { samples, inputs } = makeTable({ size: 120 });
const about = { labels: [...samples.labels], groups: [...samples.sensitiveFeatures[0]!.groups], inputs };
const rowsWhere = (isSelect: boolean) =>
  about.labels.map((_, row) => row).filter((row) => ((row >> 2) % 3 === 0) === isSelect);
const tune = makeSet({ ...about, rows: rowsWhere(false) });
const select = makeSet({ ...about, rows: rowsWhere(true) });

/** A grid of two settings of 3 epochs; brackets of 4 settings to epoch 1 and 2 of them to epoch 3, so 8 epochs. */
const GRID_EPOCHS = 2 * 3;
const BRACKET_EPOCHS = 4 + 2 * 2;
const CHANGES = {
  batchSize: 20,
  mask: { percentiles: [50] },
  body: { epochs: 3, learningRates: [0.03], disparityWeights: [1, 4] },
  head: { disparityWeights: [0.1], iterations: 20 },
  selection: { checkpoints: [1, 3] },
};
const SEARCH = { settings: 4, factor: 2, learningRates: [0.01, 0.1], softShare: 0.3 };
const optionsFor = (budget: string | null) =>
  optionsOf(
    { preset: 'robust', changes: { ...CHANGES, search: budget && { ...SEARCH, budget } } },
    'options',
  );

describe('a search beyond the grid', () => {
  withBackend('wasm');
  const folder = useTempFolder();
  const models: Classifier[] = [];

  beforeAll(() => writeTableClassifier(folder.at('model'), { isNarrow: true }));
  afterEach(() => {
    for (const model of models.splice(0)) model.dispose();
  });

  async function prepare(
    options: MitigationOptions,
    { seed = 1, shards = 1, checkpoints = NO_CHECKPOINTS } = {},
  ) {
    const model = await loadTfjsLayers(folder.at('model'));
    models.push(model);
    const random = makeRandom(seed);
    const objective = makeObjective(options, tune);
    const measured = { model, set: tune, objective, options, random };
    const stages: string[] = [];
    const counts = { announced: 0, batches: 0 };
    const input = {
      model,
      tune,
      select,
      maskOf: maskChooser(await measureRatios(measured, SURROGATES), model, options),
      objective,
      options,
      selection: options.selection!,
      head: options.head as ConvergedHeadOptions,
      threshold: 0.45,
      random,
      checkpoints,
      shards,
      progress: {
        start: (stage: string, total: number) => {
          stages.push(stage);
          counts.announced += total;
        },
        advance: () => {
          counts.batches += 1;
        },
        finish: () => {},
      },
      /** A second for each epoch, which is four batches. */
      now: () => counts.batches * 250,
    };
    return { input, stages, counts };
  }

  async function run(options: MitigationOptions, overrides: Parameters<typeof prepare>[1] = {}) {
    const { input, stages, counts } = await prepare(options, overrides);
    const { chosen, ...result } = await search(input);
    return { ...result, chosen: chosen?.id, weights: bitsOf(input.model), stages, ...counts };
  }

  const unchosen = (candidates: readonly CandidateRecord[]) =>
    candidates.map((candidate) => ({ ...candidate, isChosen: false }));
  const smallest = (candidates: readonly CandidateRecord[]) =>
    Math.min(
      ...candidates
        .filter(({ violations, kind }) => violations.length === 0 && kind !== 'original')
        .map((candidate) => candidate.select.disparity!),
    );

  describe('with a budget of epochs', () => {
    let searched: Awaited<ReturnType<typeof run>>;
    beforeAll(async () => {
      searched = await run(optionsFor('23epochs'));
    });
    const drawn = () => searched.candidates.filter(({ isDrawn }) => isDrawn);

    test('trains the grid to its end, then brackets as far as the epochs go', () => {
      expect(searched.search).toEqual({
        budget: '23epochs',
        gridSettings: 2,
        brackets: [0, 1].map(() => [
          { epoch: 1, settings: 4 },
          { epoch: 3, settings: 2 },
        ]), // 6 + 8 + 8 = 22, and one epoch trains no setting to its end
        epochs: GRID_EPOCHS + 2 * BRACKET_EPOCHS,
        diverged: 0,
      });
      expect(searched.batches).toBe(searched.search!.epochs * (tune.rows.length / 20));
      expect(searched.announced).toBe(searched.batches);
      expect(searched.stages).toEqual([
        'search',
        'bracket 1, rung 1 of 2: 4 settings to epoch 1',
        'bracket 1, rung 2 of 2: 2 settings to epoch 3',
        'bracket 2, rung 1 of 2: 4 settings to epoch 1',
        'bracket 2, rung 2 of 2: 2 settings to epoch 3',
      ]);
    });

    test('judges each drawn setting with the preset’s head and one of its own', () => {
      expect(drawn()).toHaveLength(2 * (4 + 2) * 2);
      expect(new Set(drawn().map(({ id }) => id)).size).toBe(drawn().length);
      expect(drawn().some(({ settings }) => settings.mask === 'soft')).toBe(true);
      expect(drawn().some(({ settings }) => settings.surrogate === 'logit')).toBe(true);
    });

    test('leaves the candidates of the grid as they are without it, so that it reaches at least what they reach', async () => {
      for (const seed of [1, 2]) {
        const grid = await run(optionsFor(null), { seed });
        const more = seed === 1 ? searched : await run(optionsFor('23epochs'), { seed });
        expect(grid.search).toBeNull();
        const gridIds = new Set(grid.candidates.map(({ id }) => id));
        const same = more.candidates.filter(({ id }) => gridIds.has(id));
        expect(unchosen(same)).toEqual(unchosen(grid.candidates));
        expect(smallest(more.candidates)).toBeLessThanOrEqual(smallest(grid.candidates));
      }
    });

    test('lets those go on that had the smallest disparity without violations', () => {
      const entered = drawn().filter(({ settings }) => settings.epochs === 1);
      const wentOn = drawn().filter(({ settings }) => settings.epochs === 3);
      const bodyOf = ({ id }: CandidateRecord) => id.slice(0, id.indexOf('-e'));
      const costOf = ({ violations, select: { disparity } }: CandidateRecord) =>
        100 * violations.length + disparity!;
      for (const bracket of [0, 1]) {
        const best = entered
          .slice(bracket * 8, bracket * 8 + 8) // four settings with two heads
          .toSorted((a, b) => costOf(a) - costOf(b))
          .map(bodyOf);
        const ids = wentOn.slice(bracket * 4, bracket * 4 + 4).map(bodyOf);
        expect([...new Set(ids)]).toEqual([...new Set(best)].slice(0, 2));
      }
    });

    test('gives each candidate the figures that its settings alone give, as options', async () => {
      const kinds = [
        drawn().find(({ settings }) => settings.mask === 'soft' && settings.epochs === 3)!,
        drawn().find(({ settings }) => settings.mask === undefined && settings.epochs === 3)!,
        drawn().find(({ settings }) => settings.surrogate === 'logit')!,
        drawn().find(({ settings }) => settings.headDisparityWeight !== 0.1)!,
      ];
      for (const { settings, select: figures, violations } of kinds) {
        const changes = {
          ...CHANGES,
          mask: settings.mask === 'soft' ? { kind: 'soft' } : { percentiles: [settings.percentile] },
          disparity: { surrogate: settings.surrogate ?? 'score' },
          body: {
            epochs: settings.epochs,
            learningRates: [settings.learningRate],
            disparityWeights: [settings.disparityWeight],
          },
          head: { ...CHANGES.head, disparityWeights: [settings.headDisparityWeight] },
          selection: { checkpoints: [settings.epochs] },
        };
        const { candidates } = await run(optionsOf({ preset: 'robust', changes }, 'options'));
        const alone = candidates.find(({ kind }) => kind === 'bmft')!;
        expect({ select: alone.select, violations: alone.violations }).toEqual({
          select: figures,
          violations,
        });
      }
    });

    test('leaves the model at its choice, whose weights it kept', async () => {
      expect(searched.candidates.filter(({ isChosen }) => isChosen).map(({ id }) => id)).toEqual([
        searched.chosen,
      ]);
      expect(searched.weights).not.toEqual(bitsOf((await prepare(optionsFor(null))).input.model));
    });

    test.each([3, 7])('spread over %i processes chooses the same, bit for bit', async (count) => {
      const blobs = memoryBlobs();
      for (const index of Array(count).keys()) {
        const { input } = await prepare(optionsFor('23epochs'), { checkpoints: blobs });
        await searchShard(input, { index, count });
      }
      const kept = 1 + 2 + 2; // control, grid, brackets
      expect(blobs.saved).toHaveLength(kept);
      const { stages, announced, batches, ...merged } = await run(optionsFor('23epochs'), {
        checkpoints: blobs,
        shards: count,
      });
      const { stages: _, announced: __, batches: ___, ...alone } = searched;
      expect(merged).toEqual(alone);
      expect([batches, blobs.saved.length]).toEqual([0, kept]); // the reduction trained nothing itself
    });

    test('killed after a bracket goes on to the same', async () => {
      const blobs = memoryBlobs(4);
      await expect(run(optionsFor('23epochs'), { checkpoints: blobs })).rejects.toThrow('killed');
      blobs.stopAfter = Number.POSITIVE_INFINITY;
      const resumed = await run(optionsFor('23epochs'), { checkpoints: blobs });
      expect(resumed.candidates).toEqual(searched.candidates);
      expect(resumed.weights).toEqual(searched.weights);
      expect(resumed.batches).toBe(BRACKET_EPOCHS * 4); // the second bracket alone
    });
  });

  test('with a budget below the grid is the grid', async () => {
    const { search: record, candidates } = await run(optionsFor('3epochs'));
    expect(record).toMatchObject({ brackets: [], epochs: GRID_EPOCHS });
    expect(candidates.some(({ isDrawn }) => isDrawn)).toBe(false);
  });

  test('with a budget of time goes as far as its own pace allows, and a retry or a merge finds the same', async () => {
    // a second for an epoch: 6 of the grid, 8 of a bracket, and 6 are left of 20, in which three settings find room
    const alone = await run(optionsFor('0.33m'));
    expect(alone.search!.brackets.map(([first]) => first!.settings)).toEqual([4, 3]);
    const blobs = memoryBlobs();
    const first = await run(optionsFor('0.33m'), { checkpoints: blobs });
    const saved = blobs.saved.length;
    const retried = await run(optionsFor('0.33m'), { checkpoints: blobs });
    expect(retried).toMatchObject({ candidates: first.candidates, search: first.search, batches: 0 });
    expect(blobs.saved).toHaveLength(saved);
  });

  test('with a budget of time gives it to each process', async () => {
    const blobs = memoryBlobs();
    for (const index of [0, 1]) {
      const { input } = await prepare(optionsFor('0.2m'), { checkpoints: blobs });
      await searchShard(input, { index, count: 2 });
    }
    // 12 seconds: one setting of the grid takes 3, a bracket 8, and one is left, in each of the two
    const merged = await run(optionsFor('0.2m'), { checkpoints: blobs, shards: 2 });
    expect(merged.search!.brackets).toHaveLength(2);
    expect(merged.batches).toBe(0);
  });

  test('leaves no tensor, whether it ends or is stopped', async () => {
    const once = async (signal?: AbortSignal) => {
      const { input } = await prepare(optionsFor('14epochs'));
      try {
        await search({ ...input, signal });
      } finally {
        for (const model of models.splice(0)) model.dispose();
      }
    };
    await once();
    await expectNoLeak(() => once());
    await expectNoLeak(async () => {
      const controller = new AbortController();
      const { input } = await prepare(optionsFor('14epochs'));
      const start = (stage: string) => stage.includes('rung 2') && controller.abort();
      const progress = { ...input.progress, start };
      await expect(search({ ...input, progress, signal: controller.signal })).rejects.toMatchObject({
        code: 'INTERRUPTED',
      });
      for (const model of models.splice(0)) model.dispose();
    });
  });
});
