import { layers, sequential } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadTfjsLayers } from '../../../core/model/formats/tfjs-layers.ts';
import { makeObjective } from '../../../worker/bmft/objective.ts';
import { PRESETS } from '../../../worker/bmft/options.ts';
import { startTuning } from '../../../worker/bmft/tune-body.ts';
import { makeRandom } from '../../../worker/random.ts';
import { restoreSnapshot, takeSnapshot } from '../../../worker/search/snapshot.ts';
import { stratifiedBatches } from '../../../worker/training/sampler.ts';
import { useTempFolder } from '../../helpers/files.ts';
import { allParameters, bitsOf, makeSet, writeFilled } from '../../helpers/made-data.ts';
import { expectNoLeak, withBackend } from '../../helpers/tensors.ts';

const rows = Array.from({ length: 24 }, (_, row) => row);
const set = makeSet({
  labels: rows.map((row) => row % 2),
  groups: rows.map((row) => (row >> 1) % 2),
  sampleShape: [4, 4, 2],
});

describe('startTuning', () => {
  withBackend('wasm');
  const folder = useTempFolder();
  const network = () =>
    sequential({
      layers: [
        layers.conv2d({ name: 'conv', filters: 3, kernelSize: 3, inputShape: [4, 4, 2] }),
        layers.batchNormalization({ name: 'norm', momentum: 0.9 }),
        layers.dropout({ name: 'drop', rate: 0.5 }),
        layers.globalAveragePooling2d({ name: 'pool' }),
        layers.dense({ name: 'head', units: 1 }),
      ],
    });
  beforeAll(() => writeFilled(folder.at('model'), network()));

  test.each([
    ['robust with flips', { ...PRESETS.robust.body, augment: true }],
    ['robust with Adam', { ...PRESETS.robust.body, optimizer: 'adam' as const }],
    ['as released, with dropout, flips and moving statistics', PRESETS['swift-released'].body],
  ])('of two settings that take turns ends at the bits of each alone: %s', async (_, options) => {
    const model = await loadTfjsLayers(folder.at('model'));
    const begun = takeSnapshot(model);
    const mask = {
      values: new Map(
        allParameters(model).map(({ name, variable }) => [name, new Float32Array(variable.size).fill(1)]),
      ),
      notes: new Map<string, string>(),
    };
    const start = (learningRate: number) => {
      const random = makeRandom(5).fork(String(learningRate));
      return startTuning({
        model,
        set,
        mask,
        objective: makeObjective(PRESETS.robust, set),
        options,
        settings: { learningRate, disparityWeight: 1 },
        batchesOf: () => stratifiedBatches(set, { batchSize: 12, cellMinimum: 2, random }),
        random,
      });
    };
    const alone = async (learningRate: number) => {
      restoreSnapshot(model, begun);
      const training = start(learningRate);
      await training.run(3);
      training.dispose();
      return bitsOf(model);
    };
    const inTurns = async (learningRates: readonly number[]) => {
      const turns = learningRates.map((rate) => ({ training: start(rate), at: begun }));
      for (const epochs of [1, 2]) {
        for (const turn of turns) {
          restoreSnapshot(model, turn.at);
          await turn.training.run(epochs);
          turn.at = takeSnapshot(model);
        }
      }
      return turns.map(({ training, at }) => {
        training.dispose();
        restoreSnapshot(model, at);
        return bitsOf(model);
      });
    };
    const expected = [await alone(0.05), await alone(0.02)];
    expect(await inTurns([0.05, 0.02])).toEqual(expected);
    expect(expected[0]).not.toEqual(expected[1]);
    await expectNoLeak(() => inTurns([0.05, 0.02]));
    model.dispose();
  });
});
