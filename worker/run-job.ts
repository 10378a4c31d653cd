import type { DataCheck } from '../core/checks/types.ts';
import type { InputSource, Samples } from '../core/data/types.ts';
import type { AuditReport } from '../core/fairness/types.ts';
import type { CandidateRecord, ControlsRecord, RunRecord, SearchRecord } from '../core/jobs/run-record.ts';
import type { Classifier } from '../core/model/classifier.ts';
import type { AuditedResult } from './audit-sets.ts';
import { auditSets, joinAudits } from './audit-sets.ts';
import { maskChooser, measureRatios, packRatios, unpackRatios } from './bmft/find-mask.ts';
import type { Mask } from './bmft/mask.ts';
import { makeObjective } from './bmft/objective.ts';
import type { MitigationOptions, Surrogate } from './bmft/options.ts';
import type { BlobStore } from './checkpoints.ts';
import { resumable } from './checkpoints.ts';
import type { Explained, ExplainInput } from './explain/explain.ts';
import { conclude, dataProblems, findDataProblem, reject } from './outcome.ts';
import type { DivideInput, Parts } from './parts.ts';
import { divide } from './parts.ts';
import type { Progress } from './progress.ts';
import type { Random } from './random.ts';
import { makeRandom } from './random.ts';
import type { Shard } from './search/share.ts';
import { restoreSnapshot, takeSnapshot } from './search/snapshot.ts';
import type { TuneInput } from './tune.ts';
import { tune, tuneShard } from './tune.ts';

export interface MitigationJob {
  /** Tuned in place; holds the result only when the outcome is `improved`. */
  readonly model: Classifier;
  readonly samples: Samples;
  readonly inputs: InputSource;
  readonly sensitiveFeature: string;
  readonly further?: DivideInput['further'];
  readonly splits: DivideInput['splits'];
  readonly testSets?: DivideInput['testSets'];
  readonly options: MitigationOptions;
  readonly seed: number;
  /** Decision threshold of the model, on the score. */
  readonly threshold: number;
  readonly progress: Progress;
  /** What an earlier attempt has done, and where this one keeps what it does. */
  readonly checkpoints: BlobStore;
  /** Processes that its candidates are spread over; 1 when absent. */
  readonly shards?: number | undefined;
  /** Looks at the data before anything is trained on it; absent, nothing does. */
  readonly check?: ((parts: Parts) => Promise<DataCheck>) | undefined;
  /** Goes on with data that the check calls unfit. */
  readonly despiteCheck?: boolean | undefined;
  /** Explains the mask once all else is done; absent, nothing does. */
  readonly explain?: ((input: ExplainInput) => Promise<Explained>) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a run found; its parts go into `run.json` as they are. */
export interface MitigationResult extends Pick<RunRecord, 'outcome' | 'data' | 'threshold' | 'curves'> {
  readonly before: AuditReport;
  readonly after: AuditReport | null;
  readonly mask: { readonly found: Mask; readonly summary: NonNullable<RunRecord['mask']> } | null;
  readonly candidates: readonly CandidateRecord[];
  /** What controls of the mask reached; absent unless they ran. */
  readonly controls?: ControlsRecord | undefined;
  /** Absent where only the preset's grid was tried. */
  readonly search?: SearchRecord | undefined;
  /** What was found in the data beforehand; absent where nothing looked. */
  readonly dataCheck?: DataCheck | undefined;
  readonly splits: RunRecord['splits'];
  /** Every audited set; the figures of the first are `before` and `after`. */
  readonly audited: readonly AuditedResult[];
  /** Absent where nobody asked for it, or where no mask was found. */
  readonly explained?: Explained | undefined;
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
  const original = takeSnapshot(model);
  const parts = divide({ ...job, selection: options.selection, random });
  const audit = { ...job, auditOptions: { intersections: job.further?.intersections } };
  const check = await job.check?.(parts);
  const before = await auditSets(parts.audited, { ...audit, stage: 'audit before' });
  const problems = dataProblems({ job, parts, check });
  if (problems.length > 0) {
    const rejected = reject({ job, parts, check, before: before[0].report, problems });
    return { ...rejected, splits: job.splits, audited: joinAudits(parts.audited, before, null) };
  }
  const prepared = await prepare(job, parts, random);
  const tuned = await tune(prepared);
  const { value: threshold } = tuned.threshold;
  const after = await auditSets(parts.audited, { ...audit, threshold, stage: 'audit after' });
  progress.finish();
  const result = conclude({ job, parts, check, before: before[0].report, after: after[0].report, tuned });
  const explained = await job.explain?.({ prepared, tuned, original });
  if (result.outcome.status !== 'improved') restoreSnapshot(model, original);
  const audited = joinAudits(parts.audited, before, tuned.isTuned ? after : null);
  return { ...result, splits: job.splits, audited, explained };
}

/**
 * The share of one process in a mitigation that is spread over several: its candidates go into the checkpoints,
 * where `runMitigation` finds them. Data that cannot carry the method leaves nothing to do.
 */
export async function runShard(job: MitigationJob, shard: Shard): Promise<void> {
  const random = makeRandom(job.seed);
  const parts = divide({ ...job, selection: job.options.selection, random });
  if (findDataProblem(parts, job.options) === null) await tuneShard(await prepare(job, parts, random), shard);
  job.progress.finish();
}

/** Objective, importance and mask. */
export async function prepare(job: MitigationJob, parts: Parts, random: Random): Promise<TuneInput> {
  const { model, options, progress } = job;
  const objective = makeObjective(options, parts.tune);
  progress.start('importance', Math.ceil(parts.tune.rows.length / options.batchSize));
  const ratios = await resumable(job.checkpoints, 'importance', async () =>
    packRatios(
      await measureRatios(
        {
          model,
          set: parts.tune,
          objective,
          options,
          random: random.fork('importance'),
          onBatch: progress.advance,
          signal: job.signal,
        },
        surrogatesOf(options),
      ),
    ),
  );
  const maskOf = maskChooser(unpackRatios(ratios), model, options);
  return { job, parts, objective, maskOf, random };
}

/** That of the options, and those that a search draws. */
function surrogatesOf({ disparity, search }: MitigationOptions): Surrogate[] {
  return [...new Set([disparity.surrogate, ...(search?.surrogates ?? [])])];
}
