import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { INFERENCE } from '../../../../../core/model/classifier.ts';
import { Lowering } from '../../../../../core/model/formats/onnx/lowering.ts';
import { Plan } from '../../../../../core/model/formats/onnx/plan.ts';
import type { Slot } from '../../../../../core/model/formats/onnx/values.ts';
import { FoldBudget, makeConstant } from '../../../../../core/model/formats/onnx/values.ts';
import { expectNoLeak, withBackend } from '../../../../helpers/tensors.ts';

const INPUT: Slot = { type: 'slot', id: 0, shape: [2], order: [0] };

describe('Plan', () => {
  withBackend('wasm');
  const double = (lowering: Lowering, slot: Slot) =>
    lowering.emit('Double', [slot], { shape: [2], run: ([x]) => tf.mul(x!, 2) });
  const run = (plan: Plan) => {
    const x = tf.tensor1d([1, 2]);
    const [y] = plan.run(new Map([[0, x]]), INFERENCE) as [tf.Tensor];
    const values = Array.from(y.dataSync());
    tf.dispose([x, y]);
    return values;
  };

  test('runs the steps that lead to its output, and keeps nothing else', async () => {
    await expectNoLeak(() => {
      const lowering = new Lowering(1, new FoldBudget());
      const two = double(lowering, INPUT);
      double(lowering, two); // leads nowhere
      const three = makeConstant('float', [2], Float64Array.of(3, 4));
      const sum = lowering.emit('Add', [two, lowering.slot(three)], {
        shape: [2],
        run: ([a, b]) => tf.add(a!, b!),
      });
      const plan = new Plan(lowering, [sum]);
      expect(plan.steps.length).toBe(2);
      expect([run(plan), run(plan)]).toEqual([
        [5, 8],
        [5, 8],
      ]);
      plan.dispose();
      plan.dispose();
    });
  });

  test('frees each value after its last reader', () => {
    const lowering = new Lowering(1, new FoldBudget());
    let slot = INPUT;
    const held: number[] = [];
    for (let step = 0; step < 5; step += 1) {
      slot = lowering.emit('Double', [slot], {
        shape: [2],
        run: ([x]) => {
          held.push(tf.memory().numTensors);
          return tf.mul(x!, 2);
        },
      });
    }
    expect(run(new Plan(lowering, [slot]))).toEqual([32, 64]);
    expect(new Set(held.slice(1)).size).toBe(1);
  });

  test('gives a copy where the output is the input', () => {
    expect(run(new Plan(new Lowering(1, new FoldBudget()), [INPUT]))).toEqual([1, 2]);
  });

  test('gives several outputs, a tensor of its own for each, constants too', async () => {
    await expectNoLeak(() => {
      const lowering = new Lowering(1, new FoldBudget());
      const two = double(lowering, INPUT);
      const three = lowering.slot(makeConstant('float', [2], Float64Array.of(3, 4)));
      const plan = new Plan(lowering, [double(lowering, two), two, two, three]);
      const x = tf.tensor1d([1, 2]);
      const found = plan.run(new Map([[0, x]]), INFERENCE);
      found[1]!.dispose();
      expect([0, 2, 3].map((place) => Array.from(found[place]!.dataSync()))).toEqual([
        [4, 8],
        [2, 4],
        [3, 4],
      ]);
      tf.dispose([x, ...found]);
      plan.dispose();
    });
  });

  test('takes gradients through values that are freed', () => {
    const lowering = new Lowering(1, new FoldBudget());
    const square = lowering.emit('Square', [INPUT], { shape: [2], run: ([x]) => tf.square(x!) });
    const plan = new Plan(lowering, [
      lowering.emit('Square', [square], { shape: [2], run: ([x]) => tf.square(x!) }),
    ]);
    const gradient = tf.tidy(() =>
      Array.from(
        tf
          .grad((x) => tf.sum(plan.run(new Map([[0, x]]), INFERENCE)[0]!))(tf.tensor1d([1, 2]))
          .dataSync(),
      ),
    );
    expect(gradient).toEqual([4, 32]); // of x⁴
  });
});
