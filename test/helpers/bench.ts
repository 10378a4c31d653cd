import { afterEach, beforeAll, beforeEach } from 'vitest';
import type { Classifier } from '../../core/model/classifier.ts';
import { loadTfjsLayers } from '../../core/model/formats/tfjs-layers.ts';
import type { ConvergedHeadOptions, MitigationOptions } from '../../worker/bmft/options.ts';
import { PRESETS } from '../../worker/bmft/options.ts';
import type { Bench, BenchJob } from '../../worker/methods/bench.ts';
import { makeBench } from '../../worker/methods/bench.ts';
import type { MethodContext } from '../../worker/methods/method.ts';
import { NO_PROGRESS } from '../../worker/progress.ts';
import { useTempFolder } from './files.ts';
import { makeTable, writeTableClassifier } from './made-data.ts';
import { withBackend } from './tensors.ts';

/** Settings of `robust` with a grid of one, for tables. */
export const SMALL_GRID: MitigationOptions = {
  ...PRESETS.robust,
  mask: { ...PRESETS.robust.mask, percentiles: [80] },
  body: { ...PRESETS.robust.body, epochs: 3, learningRates: [0.03], disparityWeights: [4] },
  head: { ...(PRESETS.robust.head as ConvergedHeadOptions), disparityWeights: [0.1], iterations: 50 },
  selection: { ...PRESETS.robust.selection!, checkpoints: [3] },
};

/** A table classifier that each test finds as it was written; wide unless told otherwise. */
export function useTableClassifier(options?: Parameters<typeof writeTableClassifier>[1]): {
  readonly model: Classifier;
} {
  withBackend('wasm');
  const folder = useTempFolder();
  let model: Classifier;
  beforeAll(() => writeTableClassifier(folder.at('model'), options));
  beforeEach(async () => {
    model = await loadTfjsLayers(folder.at('model'));
  });
  afterEach(() => model.dispose());
  return {
    get model() {
      return model;
    },
  };
}

/** A bench of a model over a made table with a test split, and a clock that moves by a second at each look. */
export function makeTableBench(model: Classifier, changes: Partial<BenchJob> = {}): Bench {
  let seconds = 0;
  return makeBench({
    model,
    ...makeTable({ size: 240, hasTest: true }),
    sensitiveFeature: 'site',
    splits: { external: 'external', test: ['test'] },
    options: SMALL_GRID,
    threshold: 0.5,
    progress: NO_PROGRESS,
    now: () => {
      seconds += 1;
      return seconds * 1000;
    },
    ...changes,
  });
}

/** What a method of one seed is given. */
export async function contextOf(bench: Bench, seed = 1): Promise<MethodContext> {
  const shared = await bench.at(seed);
  const { model, options, threshold } = bench.job;
  const { parts, objective, random, masks, job } = shared;
  const judge = await shared.judge();
  return {
    ...{ model, options, threshold, parts, objective, random, masks, job, judge },
    tune: parts.tune,
    select: parts.select!,
  };
}
