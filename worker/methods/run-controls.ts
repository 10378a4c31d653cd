import type { ControlRecord, ControlsRecord } from '../../core/jobs/run-record.ts';
import { divide } from '../parts.ts';
import { makeRandom } from '../random.ts';
import type { MitigationJob } from '../run-job.ts';
import type { Snapshot } from '../search/snapshot.ts';
import { restoreSnapshot, takeSnapshot } from '../search/snapshot.ts';
import { makeBench } from './bench.ts';
import { evaluate } from './evaluate.ts';
import { CONTROLS } from './names.ts';
import type { Reached } from './paired.ts';
import { INTERVALS, pairedDifferences } from './paired.ts';
import { METHODS } from './registry.ts';
import type { MethodResult } from './run-method.ts';
import { runMethod } from './run-method.ts';

export interface KeptModel {
  /** Weights before the mitigation; the job's model holds those that it kept, and does so again afterwards. */
  readonly original: Snapshot;
  /** On the score, of the model that was kept. */
  readonly threshold: number;
}

/**
 * The controls of the mask, run as the mitigation was: the same seed, parts, batches, selection and audit.
 *
 * @throws InvalidInputError for options without a selection
 */
export async function runControls(
  job: MitigationJob,
  { original, threshold }: KeptModel,
): Promise<ControlsRecord> {
  const { model, options, seed } = job;
  const parts = divide({ ...job, selection: options.selection, random: makeRandom(seed) });
  const kept: Reached = { seed, ...(await evaluate({ job, parts, threshold })) };
  const snapshot = takeSnapshot(model);
  try {
    restoreSnapshot(model, original);
    const bench = makeBench({ ...job, now: () => 0 }); // a run is recorded without times
    const results: ControlRecord[] = [];
    for (const control of CONTROLS) {
      results.push(recordOf(await runMethod(bench, METHODS[control]!, seed), kept, options.metric));
    }
    return { ...INTERVALS, results };
  } finally {
    restoreSnapshot(model, snapshot);
    job.progress.finish();
  }
}

function recordOf(
  { method, status, seed, reasons, after, decisions, cost }: MethodResult,
  kept: Reached,
  metric: MitigationJob['options']['metric'],
): ControlRecord {
  const about = { control: method, status, reasons, parametersTouched: cost.parametersTouched };
  if (after === null || decisions.after === null) return { ...about, figures: null, difference: null };
  const reached = { seed, figures: after, decisions: decisions.after };
  const { disparity, auc } = pairedDifferences([kept], [reached], { metric, seed: 0, ...INTERVALS });
  return {
    ...about,
    figures: { disparity: after.disparity, auc: after.auc, balancedAccuracy: after.balancedAccuracy },
    difference: { disparity, auc },
  };
}
