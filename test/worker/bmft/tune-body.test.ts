import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Classifier } from '../../../core/model/classifier.ts';
import { INFERENCE } from '../../../core/model/classifier.ts';
import { loadTfjsLayers } from '../../../core/model/formats/tfjs-layers.ts';
import type { Mask } from '../../../worker/bmft/mask.ts';
import { makeObjective } from '../../../worker/bmft/objective.ts';
import type { BodyOptions } from '../../../worker/bmft/options.ts';
import { PRESETS } from '../../../worker/bmft/options.ts';
import type { TuneBodyInput } from '../../../worker/bmft/tune-body.ts';
import { augmented, forwardMode, tuneBody } from '../../../worker/bmft/tune-body.ts';
import { makeRandom } from '../../../worker/random.ts';
import type { Batch } from '../../../worker/training/batch.ts';
import { sliceBatches } from '../../../worker/training/sampler.ts';
import { useTempFolder } from '../../helpers/files.ts';
import { allParameters, bitsOf, makeSet, writeFilled } from '../../helpers/made-data.ts';
import { expectNoLeak, noise, withBackend } from '../../helpers/tensors.ts';

const rows = Array.from({ length: 24 }, (_, row) => row);
const set = makeSet({
  labels: rows.map((row) => row % 2),
  groups: rows.map((row) => (row >> 1) % 2),
  sampleShape: [6, 6, 2],
});
const NEGATIVE_ZERO = 0x80000000;

function network(noiseLayer: 'dropout' | 'gaussian' | 'none') {
  return sequential({
    layers: [
      layers.conv2d({ name: 'conv', filters: 3, kernelSize: 3, inputShape: [6, 6, 2] }),
      layers.batchNormalization({ name: 'norm', momentum: 0.9 }),
      layers.reLU({ name: 'relu' }),
      ...(noiseLayer === 'dropout' ? [layers.dropout({ name: 'drop', rate: 0.5 })] : []),
      ...(noiseLayer === 'gaussian' ? [layers.gaussianNoise({ name: 'fog', stddev: 1 })] : []),
      layers.globalAveragePooling2d({ name: 'pool' }),
      layers.dense({ name: 'head', units: 1 }),
    ],
  });
}

/** Every other weight of the body is in the mask, nothing of the head. */
function halfMask(model: Classifier): Mask {
  const values = allParameters(model).map(({ name, variable }) => {
    const isBody = model.body.some((parameter) => parameter.name === name);
    return [
      name,
      Float32Array.from({ length: variable.size }, (_, place) => (isBody ? place % 2 : 0)),
    ] as const;
  });
  return { values: new Map(values), notes: new Map() };
}

const maskedPlaces = (mask: Mask, name: string, entry: 0 | 1) =>
  Array.from(mask.values.get(name)!.keys()).filter((place) => mask.values.get(name)![place] === entry);

describe('tuneBody', () => {
  withBackend('wasm');
  const folder = useTempFolder();
  const ROBUST = { ...PRESETS.robust.body, epochs: 2 };
  const RELEASED = { ...PRESETS['bmft-released'].body, epochs: 2 };

  beforeAll(async () => {
    for (const kind of ['dropout', 'gaussian', 'none'] as const) {
      await writeFilled(folder.at(kind), network(kind));
    }
  });

  /** Zeros with a sign that an update of 0 could lose, among gradients of either sign. */
  const plantNegativeZeros = (model: Classifier) =>
    tf.tidy(() => {
      const { variable, shape } = model.body.find(({ name }) => name === 'conv/kernel')!;
      const values = variable.dataSync().map((weight, place) => (place % 4 === 0 ? -0 : weight));
      variable.assign(tf.tensor(values, [...shape]));
    });

  interface Overrides extends Partial<TuneBodyInput> {
    readonly kind?: string;
    readonly prepare?: (model: Classifier) => void;
  }

  /** A fresh model before and after stage 1. */
  async function tuned(options: BodyOptions, overrides: Overrides = {}) {
    const { kind = 'dropout', prepare = () => {} } = overrides;
    const model = await loadTfjsLayers(folder.at(kind));
    prepare(model);
    const mask = overrides.mask ?? halfMask(model);
    const before = bitsOf(model);
    const start = valuesOf(model);
    try {
      const losses = await tuneBody({
        model,
        set,
        mask,
        objective: makeObjective(PRESETS.robust, set),
        options,
        settings: { learningRate: 0.05, disparityWeight: 1 },
        batchesOf: () => sliceBatches(rows, 8),
        random: makeRandom(5),
        ...overrides,
      });
      return { losses, mask, before, start, after: bitsOf(model), end: valuesOf(model) };
    } finally {
      model.dispose();
    }
  }

  const valuesOf = (model: Classifier) =>
    new Map(allParameters(model).map(({ name, variable }) => [name, Array.from(variable.dataSync())]));

  test.each(['sgd', 'adam'] as const)(
    'leaves every weight outside the mask bit-identical under robust with %s',
    async (optimizer) => {
      const { mask, before, after } = await tuned({ ...ROBUST, optimizer }, { prepare: plantNegativeZeros });
      for (const name of Object.keys(before)) {
        const pick = (bits: Record<string, number[]>) =>
          maskedPlaces(mask, name, 0).map((place) => bits[name]![place]);
        expect(pick(after), name).toEqual(pick(before));
      }
      const zeros = maskedPlaces(mask, 'conv/kernel', 0).filter((place) => place % 4 === 0);
      expect(zeros.map((place) => after['conv/kernel']![place])).toEqual(zeros.map(() => NEGATIVE_ZERO));
    },
  );

  test.each(['sgd', 'adam'] as const)('moves the weights in the mask with %s', async (optimizer) => {
    const { mask, before, after } = await tuned({ ...ROBUST, optimizer });
    const kernel = maskedPlaces(mask, 'conv/kernel', 1);
    const moved = kernel.filter((place) => after['conv/kernel']![place] !== before['conv/kernel']![place]);
    expect(moved.length).toBeGreaterThan(0.8 * kernel.length);
  });

  test.each([
    ['update', 0.1],
    ['gradient', 1],
  ] as const)('a mask of 0.1 on the %s makes %f of the step of Adam', async (maskActsOn, share) => {
    const stepUnder = async (entry: number) => {
      const model = await loadTfjsLayers(folder.at('none'));
      const values = new Map([...halfMask(model).values].map(([name, v]) => [name, v.map(() => entry)]));
      model.dispose();
      const options = { ...ROBUST, optimizer: 'adam', maskActsOn, epochs: 1 } as const;
      const mask = { values, notes: new Map() };
      const { start, end } = await tuned(options, { kind: 'none', mask, batchesOf: () => [rows] });
      return end.get('conv/kernel')!.map((weight, place) => weight - start.get('conv/kernel')![place]!);
    };
    const [whole, masked] = [await stepUnder(1), await stepUnder(0.1)];
    masked.forEach((step, place) => {
      expect(step).toBeCloseTo(share * whole[place]!, 3);
    });
    expect(Math.max(...whole.map(Math.abs))).toBeCloseTo(0.05, 3); // the first step of Adam is its rate
  });

  test('lowers the loss that it minimises', async () => {
    const { losses } = await tuned({ ...ROBUST, epochs: 10, taskWeight: 0 }, { kind: 'none' });
    expect(losses).toHaveLength(10 * 3);
    const mean = (from: number) => losses.slice(from, from + 3).reduce((sum, { loss }) => sum + loss / 3, 0);
    expect(mean(27)).toBeLessThan(mean(0));
  });

  test('as released, a weight outside the mask drifts by about learning rate times decay a step', async () => {
    const [learningRate, weightDecay] = [1e-3, 0.1];
    const options = { ...RELEASED, weightDecay, momentum: 0, epochs: 1 };
    const settings = { learningRate, disparityWeight: 1 };
    const { mask, start, end } = await tuned(options, { settings });
    const steps = 3;
    for (const place of maskedPlaces(mask, 'conv/kernel', 0)) {
      const [from, to] = [start.get('conv/kernel')![place]!, end.get('conv/kernel')![place]!];
      expect(to).toBeCloseTo(from * (1 - learningRate * weightDecay) ** steps, 6);
      expect(to).not.toBe(from);
    }
    const head = start
      .get('head/kernel')!
      .map((weight) => weight * (1 - learningRate * weightDecay) ** steps);
    end.get('head/kernel')!.forEach((weight, place) => {
      expect(weight).toBeCloseTo(head[place]!, 6);
    });
  });

  test('statistics of batch norm stand still unless they are to move', async () => {
    const still = await tuned(ROBUST);
    const moving = await tuned({ ...ROBUST, normalizationMoves: true });
    for (const name of ['norm/moving_mean', 'norm/moving_variance']) {
      expect(still.after[name]).toEqual(still.before[name]);
      expect(moving.after[name]).not.toEqual(moving.before[name]);
    }
  });

  test('statistics of batch norm move towards those of the batch', async () => {
    const model = await loadTfjsLayers(folder.at('none'));
    const inputs = await set.inputs.batch(rows.slice(0, 8));
    const { start, end } = await tuned(
      { ...RELEASED, epochs: 1 },
      { batchesOf: () => [rows.slice(0, 8)], kind: 'none' },
    );
    const batchMean = tf.tidy(() => {
      const [kernel, bias] = model.body.map(({ variable }) => variable);
      const maps = tf.add(tf.conv2d(inputs as tf.Tensor4D, kernel as tf.Tensor4D, 1, 'valid'), bias!);
      return tf.mean(maps, [0, 1, 2]).dataSync();
    });
    start.get('norm/moving_mean')!.forEach((mean, channel) => {
      expect(end.get('norm/moving_mean')![channel]).toBeCloseTo(0.9 * mean + 0.1 * batchMean[channel]!, 5);
    });
    inputs.dispose();
    model.dispose();
  });

  test('dropout draws from the seed: the same gives the same weights, another others', async () => {
    const withSeed = (seed: number) => tuned(RELEASED, { random: makeRandom(seed) });
    const first = await withSeed(5);
    expect((await withSeed(5)).after).toEqual(first.after);
    expect((await withSeed(6)).after).not.toEqual(first.after);
  });

  test('a layer whose noise has no seed is refused in training mode, by name', async () => {
    await expect(tuned(RELEASED, { kind: 'gaussian' })).rejects.toMatchObject({
      code: 'UNSUPPORTED_MODEL',
      message: expect.stringContaining('layer "fog" (GaussianNoise): its noise cannot be seeded'),
      details: { layer: 'fog' },
    });
  });

  test('a layer whose noise has no seed is silent in inference mode', async () => {
    await expect(tuned(ROBUST, { kind: 'gaussian' })).resolves.toBeDefined();
  });

  test('an empty mask moves nothing', async () => {
    const values = new Map([...(await tuned(ROBUST)).mask.values].map(([name, v]) => [name, v.map(() => 0)]));
    const { before, after } = await tuned(ROBUST, { mask: { values, notes: new Map() } });
    expect(after).toEqual(before);
  });

  test('flips change what is learnt when augmentation is on, the same from the same seed', async () => {
    const plain = await tuned(ROBUST, { kind: 'none' });
    const flipped = await tuned({ ...ROBUST, augment: true }, { kind: 'none' });
    expect(flipped.after).not.toEqual(plain.after);
    expect((await tuned({ ...ROBUST, augment: true }, { kind: 'none' })).after).toEqual(flipped.after);
  });

  test('leaves no tensor, whether it ends or is stopped', async () => {
    await expectNoLeak(() => tuned({ ...RELEASED, augment: true }));
    await expectNoLeak(() => tuned({ ...ROBUST, optimizer: 'adam' }));
    const signal = AbortSignal.abort();
    await expectNoLeak(() =>
      expect(tuned(ROBUST, { signal })).rejects.toMatchObject({ code: 'INTERRUPTED' }),
    );
  });
});

describe('forwardMode', () => {
  test('is inference while statistics stand still', () => {
    expect(forwardMode({ normalizationMoves: false }, makeRandom(1))).toBe(INFERENCE);
  });

  test('gives training its own seeds, each a positive 31-bit integer', () => {
    const seeds = () => {
      const mode = forwardMode({ normalizationMoves: true }, makeRandom(1));
      return mode.training ? Array.from({ length: 50 }, mode.nextSeed) : [];
    };
    expect(new Set(seeds()).size).toBe(50);
    expect(seeds().every((seed) => Number.isInteger(seed) && seed > 0 && seed < 2 ** 31)).toBe(true);
    expect(seeds()).toEqual(seeds());
  });
});

describe('augmented', () => {
  withBackend('wasm');

  /** What the loss sees of each of many batches. */
  function seen(inputs: tf.Tensor, mirrorAxes: readonly number[], count = 64): string[] {
    const loss = augmented((batch: Batch) => batch.inputs.dataSync().join(), { mirrorAxes }, makeRandom(3));
    const truth = { labels: Int32Array.of(0), groups: Int32Array.of(0) };
    return Array.from({ length: count }, () => tf.tidy(() => loss({ inputs, ...truth })));
  }

  test('shows image batches in all four flips and never mixes channels or samples', () => {
    const inputs = tf.tensor4d(noise(2 * 2 * 3 * 2, 1), [2, 2, 3, 2]);
    const flips = [[], [1], [2], [1, 2]].map((axes) =>
      tf.tidy(() => tf.reverse(inputs, axes).dataSync().join()),
    );
    expect(new Set(seen(inputs, [2, 1]))).toEqual(new Set(flips));
    inputs.dispose();
  });

  test('leaves tables as they are', () => {
    const inputs = tf.tensor2d([1, 2, 3, 4], [2, 2]);
    expect(new Set(seen(inputs, []))).toEqual(new Set(['1,2,3,4']));
    inputs.dispose();
  });
});
