import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Parameter } from '../../../core/model/classifier.ts';
import type { Batch } from '../../../worker/training/batch.ts';
import type { LossTerms } from '../../../worker/training/gradients.ts';
import type { EpochLosses, LoopOptions } from '../../../worker/training/loop.ts';
import { meanLosses, startTraining, trainEpochs } from '../../../worker/training/loop.ts';
import { adam, sgd } from '../../../worker/training/optimizers.ts';
import { makeSet, memoryInputs } from '../../helpers/made-data.ts';
import { expectClose, expectNoLeak, withBackend } from '../../helpers/tensors.ts';

const TARGETS = [1, 2, 3, 6];
const set = makeSet({
  labels: [0, 1, 0, 1],
  groups: [0, 0, 1, 1],
  inputs: memoryInputs(Float32Array.from(TARGETS), [1]),
});

const variableOf = (values: readonly number[]) =>
  tf.tidy(() => tf.variable(tf.tensor1d([...values]))) as tf.Variable<tf.Rank.R1>;

const bits = (variable: tf.Variable) =>
  Array.from(new Uint32Array(Float32Array.from(variable.dataSync()).buffer));

describe('trainEpochs', () => {
  withBackend('wasm');

  let weight: tf.Variable<tf.Rank.R1>;
  let still: tf.Variable<tf.Rank.R1>;
  const parameters = () =>
    [
      ['w', weight],
      ['still', still],
    ].map(([name, variable]) => ({ name, layer: 'l', shape: [1], variable }) as unknown as Parameter);

  /** In a tidy, since a variable shares the buffer of the tensor that it was given. */
  const assign = (variable: tf.Variable, values: readonly number[]) =>
    tf.tidy(() => variable.assign(tf.tensor1d([...values])));

  beforeAll(() => {
    weight = variableOf([0]);
    still = variableOf([0]);
  });
  beforeEach(() => {
    assign(weight, [10]);
    assign(still, [5]);
  });
  afterAll(() => tf.dispose([weight, still]));

  /** mean of (w - x)² over the batch as the task loss, 2w as the disparity loss */
  const lossOf = ({ inputs }: Batch): LossTerms => {
    const taskLoss = tf.mean(tf.square(tf.sub(inputs, weight))) as tf.Scalar;
    const disparityLoss = tf.sum(tf.mul(weight, 2)) as tf.Scalar;
    return { loss: tf.add(taskLoss, disparityLoss) as tf.Scalar, taskLoss, disparityLoss };
  };
  type Options = LoopOptions & { readonly epochs: number };
  const options = (overrides: Partial<Options> = {}): Options => ({
    set,
    parameters: parameters(),
    optimizer: sgd({ learningRate: 0.1 }),
    epochs: 2,
    batchesOf: () => [
      [0, 1],
      [2, 3],
    ],
    lossOf,
    ...overrides,
  });

  /** The same steps in float64: gradient 2 (w - mean of the batch) + 2. */
  function bySteps(batches: readonly (readonly number[])[]) {
    let w = 10;
    const losses: EpochLosses[] = [];
    for (const rows of batches) {
      const x = rows.map((row) => TARGETS[row]!);
      const taskLoss = x.reduce((sum, entry) => sum + (w - entry) ** 2 / x.length, 0);
      losses.push({ loss: taskLoss + 2 * w, taskLoss, disparityLoss: 2 * w });
      const mean = x.reduce((sum, entry) => sum + entry / x.length, 0);
      w -= 0.1 * (2 * (w - mean) + 2);
    }
    return { w, losses };
  }

  test('takes one step a batch and returns the losses before each', async () => {
    const losses = await trainEpochs(options());
    const expected = bySteps([
      [0, 1],
      [2, 3],
      [0, 1],
      [2, 3],
    ]);
    expectClose(weight.dataSync(), [expected.w], 1e-6);
    for (const term of ['loss', 'taskLoss', 'disparityLoss'] as const) {
      expectClose(
        losses.map((loss) => loss[term]),
        expected.losses.map((loss) => loss[term]),
        1e-6,
      );
    }
  });

  test('asks for the batches of each epoch and reports its mean losses', async () => {
    const asked: number[] = [];
    const reported: [number, EpochLosses][] = [];
    const losses = await trainEpochs(
      options({
        batchesOf: (epoch) => {
          asked.push(epoch);
          return epoch === 0 ? [[0], [1]] : [[2, 3]];
        },
        onEpoch: (epoch, mean) => void reported.push([epoch, mean]),
      }),
    );
    expect(asked).toEqual([0, 1]);
    expect(reported).toEqual([
      [0, meanLosses(losses.slice(0, 2))],
      [1, meanLosses(losses.slice(2))],
    ]);
  });

  test('waits for what an epoch starts, then goes on with the state that it had', async () => {
    const momentum = { optimizer: sgd({ learningRate: 0.01, momentum: 0.9 }) };
    await trainEpochs(options(momentum));
    const undisturbed = bits(weight);
    assign(weight, [10]);
    await trainEpochs(
      options({
        ...momentum,
        onEpoch: async () => {
          const held = weight.dataSync()[0]!;
          await new Promise((resolve) => setTimeout(resolve, 5));
          expect(weight.dataSync()[0]).toBe(held);
        },
      }),
    );
    expect(bits(weight)).toEqual(undisturbed);
  });

  test('rests between epochs while others move the weights, and goes on to the bits of one without a rest', async () => {
    const momentum = options({ optimizer: sgd({ learningRate: 0.01, momentum: 0.9 }) });
    const undisturbed = await trainEpochs({ ...momentum, epochs: 3 });
    const ended = bits(weight);
    assign(weight, [10]);
    const asked: number[] = [];
    const training = startTraining({
      ...momentum,
      onEpoch: (epoch) => void asked.push(epoch),
    });
    const losses = await training.run(1);
    const rested = weight.dataSync().slice();
    await trainEpochs({ ...momentum, epochs: 2 });
    assign(weight, [...rested]);
    losses.push(...(await training.run(2)));
    training.dispose();
    expect(bits(weight)).toEqual(ended);
    expect(losses).toEqual(undisturbed);
    expect(asked).toEqual([0, 1, 2]);
  });

  test('a zero update keeps the bits of a weight, -0 included', async () => {
    for (const optimizer of [
      sgd({ learningRate: 0 }),
      sgd({ learningRate: -0, momentum: 0.9 }),
      adam({ learningRate: 0 }),
    ]) {
      for (const value of [-0, 0, -1e-40, 1 / 3]) {
        assign(weight, [value]);
        const before = bits(weight);
        await trainEpochs(options({ optimizer }));
        expect(bits(weight), String(value)).toEqual(before);
      }
    }
  });

  test('a masked weight keeps its bits while its neighbour moves', async () => {
    const pair = variableOf([-0, 1]);
    const mask = tf.tensor1d([0, 1]);
    await trainEpochs(
      options({
        parameters: [{ name: 'pair', layer: 'l', shape: [2], variable: pair }],
        optimizer: adam({ learningRate: 0.1, masks: { pair: mask } }),
        lossOf: ({ inputs }) => {
          const loss = tf.mean(tf.square(tf.sub(inputs, tf.sum(pair)))) as tf.Scalar;
          return { loss, taskLoss: loss, disparityLoss: tf.scalar(0) };
        },
      }),
    );
    const [frozen, moved] = pair.dataSync();
    expect(frozen).toBe(-0);
    expect(moved).not.toBe(1);
    tf.dispose([pair, mask]);
  });

  test('a weight that the loss does not depend on stays', async () => {
    await trainEpochs(options({ optimizer: adam({ learningRate: 1 }) }));
    expect(still.dataSync()[0]).toBe(5);
  });

  test('counts batches as they are done', async () => {
    let done = 0;
    await trainEpochs(
      options({
        onBatch: () => {
          done += 1;
        },
      }),
    );
    expect(done).toBe(4);
  });

  test('holds no more tensors after than before, whatever the optimizer', async () => {
    for (const optimizer of [sgd({ learningRate: 0.1, momentum: 0.9 }), adam({ learningRate: 1 })]) {
      await expectNoLeak(() => trainEpochs(options({ optimizer })));
    }
  });

  const infinite = (term: keyof LossTerms) => (batch: Batch) => {
    const terms = lossOf(batch);
    return { ...terms, [term]: tf.mul(terms[term], Number.POSITIVE_INFINITY) as tf.Scalar };
  };

  test.each([
    ['loss', 'loss'],
    ['taskLoss', 'task loss'],
    ['disparityLoss', 'disparity loss'],
  ] as const)(
    'a %s that is not finite is a NonFiniteError that names it, and moves nothing',
    async (term, where) => {
      await expect(trainEpochs(options({ lossOf: infinite(term) }))).rejects.toMatchObject({
        code: 'NON_FINITE',
        details: { where },
        message: `${where}: expected a finite number, received Infinity`,
      });
      expect(weight.dataSync()[0]).toBe(10);
    },
  );

  test('a loss that is not finite leaves no tensor behind', async () => {
    await expectNoLeak(() => trainEpochs(options({ lossOf: infinite('loss') })).catch(() => {}));
  });

  test('a gradient that is not finite is a NonFiniteError that names the weight', async () => {
    assign(weight, [0]);
    const steep = (): LossTerms => {
      const loss = tf.sum(tf.sqrt(weight)) as tf.Scalar; // finite at 0, its slope is not
      return { loss, taskLoss: loss, disparityLoss: tf.scalar(0) };
    };
    const oneBatch = { epochs: 1, batchesOf: () => [[0]] };
    await expect(trainEpochs(options({ lossOf: steep, ...oneBatch }))).rejects.toMatchObject({
      code: 'NON_FINITE',
      details: { weight: 'w' },
    });
  });

  test('a stop is an InterruptedError before the next batch, and leaves no tensor behind', async () => {
    const controller = new AbortController();
    let done = 0;
    await expectNoLeak(async () => {
      const training = trainEpochs(
        options({
          optimizer: adam({ learningRate: 0.1 }),
          signal: controller.signal,
          onBatch: () => {
            done += 1;
            if (done === 3) controller.abort();
          },
        }),
      );
      await expect(training).rejects.toMatchObject({ code: 'INTERRUPTED' });
    });
    expect(done).toBe(3);
  });
});

describe('meanLosses', () => {
  test('averages each term', () => {
    expect(
      meanLosses([
        { loss: 1, taskLoss: 2, disparityLoss: 3 },
        { loss: 3, taskLoss: 6, disparityLoss: 5 },
      ]),
    ).toEqual({ loss: 2, taskLoss: 4, disparityLoss: 4 });
  });
});
