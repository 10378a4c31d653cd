import { layers, sequential } from '@tensorflow/tfjs-layers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Classifier } from '../../../core/model/classifier.ts';
import { loadTfjsLayers } from '../../../core/model/formats/tfjs-layers.ts';
import { batchesBy } from '../../../worker/bmft/batches.ts';
import type { FindMaskInput } from '../../../worker/bmft/find-mask.ts';
import {
  maskChooser,
  masksOf,
  measureRatios,
  packRatios,
  unpackRatios,
} from '../../../worker/bmft/find-mask.ts';
import type { MeasuredImportance } from '../../../worker/bmft/importance.ts';
import { importancesOf } from '../../../worker/bmft/importance.ts';
import { hardMask, importanceRatio, maskOverlap } from '../../../worker/bmft/mask.ts';
import { batchLoss, makeObjective, onSurrogate } from '../../../worker/bmft/objective.ts';
import { PRESETS, SURROGATES } from '../../../worker/bmft/options.ts';
import { makeRandom } from '../../../worker/random.ts';
import { useTempFolder } from '../../helpers/files.ts';
import { findMask } from '../../helpers/find-mask.ts';
import { bitsOf, makeSet, writeFilled } from '../../helpers/made-data.ts';
import { expectNoLeak, withBackend } from '../../helpers/tensors.ts';

const rows = Array.from({ length: 32 }, (_, row) => row);
const set = makeSet({ labels: rows.map((row) => row % 2), groups: rows.map((row) => (row >> 1) % 2) });

describe('findMask', () => {
  withBackend('wasm');
  const folder = useTempFolder();
  let model: Classifier;

  beforeAll(async () => {
    const layersModel = sequential({
      layers: [
        layers.dense({ name: 'first', units: 4, inputShape: [3], activation: 'tanh' }),
        layers.dense({ name: 'second', units: 4, activation: 'tanh' }),
        layers.dense({ name: 'head', units: 1 }),
      ],
    });
    model = await loadTfjsLayers(await writeFilled(folder.at('model'), layersModel));
  });
  afterAll(() => model.dispose());

  const input = (overrides: Partial<FindMaskInput> = {}): FindMaskInput => {
    const options = { ...PRESETS.robust, batchSize: 8 };
    return {
      model,
      set,
      objective: makeObjective(options, set),
      options,
      random: makeRandom(1),
      ...overrides,
    };
  };
  const bodySize = () => model.body.reduce((sum, { variable }) => sum + variable.size, 0);

  test('selects the share of the body above the percentile and nothing of the head', async () => {
    const maskAt = await findMask(input());
    for (const percentile of [50, 80]) {
      const { mask, summary } = maskAt(percentile);
      const share = summary.selected / bodySize();
      expect(Math.abs(share - (1 - percentile / 100))).toBeLessThan(0.07);
      expect(mask.values.get('head/kernel')).toEqual(new Float32Array(4));
      expect(mask.values.get('head/bias')).toEqual(new Float32Array(1));
    }
  });

  test('sums the body up, each layer with its size', async () => {
    const { summary } = (await findMask(input()))(50);
    expect(summary).toMatchObject({ kind: 'hard', percentile: 50, total: bodySize() });
    expect(summary.layers.map(({ parameter, size }) => [parameter, size])).toEqual([
      ['first/kernel', 12],
      ['first/bias', 4],
      ['second/kernel', 16],
      ['second/bias', 4],
    ]);
  });

  test('is the ratio of both importances over the same batches, and its stability that of their halves', async () => {
    const { options, objective, random } = input();
    const batches = batchesBy('stratified', set, { options, random })(0);
    const parameters = [...model.body, model.head.kernel, model.head.bias!];
    const { disparityLoss: disparity, taskLoss: task } = await importancesOf({
      set,
      parameters,
      batches,
      lossesOf: batchLoss(model, { objective, weights: { taskWeight: 2, disparityWeight: 3 } }),
    });
    const about = {
      sizes: new Map(parameters.map(({ name, variable }) => [name, variable.size])),
      body: model.body.map(({ name }) => name),
      percent: 50,
    };
    const maskBy = (part: 'all' | 0 | 1) => {
      const pick = (of: MeasuredImportance) => (part === 'all' ? of.all : of.halves![part]);
      return hardMask(importanceRatio({ disparity: pick(disparity), task: pick(task) }, options.mask), about);
    };
    const { mask, summary } = (await findMask(input()))(50);
    expect(mask.values).toEqual(maskBy('all').values);
    expect(summary.stability).toBe(maskOverlap(maskBy(0), maskBy(1)));
  });

  test('has no stability with one batch', async () => {
    const options = { ...PRESETS.robust, batchSize: 64 };
    expect((await findMask(input({ options })))(50).summary.stability).toBeNull();
  });

  test('a soft mask has no percentile and covers the head', async () => {
    const options = { ...PRESETS['swift-released'], batchSize: 8 };
    const maskAt = await findMask(input({ options, objective: makeObjective(options, set) }));
    const { mask, summary } = maskAt(50);
    expect(summary).toMatchObject({ kind: 'soft', percentile: null, total: bodySize() + 5 });
    expect(Math.max(...mask.values.get('head/kernel')!)).toBeGreaterThan(0);
    expect(maskAt(90).mask.values).toEqual(mask.values);
  });

  test('works for a head without bias', async () => {
    const layersModel = sequential({
      layers: [
        layers.dense({ units: 3, inputShape: [3] }),
        layers.dense({ name: 'head', units: 1, useBias: false }),
      ],
    });
    const plain = await loadTfjsLayers(await writeFilled(folder.at('plain'), layersModel));
    const { mask } = (await findMask(input({ model: plain })))(50);
    expect([...mask.values.keys()]).toHaveLength(3);
    plain.dispose();
  });

  test.each([8, 64])(
    'comes back from a checkpoint bit for bit, notes and halves included (batches of %i)',
    async (batchSize) => {
      const options = { ...PRESETS.robust, batchSize };
      const ratios = await measureRatios(input({ options }), SURROGATES);
      const unpacked = unpackRatios(
        JSON.parse(JSON.stringify([packRatios(ratios).facts])).map((facts: never) => ({
          ...packRatios(ratios),
          facts,
        }))[0],
      );
      expect(unpacked).toEqual(ratios);
      for (const surrogate of SURROGATES) {
        expect(ratios.get(surrogate)!.all.notes.size).toBe(1); // the head's bias, one weight
        expect(ratios.get(surrogate)!.halves === null).toBe(batchSize === 64);
        const maskAt = (of: typeof ratios) => masksOf(of.get(surrogate)!, model, options);
        expect(maskAt(unpacked)(80)).toEqual(maskAt(ratios)(80));
      }
    },
  );

  test('is, on each of two surrogates measured together, that of the surrogate alone, bit for bit', async () => {
    const both = await measureRatios(input(), SURROGATES);
    for (const surrogate of SURROGATES) {
      const objective = onSurrogate(makeObjective(PRESETS.robust, set), surrogate);
      const alone = await measureRatios(input({ objective }));
      expect([...alone.keys()]).toEqual([surrogate]);
      expect(both.get(surrogate)).toEqual(alone.get(surrogate));
    }
    expect(both.get('score')!.all.values).not.toEqual(both.get('logit')!.all.values);
  });

  test('can be chosen by percentile, softness and surrogate', async () => {
    const options = { ...PRESETS.robust, batchSize: 8 };
    const ratios = await measureRatios(input({ options }), SURROGATES);
    const maskOf = maskChooser(ratios, model, options);
    const soft = { ...options, mask: { ...options.mask, kind: 'soft' as const } };
    for (const surrogate of SURROGATES) {
      const own = ratios.get(surrogate)!;
      expect(maskOf({ percentile: 80, surrogate })).toEqual(masksOf(own, model, options)(80));
      expect(maskOf({ percentile: null, surrogate })).toEqual(masksOf(own, model, soft)(0));
    }
    const asPreset = { percentile: 80, surrogate: 'score' } as const;
    expect(maskOf(asPreset)).toBe(maskOf(asPreset)); // of which a grid asks many times
  });

  test('repeats from the same seed, counts its batches, moves nothing and leaves no tensor', async () => {
    const before = bitsOf(model);
    let done = 0;
    const onBatch = () => {
      done += 1;
    };
    await expectNoLeak(async () => {
      const first = (await findMask(input({ onBatch })))(50);
      expect((await findMask(input()))(50)).toEqual(first);
    });
    expect(done).toBe(rows.length / 8);
    expect(bitsOf(model)).toEqual(before);
  });
});
