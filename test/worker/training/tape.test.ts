import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { keepTape, withoutTape } from '../../../worker/training/tape.ts';
import { expectNoLeak, withBackend } from '../../helpers/tensors.ts';

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
