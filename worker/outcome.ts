import type { DataCheck } from '../core/checks/types.ts';
import { MISSING_GROUP } from '../core/data/types.ts';
import { EmptyGroupError } from '../core/errors.ts';
import { disparity } from '../core/fairness/disparity.ts';
import type { AuditReport, GroupMetrics } from '../core/fairness/types.ts';
import type { CandidateRecord, SelectFigures } from '../core/jobs/run-record.ts';
import type { MitigationOptions } from './bmft/options.ts';
import { PRESETS } from './bmft/options.ts';
import type { Parts } from './parts.ts';
import type { MitigationJob, MitigationResult } from './run-job.ts';
import { DIFFERENCE_OF, selectFigures, violationsOf } from './search/selection.ts';
import { assertCells } from './training/sampler.ts';
import type { Tuned } from './tune.ts';

/** Rails of the verdict under every preset, so that a collapsed model never counts as improved. */
const VERDICT_RAILS = PRESETS.robust.selection!;

/**
 * Why the data cannot carry the method, in a sentence, or null when it can.
 *
 * Every (group, label) cell must be present where weights are tuned and where candidates are judged: a gap
 * over an empty cell would be invented.
 */
export function findDataProblem(
  { tune, select }: Pick<Parts, 'tune' | 'select'>,
  { disparity: { cellMinimum } }: MitigationOptions,
): string | null {
  if (tune.groupNames.length < 2) {
    const [only] = tune.groupNames;
    return only === undefined
      ? 'no sample has a value of the sensitive feature: a disparity needs two groups'
      : `one group only ("${only}"): a disparity needs two`;
  }
  try {
    assertCells(tune, cellMinimum);
    if (select) assertCells(select, 1);
    return null;
  } catch (error) {
    if (error instanceof EmptyGroupError) return error.message;
    throw error;
  }
}

/** Why nothing is trained on this data: it cannot carry the method, or the check calls it unfit; empty when neither. */
export function dataProblems({ job, parts, check }: Omit<Verdict, 'before'>): readonly string[] {
  const problem = findDataProblem(parts, job.options);
  if (problem !== null) return [problem];
  return job.despiteCheck ? [] : unfitReasons(check);
}

function unfitReasons(check: DataCheck | undefined): string[] {
  const unfit = check?.findings.filter(({ severity }) => severity === 'unfit') ?? [];
  return unfit.map(({ reason, repair }) => `${reason} ${repair}`);
}

/** A result as far as the audited set that decides it goes. */
type Concluded = Omit<MitigationResult, 'splits' | 'audited'>;

interface Verdict {
  readonly job: MitigationJob;
  readonly parts: Omit<Parts, 'audited'>;
  readonly check?: DataCheck | undefined;
  readonly before: AuditReport;
}

/** Result of a run that stopped before any weight moved. */
export function reject({
  job,
  parts,
  check,
  before,
  problems,
}: Verdict & { readonly problems: readonly string[] }): Concluded {
  const groups = trainedGroups(before, job);
  job.progress.finish();
  return {
    outcome: {
      ...describeOutcome(job, groups),
      status: 'rejected',
      after: null,
      aucBefore: before.overall.auc.value,
      aucAfter: null,
      reasons: problems,
    },
    before,
    after: null,
    data: parts.use,
    mask: null,
    threshold: { value: job.threshold, biasShift: 0 },
    curves: { body: [], head: [] },
    candidates: [],
    dataCheck: check,
  };
}

/**
 * Verdict on the audited part: improved when the disparity fell there too and neither AUC nor balanced accuracy
 * fell by more than the rails allow; reasons name what did not hold, group by group.
 */
export function conclude({
  job,
  parts,
  check,
  before,
  after,
  tuned,
}: Verdict & { readonly after: AuditReport; readonly tuned: Tuned }): Concluded {
  const reasons = tuned.isTuned
    ? reasonsAgainst(auditedFigures(before, job), auditedFigures(after, job))
    : whyNoneChosen(tuned.candidates);
  const isImproved = tuned.isTuned && reasons.decisive.length === 0;
  const groups = { before: trainedGroups(before, job), after: trainedGroups(after, job) };
  return {
    outcome: {
      ...describeOutcome(job, groups.before),
      status: isImproved ? 'improved' : 'not-improved',
      after: tuned.isTuned ? disparity(DIFFERENCE_OF[job.options.metric], groups.after).value : null,
      aucBefore: before.overall.auc.value,
      aucAfter: tuned.isTuned ? after.overall.auc.value : null,
      reasons: [...reasons.decisive, ...reasons.noted],
    },
    before,
    after: tuned.isTuned ? after : null,
    data: parts.use,
    mask: { found: tuned.found.mask, summary: { ...tuned.found.summary, isApplied: tuned.isApplied } },
    threshold: tuned.threshold,
    curves: tuned.curves,
    candidates: tuned.candidates,
    dataCheck: check,
  };
}

interface Reasons {
  /** Each of these alone makes the outcome `not-improved`. */
  readonly decisive: readonly string[];
  readonly noted: readonly string[];
}

/** What speaks against a model on the audited part, whose figures were `from` before. */
export function reasonsAgainst(from: SelectFigures, to: SelectFigures): Reasons {
  const { overall, byGroup } = violationsOf(to, from, VERDICT_RAILS);
  return { decisive: [...whyNoFall(from.disparity, to.disparity), ...overall], noted: byGroup };
}

function whyNoFall(from: number | null, to: number | null): string[] {
  if (from === null) return ['the disparity before is not defined, so nothing can be said to have improved'];
  if (to === null || to < from) return [];
  return [
    `the disparity did not fall on the audited data: ${from.toFixed(3)} before, ${to.toFixed(3)} after`,
  ];
}

/** @param candidates  the original may be among them */
export function whyNoneChosen(candidates: readonly Pick<CandidateRecord, 'kind' | 'violations'>[]): Reasons {
  const tried = candidates.filter(({ kind }) => kind !== 'original');
  const broken = tried.filter(({ violations }) => violations.length > 0).length;
  return {
    decisive: [
      `none of ${tried.length} candidates was chosen: ${broken} broke a guard rail on the select part, ${tried.length - broken} did not lower the disparity there`,
    ],
    noted: [],
  };
}

function describeOutcome(
  { sensitiveFeature, options }: MitigationJob,
  groupsBefore: readonly GroupMetrics[],
) {
  const metric = DIFFERENCE_OF[options.metric];
  return { sensitiveFeature, metric, before: disparity(metric, groupsBefore).value };
}

/** Figures of an audit over the groups that were trained on. */
export function auditedFigures(
  report: AuditReport,
  job: Pick<MitigationJob, 'sensitiveFeature' | 'options'>,
): SelectFigures {
  return selectFigures(report, trainedGroups(report, job), job.options.metric);
}

/** Groups of the mitigated feature, without that of rows that have no value. */
function trainedGroups(
  { features }: AuditReport,
  { sensitiveFeature }: Pick<MitigationJob, 'sensitiveFeature'>,
): readonly GroupMetrics[] {
  const feature = features.find((audited) => audited.sensitiveFeature === sensitiveFeature)!;
  return feature.groups.filter(({ group }) => group !== MISSING_GROUP);
}
