import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { audit } from '../../../core/fairness/audit.ts';
import type { Classifier } from '../../../core/model/classifier.ts';
import { INFERENCE } from '../../../core/model/classifier.ts';
import { loadTfjsLayers } from '../../../core/model/formats/tfjs-layers.ts';
import { maskChooser, measureRatios } from '../../../worker/bmft/find-mask.ts';
import { makeObjective } from '../../../worker/bmft/objective.ts';
import type { ConvergedHeadOptions, MitigationOptions } from '../../../worker/bmft/options.ts';
import { PRESETS } from '../../../worker/bmft/options.ts';
import { NO_CHECKPOINTS } from '../../../worker/checkpoints.ts';
import { makeRandom } from '../../../worker/random.ts';
import { logit, sigmoid } from '../../../worker/search/logit.ts';
import { search } from '../../../worker/search/search.ts';
import { selectFigures } from '../../../worker/search/selection.ts';
import { truthOf } from '../../../worker/training/batch.ts';
import { useTempFolder } from '../../helpers/files.ts';
import { bitsOf, makeSet, makeTable, writeTableClassifier } from '../../helpers/made-data.ts';
import { expectNoLeak, withBackend } from '../../helpers/tensors.ts';

const { samples, inputs } = makeTable({ size: 120 });
const labels = Array.from(samples.labels);
const groups = Array.from(samples.sensitiveFeatures[0]!.groups);
const isSelect = (row: number) => (row >> 2) % 3 === 0;
const rowsWhere = (keep: (row: number) => boolean) => labels.map((_, row) => row).filter(keep);
const tune = makeSet({ labels, groups, inputs, rows: rowsWhere((row) => !isSelect(row)) });
const select = makeSet({ labels, groups, inputs, rows: rowsWhere(isSelect) });

const HEAD = PRESETS.robust.head as ConvergedHeadOptions;
const OPTIONS: MitigationOptions = {
  ...PRESETS.robust,
  batchSize: 20,
  mask: { ...PRESETS.robust.mask, percentiles: [50, 80] },
  body: { ...PRESETS.robust.body, epochs: 3, learningRates: [0.03], disparityWeights: [1, 4] },
  head: { ...HEAD, disparityWeights: [0.1, 1], iterations: 20 },
};
const RAILS = { ...PRESETS.robust.selection!, checkpoints: [1, 3] };
const THRESHOLD = 0.45;

describe('search', () => {
  withBackend('wasm');
  const folder = useTempFolder();
  let model: Classifier;

  beforeAll(() => writeTableClassifier(folder.at('model'), { isNarrow: true }));
  beforeEach(async () => {
    model = await loadTfjsLayers(folder.at('model'));
  });
  afterEach(() => model.dispose());

  async function run({
    options = OPTIONS,
    selection = RAILS,
    seed = 1,
    signal = undefined as AbortSignal | undefined,
  } = {}) {
    const random = makeRandom(seed);
    const objective = makeObjective(options, tune);
    const about = { model, set: tune, objective, options, random };
    const maskOf = maskChooser(await measureRatios(about), model, options);
    let batches = 0;
    let announced = 0;
    const result = await search({
      model,
      tune,
      select,
      maskOf,
      objective,
      options,
      selection,
      head: options.head as ConvergedHeadOptions,
      threshold: THRESHOLD,
      random,
      checkpoints: NO_CHECKPOINTS,
      signal,
      progress: {
        start: (_, total) => {
          announced += total;
        },
        advance: () => {
          batches += 1;
        },
        finish: () => {},
      },
      shards: 1,
      now: () => 0,
    });
    return { ...result, batches, announced };
  }

  /** Figures of the model as it stands on the select part, by a second route. */
  async function figures(cut: number) {
    const batch = await inputs.batch(select.rows);
    const scores = tf.tidy(() => model.logits(batch, INFERENCE).dataSync());
    batch.dispose();
    const truth = truthOf(select, select.rows);
    const report = audit({
      labels: truth.labels,
      sensitiveFeatures: [{ name: 'select', groupNames: select.groupNames, groups: truth.groups }],
      decisions: { scores, threshold: cut },
    });
    return { ...selectFigures(report, report.features, 'equalizedOdds'), threshold: sigmoid(cut) };
  }

  describe('over a grid', () => {
    let searched: Awaited<ReturnType<typeof run>>;
    let before: ReturnType<typeof bitsOf>;
    let after: ReturnType<typeof bitsOf>;
    let original: Awaited<ReturnType<typeof figures>>;
    let chosen: Awaited<ReturnType<typeof figures>>;

    beforeAll(async () => {
      model = await loadTfjsLayers(folder.at('model'));
      before = bitsOf(model);
      original = await figures(logit(THRESHOLD));
      searched = await run();
      after = bitsOf(model);
      chosen = await figures(searched.chosen!.cut);
      model.dispose();
    });
    const choice = () => searched.candidates.find(({ isChosen }) => isChosen)!;

    test('judges the original, the head alone, and each setting at each checkpoint with each head', () => {
      const { candidates } = searched;
      const bodies = ['p50', 'p80'].flatMap((percentile) =>
        ['d1', 'd4'].flatMap((lambda) =>
          ['e1', 'e3'].map((epoch) => `${percentile}-lr0.03-${lambda}-${epoch}`),
        ),
      );
      const tuned = ['head-only', ...bodies].flatMap((id) => [`${id}-h0.1`, `${id}-h1`]);
      expect(candidates.map(({ id }) => id)).toEqual(['original', ...tuned]);
      expect(candidates.map(({ kind }) => kind)).toEqual(
        candidates.map(({ id }) =>
          id === 'original' ? 'original' : id.startsWith('head') ? 'control' : 'bmft',
        ),
      );
      expect(candidates.find(({ id }) => id === 'p80-lr0.03-d4-e3-h1')!.settings).toEqual({
        percentile: 80,
        learningRate: 0.03,
        disparityWeight: 4,
        epochs: 3,
        headDisparityWeight: 1,
      });
    });

    test('leaves the model at its choice, whose figures are those in the record', () => {
      expect(searched.candidates.filter(({ isChosen }) => isChosen)).toHaveLength(1);
      expect(choice()).toMatchObject({ kind: 'bmft', violations: [], select: chosen });
      expect(searched.chosen!.percentile).toBe(choice().settings.percentile);
      expect(after).not.toEqual(before);
    });

    test('chooses a smaller disparity than the original has, and gives the curves that led there', () => {
      expect(choice().select.disparity!).toBeLessThan(original.disparity!);
      const { body, head } = searched.chosen!.curves;
      expect(body.map(({ step }) => step)).toEqual(
        Array.from({ length: choice().settings.epochs as number }, (_, epoch) => epoch + 1),
      );
      expect(head[0]).toMatchObject({ step: 0 });
    });

    test('measures the original at its own threshold', () => {
      expect(searched.candidates[0]).toEqual({
        id: 'original',
        kind: 'original',
        settings: {},
        select: { ...original, threshold: THRESHOLD, intervals: expect.anything() },
        violations: [],
        isChosen: false,
      });
    });

    test('trains as many batches as it says beforehand', () => {
      expect(searched.batches).toBe(2 * 1 * 2 * 3 * Math.ceil(tune.rows.length / 20));
      expect(searched.announced).toBe(searched.batches);
    });

    /** Candidates of a smaller grid, which are among those of the larger. */
    const again = async (about: Parameters<typeof run>[0]) =>
      (await run(about)).candidates
        .filter(({ kind }) => kind === 'bmft')
        .map((one) => ({ ...one, isChosen: false }));
    const same = (keep: (id: string) => boolean) =>
      searched.candidates
        .filter(({ id, kind }) => kind === 'bmft' && keep(id))
        .map((one) => ({ ...one, isChosen: false }));

    test('a setting does not depend on those tried before it', async () => {
      const options = { ...OPTIONS, body: { ...OPTIONS.body, disparityWeights: [4] } };
      expect(await again({ options })).toEqual(same((id) => id.includes('-d4-')));
    });

    test('judging a checkpoint does not disturb the training that goes on', async () => {
      const selection = { ...RAILS, checkpoints: [3] };
      expect(await again({ selection })).toEqual(same((id) => id.includes('-e3-')));
    });

    test('repeats from the same seed', async () => {
      expect(await run()).toEqual(searched);
    });
  });

  test('when no candidate meets the guard rails, chooses none and restores the model bit for bit', async () => {
    const before = bitsOf(model);
    const impossible = {
      ...RAILS,
      maxAucDrop: 0,
      maxBalancedAccuracyDrop: 0,
      maxGroupAucDrop: 0,
      maxGroupTprDrop: 0,
    };
    const blind = {
      ...OPTIONS,
      body: { ...OPTIONS.body, taskWeight: 0, disparityWeights: [1000], learningRates: [10] },
    };
    // a head that is held at 0 ranks nothing
    const options = { ...blind, head: { ...HEAD, taskWeight: 0, disparityWeights: [0], ridge: 100 } };
    const { candidates, chosen } = await run({ options, selection: impossible });
    expect(chosen).toBeNull();
    expect(candidates[0]).toMatchObject({ id: 'original', isChosen: true });
    expect(candidates.slice(1).every(({ violations, isChosen }) => violations.length > 0 && !isChosen)).toBe(
      true,
    );
    expect(bitsOf(model)).toEqual(before);
  });

  test('says in words which rails a candidate broke, overall and by group', async () => {
    const options = { ...OPTIONS, head: { ...HEAD, taskWeight: 0, disparityWeights: [0], ridge: 100 } };
    const { candidates } = await run({ options });
    expect(candidates[1]!.violations).toContain(
      'AUC fell from 0.875 to 0.500, by more than 0.01'.replace(
        '0.875',
        candidates[0]!.select.auc!.toFixed(3),
      ),
    );
    expect(candidates[1]!.violations.some((sentence) => sentence.startsWith('AUC of "a" fell'))).toBe(true);
  });

  test('stops when told to', async () => {
    await expect(run({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });

  test('leaves no tensor', async () => {
    const short = { ...OPTIONS, body: { ...OPTIONS.body, epochs: 1, disparityWeights: [1] } };
    await run({ options: short });
    await expectNoLeak(() => run({ options: short }));
  });
});

describe('logit and sigmoid', () => {
  test('undo each other', () => {
    for (const score of [0.001, 0.3, 0.5, 0.9]) expect(sigmoid(logit(score))).toBeCloseTo(score, 12);
    expect(logit(0.5)).toBe(0);
    expect(sigmoid(Math.log(3))).toBeCloseTo(3 / 4, 12);
  });
});
