import { layers, sequential } from '@tensorflow/tfjs-layers';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Explanation } from '../../../core/jobs/explanation.ts';
import type { Classifier } from '../../../core/model/classifier.ts';
import { loadTfjsLayers } from '../../../core/model/formats/tfjs-layers.ts';
import type {
  ConvergedHeadOptions,
  EpochsHeadOptions,
  MitigationOptions,
} from '../../../worker/bmft/options.ts';
import { PRESETS } from '../../../worker/bmft/options.ts';
import { NO_CHECKPOINTS } from '../../../worker/checkpoints.ts';
import { explain } from '../../../worker/explain/explain.ts';
import { NO_PROGRESS } from '../../../worker/progress.ts';
import type { MitigationJob } from '../../../worker/run-job.ts';
import { runMitigation } from '../../../worker/run-job.ts';
import { useTempFolder } from '../../helpers/files.ts';
import type { MadeData } from '../../helpers/made-data.ts';
import {
  bitsOf,
  makeImages,
  makeTable,
  writeFilled,
  writePlantedClassifier,
  writeTableClassifier,
} from '../../helpers/made-data.ts';
import { expectNoLeak, withBackend } from '../../helpers/tensors.ts';

const FEW = {
  ...PRESETS.robust.explain,
  draws: 1,
  batchSizeFactors: [0.5],
  occlusionImages: 6,
  occlusionPlaces: 6,
  firingImages: 10,
};
const ROBUST: MitigationOptions = {
  ...PRESETS.robust,
  mask: { ...PRESETS.robust.mask, percentiles: [80] },
  body: { ...PRESETS.robust.body, epochs: 3, learningRates: [0.03], disparityWeights: [4] },
  head: { ...(PRESETS.robust.head as ConvergedHeadOptions), disparityWeights: [0.1], iterations: 50 },
  selection: { ...PRESETS.robust.selection!, checkpoints: [3] },
  explain: FEW,
};

describe('explain', () => {
  withBackend('wasm');
  const folder = useTempFolder();
  const models: Classifier[] = [];
  beforeAll(async () => {
    await writePlantedClassifier(folder.at('images'));
    await writeTableClassifier(folder.at('table'));
    await writeTableClassifier(folder.at('narrow'), { isNarrow: true });
    const head = layers.dense({ name: 'head', units: 1, inputShape: [3] });
    await writeFilled(folder.at('head-only'), sequential({ layers: [head] }));
  });
  afterEach(() => {
    for (const model of models.splice(0)) model.dispose();
  });

  type Overrides = Partial<MitigationJob> & { kind?: string; data?: MadeData };

  async function run(overrides: Overrides = {}) {
    const { kind = 'images', data = makeImages({ size: 240, hasTest: true }), ...job } = overrides;
    const model = await loadTfjsLayers(folder.at(kind));
    models.push(model);
    const result = await runMitigation({
      model,
      ...data,
      sensitiveFeature: 'site',
      splits: data.samples.splits ? { external: 'external', test: ['test'] } : null,
      options: ROBUST,
      seed: 1,
      threshold: 0.5,
      progress: NO_PROGRESS,
      checkpoints: NO_CHECKPOINTS,
      explain,
      ...job,
    });
    return { ...result, model };
  }
  const explanationOf = async (overrides: Overrides = {}): Promise<Explanation> =>
    (await run(overrides)).explained!.explanation;

  test('shows a planted patch before, and that it stopped mattering after', async () => {
    const { outcome, explained } = await run();
    expect(outcome.status).toBe('improved');
    const { occlusion, groups, isTuned } = explained!.explanation;
    expect([groups, isTuned]).toEqual([['a', 'b'], true]);
    const inPatch = occlusion!.maps[1]!; // group "b" has the patch in nine of ten images
    // the patch lies in the first 6 of 16 pixels, and covering starts at 0, 3, 5, …: its middle is at (3, 3)
    const middle = (grid: readonly (readonly number[])[], deviation: number) => grid[1]![1]! / deviation;
    const before = middle(inPatch.before, occlusion!.logitDeviation.before);
    const after = middle(inPatch.after!, occlusion!.logitDeviation.after!);
    expect(inPatch.before[1]![1]).toBe(Math.max(...inPatch.before.flat()));
    expect(before).toBeGreaterThan(0.1);
    expect(Math.abs(after)).toBeLessThan(before / 2);
  });

  test('finds the channel of the patch, the images that have it, and reads the group from its layer', async () => {
    const { channels, probes } = await explanationOf();
    const [conv] = channels;
    expect(conv).toMatchObject({ layer: 'conv', channels: 4 });
    const blue = conv!.top.find(({ channel }) => channel === 1)!; // filter 1 sees blue
    expect(blue.firing!.before.map(({ group, images }) => [group, images > 5])).toEqual([
      ['a', false],
      ['b', true],
    ]);
    expect(blue.firing!.before.reduce((sum, { images }) => sum + images, 0)).toBe(FEW.firingImages);
    expect(probes!.layers.map(({ layer }) => layer)).toEqual(['conv', 'features']);
    const { attribute, control } = probes!.layers[0]!;
    expect(attribute.before!.auc).toBeGreaterThan(0.8); // 0.9 of one group have the patch, 0.1 of the other
    expect(Math.abs(control.before!.auc - 0.5)).toBeLessThan(0.25);
    expect(probes!.trainedOn.part).toBe('tune');
    expect(probes!.measuredOn.part).toBe('test');
  });

  test('compares the mask between halves, draws and batch sizes, and sums its parts up', async () => {
    const { stability, composition } = await explanationOf({
      kind: 'narrow',
      data: makeTable({ size: 240, hasTest: true }),
    });
    expect(stability.map(({ kind, differs }) => [kind, differs])).toEqual([
      ['halves', 'even batches against odd ones'],
      ['seed', 'draw 1'],
      ['batch size', '32 samples a batch'],
    ]);
    const { total, kinds } = composition;
    expect(total).toMatchObject({ weights: 3 + 1, selected: 1, change: 1 }); // one of three at percentile 80
    expect(kinds.map(({ name }) => name)).toEqual(['dense kernel', 'bias']);
    expect(kinds.reduce((sum, { change }) => sum + change!, 0)).toBeCloseTo(1, 9);
    expect(kinds.reduce((sum, { disparityMass }) => sum + disparityMass!.held, 0)).toBeCloseTo(1, 9);
  });

  test('leaves the result and the model as they are without it, bit for bit', async () => {
    const { explained, model, ...rest } = await run();
    const plain = await run({ explain: undefined });
    expect(plain.explained).toBeUndefined();
    expect(bitsOf(model)).toEqual(bitsOf(plain.model));
    const { explained: none, model: other, ...plainRest } = plain;
    expect(rest).toEqual(plainRest);
  });

  test('gives the same for the same seed, and names no row', async () => {
    const [first, second] = [await explanationOf(), await explanationOf()];
    expect(JSON.stringify(first)).toBe(JSON.stringify(second));
    expect(JSON.stringify(first)).not.toContain('"rows":[');
  });

  test('has no figures after where no candidate was chosen, and the model is the original', async () => {
    const head = { ...(ROBUST.head as ConvergedHeadOptions), taskWeight: 0, disparityWeights: [0] };
    const original = await loadTfjsLayers(folder.at('images'));
    models.push(original);
    const { explained, model } = await run({ options: { ...ROBUST, head } });
    const { isTuned, composition, probes, occlusion } = explained!.explanation;
    expect(isTuned).toBe(false);
    expect(composition.total.change).toBeNull();
    expect(probes!.layers[0]!.attribute).toMatchObject({ after: null, change: null });
    expect(occlusion!.maps[0]!.after).toBeNull();
    expect(bitsOf(model)).toEqual(bitsOf(original));
  });

  test('covers no rows of numbers, and says so', async () => {
    const { occlusion, limits, probes, channels } = await explanationOf({
      kind: 'table',
      data: makeTable({ size: 240, hasTest: true }),
    });
    expect(occlusion).toBeNull();
    expect(limits).toEqual(['The model reads no images, so none could be covered.']);
    expect(probes!.layers[0]).toMatchObject({ layer: 'hidden', width: 4 });
    expect(channels[0]!.top[0]!.firing).not.toBeNull();
  });

  test('explains a soft mask with the head in it, and halves the only part there is', async () => {
    const preset = PRESETS['swift-released'];
    const options = {
      ...preset,
      body: { ...preset.body, epochs: 1 },
      head: { ...(preset.head as EpochsHeadOptions), epochs: 1 },
      explain: FEW,
    };
    const { stability, composition, probes } = await explanationOf({
      options,
      data: makeImages({ size: 96 }),
    });
    expect(stability[1]).toMatchObject({ chance: null, chanceWithinTensors: null });
    expect(composition.layers.map(({ name }) => name)).toEqual(['conv', 'head']);
    expect(composition.kinds.map(({ name }) => name)).toContain('head');
    expect(probes!.trainedOn.part).toBe('half of tune');
  });

  test('has little to say of a model without a body', async () => {
    const { composition, channels, stability } = await explanationOf({
      kind: 'head-only',
      data: makeTable({ size: 240, hasTest: true }),
    });
    expect(composition).toMatchObject({ layers: [], total: { weights: 0, disparityMass: null } });
    expect(channels).toEqual([]);
    expect(stability.map(({ overlap }) => overlap)).toEqual([null, null, null]);
  });

  test('counts towards the total of each stage, and stops in any', async () => {
    const stages: { stage: string; total: number; done: number }[] = [];
    const progress = {
      start: (stage: string, total: number) => void stages.push({ stage, total, done: 0 }),
      advance: (by = 1) => {
        stages.at(-1)!.done += by;
      },
      finish: () => {},
    };
    await run({ progress });
    const own = stages.filter(({ stage }) => stage.startsWith('explain'));
    expect(own.map(({ stage }) => stage)).toEqual([
      'explain: mask',
      'explain: layers before',
      'explain: covering before',
      'explain: layers after',
      'explain: covering after',
      'explain: probes',
    ]);
    for (const { total, done } of own) expect(done).toBeGreaterThanOrEqual(total);
    for (const { stage } of own) {
      const controller = new AbortController();
      const stop = { ...NO_PROGRESS, start: (name: string) => name === stage && controller.abort() };
      await expect(run({ progress: stop, signal: controller.signal }), stage).rejects.toMatchObject({
        code: 'INTERRUPTED',
      });
    }
  });

  test('keeps no tensor', async () => {
    await expectNoLeak(async () => {
      await run();
      models.pop()!.dispose();
    });
  });
});
