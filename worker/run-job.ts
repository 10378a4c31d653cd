import type { InputSource, Samples } from '../core/data/types.ts';
import type { AuditReport } from '../core/fairness/types.ts';
import type { CandidateRecord, RunRecord } from '../core/jobs/run-record.ts';
import type { Classifier } from '../core/model/classifier.ts';
import { auditPart } from './audit-part.ts';
import { findMask } from './bmft/find-mask.ts';
import type { Mask } from './bmft/mask.ts';
import { makeObjective } from './bmft/objective.ts';
import type { MitigationOptions } from './bmft/options.ts';
import { conclude, findDataProblem, reject } from './outcome.ts';
import type { DivideInput } from './parts.ts';
import { divide } from './parts.ts';
import type { Progress } from './progress.ts';
import { makeRandom } from './random.ts';
import { tune } from './tune.ts';

export interface MitigationJob {
  /** Tuned in place; holds the result only when the outcome is `improved`. */
  readonly model: Classifier;
  readonly samples: Samples;
  readonly inputs: InputSource;
  readonly sensitiveFeature: string;
  readonly splits: DivideInput['splits'];
  readonly options: MitigationOptions;
  readonly seed: number;
  /** Decision threshold of the model, on the score. */
  readonly threshold: number;
  readonly progress: Progress;
  readonly signal?: AbortSignal | undefined;
}

/** What a run found; its parts go into `run.json` as they are. */
export interface MitigationResult extends Pick<RunRecord, 'outcome' | 'data' | 'threshold' | 'curves'> {
  readonly before: AuditReport;
  readonly after: AuditReport | null;
  readonly mask: { readonly found: Mask; readonly summary: NonNullable<RunRecord['mask']> } | null;
  readonly candidates: readonly CandidateRecord[];
}

/**
 * One mitigation: audit, find the weights that carry the disparity, tune those, refit the head, audit again.
 *
 * @throws CounterweightError for input that cannot be read; data that cannot carry the method, or a method
 *   that does not help, is an outcome and no error
 */
export async function runMitigation(job: MitigationJob): Promise<MitigationResult> {
  const { model, options, progress } = job;
  const random = makeRandom(job.seed);
  const parts = divide({ ...job, selection: options.selection, random });
  const audited = { ...job, rows: parts.auditedRows, sensitiveFeatures: parts.sensitiveFeatures };

  const before = await auditPart({ ...audited, stage: 'audit before' });
  const problem = findDataProblem(parts, options);
  if (problem !== null) return reject({ job, parts, before, problem });

  const objective = makeObjective(options, parts.tune);
  progress.start('importance', 2 * Math.ceil(parts.tune.rows.length / options.batchSize));
  const maskAt = await findMask({
    model,
    set: parts.tune,
    objective,
    options,
    random: random.fork('importance'),
    onBatch: progress.advance,
  });

  const tuned = await tune({ job, parts, objective, maskAt, random });
  const after = await auditPart({ ...audited, threshold: tuned.threshold.value, stage: 'audit after' });
  progress.finish();
  return conclude({ job, parts, before, after, tuned });
}
