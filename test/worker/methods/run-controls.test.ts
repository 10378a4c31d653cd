import { beforeAll, describe, expect, test } from 'vitest';
import { loadTfjsLayers } from '../../../core/model/formats/tfjs-layers.ts';
import { NO_CHECKPOINTS } from '../../../worker/checkpoints.ts';
import { METHODS } from '../../../worker/methods/registry.ts';
import { runControls } from '../../../worker/methods/run-controls.ts';
import { runMethod } from '../../../worker/methods/run-method.ts';
import { runMitigation } from '../../../worker/run-job.ts';
import { takeSnapshot } from '../../../worker/search/snapshot.ts';
import { makeTableBench } from '../../helpers/bench.ts';
import { useTempFolder } from '../../helpers/files.ts';
import { bitsOf, writeTableClassifier } from '../../helpers/made-data.ts';
import { withBackend } from '../../helpers/tensors.ts';

describe('runControls', () => {
  withBackend('wasm');
  const folder = useTempFolder();
  beforeAll(() => writeTableClassifier(folder.at('narrow'), { isNarrow: true }));

  test('gives what each control gives in a comparison, against what the run kept, and leaves that', async () => {
    const model = await loadTfjsLayers(folder.at('narrow'));
    const bench = makeTableBench(model);
    const alone = await runMethod(bench, METHODS['random-mask']!, 1);
    const original = takeSnapshot(model);
    const job = { ...bench.job, seed: 1, checkpoints: NO_CHECKPOINTS };
    const { outcome, threshold } = await runMitigation(job);
    const kept = bitsOf(model);
    const { results, level } = await runControls(job, { original, threshold: threshold.value });
    expect(bitsOf(model)).toEqual(kept);
    model.dispose();
    expect(outcome.status).toBe('improved');
    expect(level).toBe(0.95);
    expect(results.map(({ control }) => control)).toEqual(['random-mask', 'all-ones-mask', 'head-only']);
    const [random] = results;
    const { disparity, auc, balancedAccuracy } = alone.after!;
    expect(random!.figures).toEqual({ disparity, auc, balancedAccuracy });
    expect(random!.difference!.disparity.value).toBeCloseTo(outcome.after! - disparity!, 12);
    expect(random!.difference!.auc.value).toBeCloseTo(outcome.aucAfter! - auc!, 12);
  });
});
