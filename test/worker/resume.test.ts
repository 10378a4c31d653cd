import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Classifier } from '../../core/model/classifier.ts';
import { loadTfjsLayers } from '../../core/model/formats/tfjs-layers.ts';
import type {
  ConvergedHeadOptions,
  EpochsHeadOptions,
  MitigationOptions,
} from '../../worker/bmft/options.ts';
import { PRESETS } from '../../worker/bmft/options.ts';
import type { BlobStore } from '../../worker/checkpoints.ts';
import { NO_CHECKPOINTS } from '../../worker/checkpoints.ts';
import { NO_PROGRESS } from '../../worker/progress.ts';
import type { MitigationJob } from '../../worker/run-job.ts';
import { runMitigation, runShard } from '../../worker/run-job.ts';
import { useTempFolder } from '../helpers/files.ts';
import { bitsOf, makeTable, writeTableClassifier } from '../helpers/made-data.ts';
import { memoryBlobs } from '../helpers/memory-blobs.ts';
import { withBackend } from '../helpers/tensors.ts';

/** Two percentiles and two weights: with the control five settings, so five checkpoints after the importance. */
const ROBUST: MitigationOptions = {
  ...PRESETS.robust,
  body: { ...PRESETS.robust.body, epochs: 2, learningRates: [0.03] },
  head: { ...(PRESETS.robust.head as ConvergedHeadOptions), disparityWeights: [0.1], iterations: 20 },
  selection: { ...PRESETS.robust.selection!, checkpoints: [1, 2] },
};
const SETTINGS = 1 + 2 * 2;

const RELEASED: MitigationOptions = {
  ...PRESETS['bmft-released'],
  body: { ...PRESETS['bmft-released'].body, epochs: 2 },
  head: { ...(PRESETS['bmft-released'].head as EpochsHeadOptions), epochs: 2 },
};

describe('a mitigation with checkpoints', () => {
  withBackend('wasm');
  const folder = useTempFolder();
  const models: Classifier[] = [];

  beforeAll(() => writeTableClassifier(folder.at('model'), { isNarrow: true }));
  afterEach(() => {
    for (const model of models.splice(0)) model.dispose();
  });

  async function jobWith(options: MitigationOptions, checkpoints: BlobStore): Promise<MitigationJob> {
    const model = await loadTfjsLayers(folder.at('model'));
    models.push(model);
    return {
      ...makeTable({ size: 240, hasTest: true }),
      model,
      sensitiveFeature: 'site',
      splits: { external: 'external', test: ['test'] },
      options,
      seed: 1,
      threshold: 0.5,
      progress: NO_PROGRESS,
      checkpoints,
    };
  }

  async function run(options: MitigationOptions, checkpoints: BlobStore) {
    const job = await jobWith(options, checkpoints);
    return { result: await runMitigation(job), weights: bitsOf(job.model) };
  }

  test.each([1, 2, 3, 4, 5, 6])(
    'killed after checkpoint %i it goes on to the very bits of an undisturbed run',
    async (killedAfter) => {
      const undisturbed = await run(ROBUST, NO_CHECKPOINTS);
      const blobs = memoryBlobs(killedAfter);
      await expect(run(ROBUST, blobs)).rejects.toThrow('killed');
      blobs.stopAfter = Number.POSITIVE_INFINITY;
      const resumed = await run(ROBUST, blobs);
      expect(resumed).toEqual(undisturbed);
      expect(JSON.stringify(resumed.result)).toBe(JSON.stringify(undisturbed.result));
      expect(new Set(blobs.saved).size).toBe(blobs.saved.length); // no step ran twice
      expect(blobs.saved).toHaveLength(1 + SETTINGS);
    },
  );

  test('a released preset killed after stage 1 goes on to the very bits of an undisturbed run', async () => {
    const undisturbed = await run(RELEASED, NO_CHECKPOINTS);
    const blobs = memoryBlobs(2);
    await expect(run(RELEASED, blobs)).rejects.toThrow('killed');
    blobs.stopAfter = Number.POSITIVE_INFINITY;
    expect(await run(RELEASED, blobs)).toEqual(undisturbed);
    expect(blobs.saved).toEqual(['importance', 'stage-1']);
  });

  test.each([2, 3, 7])(
    'spread over %i processes it chooses the same candidate, bit for bit',
    async (count) => {
      const alone = await run(ROBUST, NO_CHECKPOINTS);
      const blobs = memoryBlobs();
      for (const index of Array(count).keys()) {
        const job = await jobWith(ROBUST, blobs);
        const before = bitsOf(job.model);
        await runShard(job, { index, count });
        expect(bitsOf(job.model)).toEqual(before); // a shard leaves its model as it found it
      }
      expect(blobs.saved.filter((name) => name.startsWith('candidates-'))).toHaveLength(SETTINGS);
      expect(await run(ROBUST, blobs)).toEqual(alone);
      expect(blobs.saved).toHaveLength(1 + SETTINGS); // the reduction judged nothing itself
    },
  );
});
