import * as tf from '@tensorflow/tfjs-core';
import { Command, Option } from 'commander';
import type { Classifier } from '../../core/model/classifier.ts';
import { weightsOf } from '../../core/model/classifier.ts';
import { loadTfjsLayers } from '../../core/model/formats/tfjs-layers.ts';
import { startBackend } from '../../worker/backend.ts';
import { measureRatios } from '../../worker/bmft/find-mask.ts';
import { batchLoss, makeObjective } from '../../worker/bmft/objective.ts';
import { PRESETS } from '../../worker/bmft/options.ts';
import { makeRandom } from '../../worker/random.ts';
import type { TrainingSet } from '../../worker/training/batch.ts';
import { trainEpochs } from '../../worker/training/loop.ts';
import { sgd } from '../../worker/training/optimizers.ts';
import { median } from './median.ts';
import { SIDE } from './networks.ts';

/*
 * One training step (all weights, batch norm in training mode, momentum) and one importance pass of a network,
 * in a process of its own so that its peak memory can be read. One JSON line on stdout, seconds as medians.
 */

interface Flags {
  readonly model: string;
  readonly backend: 'wasm' | 'cpu';
  readonly repeats: number;
  readonly threads: number;
  readonly batch: number;
}

const program = new Command('step-process')
  .requiredOption('--model <folder>')
  .addOption(new Option('--backend <name>').choices(['wasm', 'cpu']).default('wasm'))
  .option('--repeats <count>', '', Number, 5)
  .option('--threads <count>', '', Number, 2)
  .option('--batch <count>', '', Number, 64);
program.parse();
const flags = program.opts<Flags>();

const { detail } = await startBackend(flags.backend, { threads: flags.threads });
const model = await loadTfjsLayers(flags.model);
const set = makeSet(flags.batch);
const result = {
  step: await stepSeconds(model, set),
  importance: await importanceSeconds(model, set),
  peakBytes: process.resourceUsage().maxRSS * 1024,
  detail,
};
process.stdout.write(`${JSON.stringify(result)}\n`);

/** One batch of noise, with every label in every group. */
function makeSet(batch: number): TrainingSet {
  const random = makeRandom(1);
  const values = Float32Array.from({ length: batch * SIDE * SIDE * 3 }, () => 2 * random.next() - 1);
  return {
    inputs: {
      size: batch,
      sampleShape: [SIDE, SIDE, 3],
      verify: async () => {},
      batch: async () => tf.tensor(values, [batch, SIDE, SIDE, 3]),
    },
    rows: Array.from({ length: batch }, (_, row) => row),
    labels: Int32Array.from({ length: batch }, (_, row) => row % 2),
    groups: Int32Array.from({ length: batch }, (_, row) => (row >> 1) % 2),
    groupNames: ['a', 'b'],
  };
}

async function stepSeconds(classifier: Classifier, set: TrainingSet): Promise<number> {
  const ends: number[] = [performance.now()];
  await trainEpochs({
    set,
    parameters: weightsOf(classifier),
    optimizer: sgd({ learningRate: 1e-4, momentum: 0.9 }),
    epochs: flags.repeats + 1,
    batchesOf: () => [set.rows],
    lossOf: batchLoss(classifier, {
      objective: makeObjective(PRESETS['bmft-released'], set),
      weights: { taskWeight: 1, disparityWeight: 1 },
      mode: { training: true, nextSeed: () => 1 },
    }),
    onBatch: () => ends.push(performance.now()),
  });
  return median(ends.slice(2).map((end, place) => end - ends[place + 1]!)) / 1000;
}

async function importanceSeconds(classifier: Classifier, set: TrainingSet): Promise<number> {
  const options = PRESETS['bmft-released'];
  const times: number[] = [];
  for (let round = 0; round <= flags.repeats; round += 1) {
    const start = performance.now();
    await measureRatios({
      model: classifier,
      set,
      objective: makeObjective(options, set),
      options,
      random: makeRandom(0),
    });
    times.push(performance.now() - start);
  }
  return median(times.slice(1)) / 1000;
}
