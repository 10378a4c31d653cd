import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import type { DenseLayer } from '../../../core/model/unit-head.ts';
import { UnitHead } from '../../../core/model/unit-head.ts';
import { centralDifferences } from '../../helpers/made-data.ts';
import { expectClose, expectNoLeak, noise, withBackend } from '../../helpers/tensors.ts';

const [ROWS, WIDTH, COUNT] = [5, 3, 4];

interface Made {
  readonly count?: number;
  readonly positive?: number;
  readonly isShared?: boolean;
  readonly hasBias?: boolean;
  /** Added to every unit. */
  readonly common?: number;
}

/** Units side by side, of noise. */
function layerOf({
  count = COUNT,
  positive = 1,
  isShared = true,
  hasBias = true,
  common = 0,
}: Made): DenseLayer {
  return {
    name: 'head',
    units: { count, positive, isShared, output: 'logit' },
    width: WIDTH,
    kernel: {
      name: 'kernel',
      entries: noise(WIDTH * count, 1).map((value) => 2 * value + common),
      isTransposed: false,
    },
    bias: hasBias ? { name: 'bias', entries: noise(count, 2).map((value) => value - common) } : null,
  };
}

const FEATURES = noise(ROWS * WIDTH, 3).map((value) => 2 * value);

/** z_u of each row in float64. */
function unitLogits({ units: { count }, kernel, bias }: DenseLayer, features: ArrayLike<number>): number[][] {
  return Array.from({ length: ROWS }, (_, row) =>
    Array.from({ length: count }, (_, unit) =>
      Array.from(
        { length: WIDTH },
        (_, place) => features[row * WIDTH + place]! * kernel.entries[place * count + unit]!,
      ).reduce((sum, product) => sum + product, bias?.entries[unit] ?? 0),
    ),
  );
}

/** log(p / (1 − p)) of the softmax probability p of the positive class; of a unit of its own, its logit. */
function expectedLogits(layer: DenseLayer, features: ArrayLike<number> = FEATURES): number[] {
  const { positive, isShared, count } = layer.units;
  return unitLogits(layer, features).map((logits) => {
    if (!isShared || count === 1) return logits[positive]!;
    const powers = logits.map(Math.exp);
    const total = powers.reduce((sum, power) => sum + power, 0);
    const probability = powers[positive]! / total;
    return Math.log(probability / (1 - probability));
  });
}

function logitsOf(head: UnitHead, features: Float32Array = FEATURES): number[] {
  return Array.from(tf.tidy(() => head.logits(tf.tensor2d(features, [ROWS, WIDTH])).dataSync()));
}

describe('UnitHead', () => {
  withBackend('wasm');

  function withHead<Result>(layer: DenseLayer, use: (head: UnitHead) => Result): Result {
    const head = new UnitHead(layer);
    try {
      return use(head);
    } finally {
      head.dispose();
    }
  }

  test.each<[string, Made]>([
    ['one unit', { count: 1, positive: 0, isShared: false }],
    ['two units', { count: 2 }],
    ['two units the other way round', { count: 2, positive: 0 }],
    ['four units', {}],
    ['four units without bias', { hasBias: false, positive: 3 }],
    ['four units with sigmoids of their own', { isShared: false, positive: 2 }],
  ])('scores as %s do', (_, made) => {
    const layer = layerOf(made);
    withHead(layer, (head) => {
      expectClose(logitsOf(head), expectedLogits(layer), 1e-5);
      expect(head.parameters).toMatchObject({
        name: 'head',
        units: layer.units.count,
        positiveClass: layer.units.count === 1 ? null : layer.units.positive,
        kernel: { name: 'kernel', layer: 'head', shape: [WIDTH, 1] },
      });
      expect(head.parameters.bias?.shape ?? null).toEqual(made.hasBias === false ? null : [1]);
    });
  });

  test('keeps its logits where those of the units are far out', () => {
    const layer = layerOf({});
    const far = FEATURES.map((value) => 400 * value);
    const expected = unitLogits(layer, far).map((logits) => {
      const others = logits.filter((_, unit) => unit !== 1);
      const largest = Math.max(...others);
      return logits[1]! - largest - Math.log(others.reduce((sum, z) => sum + Math.exp(z - largest), 0));
    });
    withHead(layer, (head) => expectClose(logitsOf(head, far), expected, 1e-5));
  });

  test('holds the same weights however a file spells the same softmax', () => {
    const weightsOf = (made: Made) =>
      withHead(layerOf(made), ({ parameters: { kernel, bias } }) =>
        [kernel, bias!].flatMap(({ variable }) => Array.from(variable.dataSync())),
      );
    expectClose(weightsOf({ common: 3 }), weightsOf({}), 1e-6);
    expect(Math.abs(weightsOf({ common: 3, isShared: false })[0]! - weightsOf({})[0]!)).toBeGreaterThan(1);
  });

  test('goes back as the file’s tensors with another positive unit, which then scores as it was tuned', () => {
    const layer = layerOf({});
    withHead(layer, (head) => {
      for (const { before, after } of head.changes().values()) expect(after).toEqual(before);
      const { kernel, bias } = head.parameters;
      tf.tidy(() => {
        kernel.variable.assign(tf.tensor2d([0.5, kernel.variable.dataSync()[1]!, -2], [WIDTH, 1]));
        bias!.variable.assign(tf.add(bias!.variable, 1));
      });
      const changes = head.changes();
      const moved = (name: string) => {
        const { before, after } = changes.get(name)!;
        return Array.from(after.keys()).filter((place) => before[place] !== after[place]);
      };
      expect(moved('kernel')).toEqual([1, 2 * COUNT + 1]);
      expect(moved('bias')).toEqual([1]);
      const saved = {
        ...layer,
        kernel: { ...layer.kernel, entries: changes.get('kernel')!.after },
        bias: { ...layer.bias!, entries: changes.get('bias')!.after },
      };
      expectClose(logitsOf(head), expectedLogits(saved), 1e-5);
    });
  });

  test.each([true, false])(
    'has the gradients of central differences by features and by its weights (bias: %s)',
    (hasBias) => {
      const layer = layerOf({ hasBias });
      const factors = noise(ROWS, 4);
      withHead(layer, (head) => {
        const { kernel, bias } = head.parameters;
        const weights = bias ? [kernel.variable, bias.variable] : [kernel.variable];
        const x = tf.variable(tf.tensor2d(FEATURES, [ROWS, WIDTH]));
        const { value, grads } = tf.variableGrads(
          () => tf.sum(tf.mul(head.logits(x as tf.Tensor2D), factors)) as tf.Scalar,
          [x, ...weights],
        );
        const sumOf = (logits: readonly number[]) =>
          logits.reduce((sum, logit, row) => sum + logit * factors[row]!, 0);
        const byFeatures = centralDifferences((at) => sumOf(expectedLogits(layer, at)), Array.from(FEATURES));
        expectClose(grads[x.name]!.dataSync(), byFeatures, 1e-4);
        const byColumn = Array.from({ length: WIDTH }, (_, place) =>
          factors.reduce((sum, factor, row) => sum + factor * FEATURES[row * WIDTH + place]!, 0),
        );
        expectClose(grads[kernel.variable.name]!.dataSync(), byColumn, 1e-5);
        if (bias)
          expectClose(
            grads[bias.variable.name]!.dataSync(),
            [factors.reduce((sum, factor) => sum + factor, 0)],
            1e-5,
          );
        tf.dispose([x, value, ...Object.values(grads)]);
      });
    },
  );

  test('refuses tensors of another size, and leaves nothing behind', async () => {
    await expectNoLeak(() => {
      const layer = layerOf({});
      withHead(layer, (head) => void logitsOf(head));
      const bias = { name: 'bias', entries: new Float32Array(3) };
      expect(() => new UnitHead({ ...layer, bias })).toThrow(
        'head "head": expected 4 entries of "bias", received 3',
      );
    });
  });
});
