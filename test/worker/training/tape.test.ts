import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keepTape, releaseWhenRead, withoutTape } from '../../../worker/training/tape.ts';
import { expectClose, expectNoLeak, noise, withBackend } from '../../helpers/tensors.ts';

describe('withoutTape', () => {
  withBackend('wasm');

  const slopeOf = (f: (x: tf.Tensor) => tf.Tensor): number =>
    tf.tidy(() => tf.grad(f)(tf.scalar(3)).dataSync()[0]!);

  test('makes what is computed a constant', () => {
    // d/dx of x · x², and of x · 9
    expect(slopeOf((x) => tf.mul(x, tf.square(x)))).toBeCloseTo(27, 5);
    expect(
      slopeOf((x) =>
        tf.mul(
          x,
          withoutTape(() => tf.square(x)),
        ),
      ),
    ).toBeCloseTo(9, 5);
  });

  test('goes on with the tape after an error', () => {
    const fail = () => {
      throw new Error('no');
    };
    const slope = slopeOf((x) => {
      expect(() => withoutTape(fail)).toThrow('no');
      return tf.square(x);
    });
    expect(slope).toBeCloseTo(6, 5);
  });

  test('keeps nothing for a gradient', async () => {
    let held = 0;
    await expectNoLeak(() =>
      slopeOf((x) => {
        const before = tf.memory().numTensors;
        const value = withoutTape(() => tf.tidy(() => tf.exp(tf.square(x))));
        held = tf.memory().numTensors - before;
        return tf.mul(x, value);
      }),
    );
    expect(held).toBe(1);
  });
});

describe('keepTape', () => {
  withBackend('wasm');

  test('lets two backward passes share a forward pass, and leaves no tensor', async () => {
    const x = tf.variable(tf.scalar(3));
    await expectNoLeak(() => {
      const recorded: { sine: tf.Scalar; readAgain: () => void }[] = [];
      const square = tf.variableGrads(() => {
        const squared = tf.square(x);
        recorded.push({ sine: tf.keep(tf.sin(squared)), readAgain: keepTape() });
        return squared as tf.Scalar;
      });
      const [{ sine, readAgain }] = recorded as [(typeof recorded)[number]];
      const both = tf.variableGrads(() => {
        readAgain();
        return sine;
      });
      expect(square.grads[x.name]!.dataSync()[0]).toBeCloseTo(6, 5);
      expect(both.grads[x.name]!.dataSync()[0]).toBeCloseTo(6 * Math.cos(9), 5);
      tf.dispose([square, both]);
    });
    x.dispose();
  });
});

describe('releaseWhenRead', () => {
  withBackend('wasm');

  let weights: tf.Variable[];
  let images: tf.Tensor4D;
  beforeAll(() => {
    images = tf.tensor4d(noise(2 * 8 * 8 * 3, 1), [2, 8, 8, 3]);
    const filter = (shape: readonly number[], seed: number) =>
      tf.variable(tf.tensor(noise(tf.util.sizeFromShape([...shape]), seed), [...shape]));
    weights = [filter([3, 3, 3, 4], 2), filter([3, 3, 4, 4], 3), filter([4], 4), filter([4, 1], 5)];
  });
  afterAll(() => tf.dispose([...weights, images]));

  /** dy as it is, for both inputs: no operation of tfjs has such a gradient, but nothing forbids it. */
  const sameGradient = tf.customGrad((a, b) => ({
    value: tf.add(a as tf.Tensor, b as tf.Tensor),
    gradFunc: (dy) => [dy, dy],
  }));

  /** Shared weights, results that are read twice, a tensor beside itself, pieces of one that are joined again. */
  function loss(): tf.Scalar {
    const [first, shared, bias, kernel] = weights as tf.Tensor[] as [
      tf.Tensor4D,
      tf.Tensor4D,
      tf.Tensor1D,
      tf.Tensor2D,
    ];
    const stem = tf.relu(tf.add(tf.conv2d(images, first, 1, 'same'), bias)) as tf.Tensor4D; // [B, 8, 8, 4]
    const branch = tf.relu(tf.conv2d(stem, shared, 1, 'same'));
    const again = tf.conv2d(tf.mul(branch, branch) as tf.Tensor4D, shared, 1, 'same');
    const sum = sameGradient(tf.add(stem, again), branch);
    const [left, right] = tf.split(sum, 2, 2) as [tf.Tensor4D, tf.Tensor4D];
    const joined = tf.concat([right, left, tf.tile(tf.reshape(bias, [1, 1, 1, 4]), [2, 8, 1, 1])], 2);
    const pooled = tf.mean(tf.maxPool(joined as tf.Tensor4D, 2, 2, 'valid'), [1, 2]); // [B, 4]
    return tf.sum(tf.softplus(tf.matMul(pooled as tf.Tensor2D, kernel))) as tf.Scalar;
  }

  const gradientsBy = (variables: tf.Variable[], prepare: () => void) => {
    const { value, grads } = tf.variableGrads(() => {
      const result = loss();
      prepare();
      return result;
    }, variables);
    const values = variables.map(({ name }) => [...grads[name]!.dataSync()]);
    tf.dispose([value, grads]);
    return values;
  };
  const releasing = (variables: tf.Variable[]) => gradientsBy(variables, () => releaseWhenRead(variables));
  const holding = (variables: tf.Variable[]) => gradientsBy(variables, () => {});

  test.each([[[0, 1, 2, 3]], [[1, 3]], [[0]], [[2]], [[3]]])(
    'changes no bit of the gradients by weights %j, and leaves no tensor',
    async (places) => {
      const variables = places.map((place) => weights[place]!);
      await expectNoLeak(() => expect(releasing(variables)).toEqual(holding(variables)));
      for (const variable of weights) expect(variable.isDisposed).toBe(false);
    },
  );

  test('may be one of two passes over a tape that is kept, or both', () => {
    const twice = () => {
      const recorded: { again: tf.Scalar; readAgain: () => void }[] = [];
      const first = tf.variableGrads(() => {
        const result = loss();
        recorded.push({ again: tf.keep(tf.square(result)), readAgain: keepTape() });
        releaseWhenRead(weights);
        return result;
      }, weights);
      const second = tf.variableGrads(() => {
        recorded[0]!.readAgain();
        releaseWhenRead(weights);
        return recorded[0]!.again;
      }, weights);
      const scale = 2 * first.value.dataSync()[0]!;
      for (const { name } of weights) {
        const [once, squared] = [first.grads[name]!.dataSync(), second.grads[name]!.dataSync()];
        expectClose(
          squared,
          once.map((entry) => scale * entry),
          1e-5,
        );
      }
      tf.dispose([first, second]);
    };
    return expectNoLeak(twice);
  });

  test('holds little of twenty layers when the backward pass has come to the lowest', () => {
    const held: number[] = [];
    const lowest = tf.customGrad((x) => ({
      value: tf.clone(x as tf.Tensor),
      gradFunc: (dy) => {
        held.push(tf.memory().numDataBuffers);
        return tf.clone(dy as tf.Tensor);
      },
    }));
    const [, , bias] = weights as [tf.Variable, tf.Variable, tf.Variable];
    const heldWith = (prepare: () => void): number => {
      const before = tf.memory().numDataBuffers;
      const { value, grads } = tf.variableGrads(() => {
        let activations = lowest(bias);
        for (let layer = 0; layer < 20; layer += 1) activations = tf.tanh(activations);
        const result = tf.sum(activations) as tf.Scalar;
        prepare();
        return result;
      }, [bias]);
      tf.dispose([value, grads]);
      return held.pop()! - before;
    };
    expect(heldWith(() => {})).toBeGreaterThanOrEqual(2 * 20);
    expect(heldWith(() => releaseWhenRead([bias]))).toBeLessThanOrEqual(5);
  });
});
