import type { DataCheck } from '../core/checks/types.ts';
import { MISSING_GROUP } from '../core/data/types.ts';
import { EmptyGroupError } from '../core/errors.ts';
import type { AuditReport } from '../core/fairness/types.ts';
import type { CandidateRecord, DataUse, RunRecord, SelectFigures } from '../core/jobs/run-record.ts';
import type { DisparityMetric } from '../core/jobs/schema.ts';
import type { MitigationOptions } from './bmft/options.ts';
import { PRESETS } from './bmft/options.ts';
import type { Parts } from './parts.ts';
import type { MitigationJob, MitigationResult } from './run-job.ts';
import type { TargetGroups } from './search/selection.ts';
import { DIFFERENCE_OF, selectFigures, targetIn, violationsOf, widestOf } from './search/selection.ts';
import type { Grouping } from './training/batch.ts';
import { groupingsOf, inGrouping } from './training/batch.ts';
import { assertCells } from './training/sampler.ts';
import type { Tuned } from './tune.ts';

/** Rails of the verdict under every preset, so that a collapsed model never counts as improved. */
export const VERDICT_RAILS = PRESETS.robust.selection!;

/**
 * Why the data cannot carry the method, in a sentence, or null when it can.
 *
 * Every (group, label) cell must be present where weights are tuned and where candidates are judged: a gap
 * over an empty cell would be invented.
 */
export function findDataProblem(
  { tune, select, use }: Pick<Parts, 'tune' | 'select'> & { readonly use?: Pick<DataUse, 'merged'> },
  { disparity: { cellMinimum } }: MitigationOptions,
): string | null {
  for (const grouping of groupingsOf(tune)) {
    const problem =
      fewCells(grouping, use) ??
      fewGroups(grouping.groupNames) ??
      smallCell({ tune, select }, { grouping, cellMinimum });
    if (problem !== null) return tune.groupings ? `${grouping.name}: ${problem}` : problem;
  }
  return null;
}

/** Of an intersection, whose cells are no groups of their own when they are too small. */
function fewCells(
  { name, groupNames }: Grouping,
  { merged = [] }: Pick<DataUse, 'merged'> = {},
): string | null {
  const own = merged.filter(({ sensitiveFeature }) => sensitiveFeature === name);
  if (groupNames.length >= 2 || own.length === 0) return null;
  const { group, reason } = own[0]!;
  return `a disparity needs two cells that are large enough, received ${groupNames.length} of ${groupNames.length + own.length}; "${group}" has ${reason}`;
}

function fewGroups(groupNames: readonly string[]): string | null {
  if (groupNames.length >= 2) return null;
  const [only] = groupNames;
  return only === undefined
    ? 'no sample has a value of the sensitive feature: a disparity needs two groups'
    : `one group only ("${only}"): a disparity needs two`;
}

function smallCell(
  { tune, select }: Pick<Parts, 'tune' | 'select'>,
  { grouping, cellMinimum }: { grouping: Grouping; cellMinimum: number },
): string | null {
  try {
    assertCells(inGrouping(tune, grouping), cellMinimum);
    if (select) assertCells(inGrouping(select, grouping), 1);
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
  const from = auditedFigures(before, job, parts);
  job.progress.finish();
  return {
    outcome: outcomeOf({ ...evidenceOf(job), from, to: null, candidates: [], problems }),
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

/** Result of a run that tuned, or tried to; `tuned.isTuned` is false where no candidate was chosen. */
export function conclude({
  job,
  parts,
  check,
  before,
  after,
  tuned,
}: Verdict & { readonly after: AuditReport; readonly tuned: Tuned }): Concluded {
  const from = auditedFigures(before, job, parts);
  const to = tuned.isTuned ? auditedFigures(after, job, parts) : null;
  const { candidates } = tuned;
  return {
    outcome: outcomeOf({ ...evidenceOf(job), from, to, candidates, problems: [] }),
    before,
    after: tuned.isTuned ? after : null,
    data: parts.use,
    mask: { found: tuned.found.mask, summary: { ...tuned.found.summary, isApplied: tuned.isApplied } },
    threshold: tuned.threshold,
    curves: tuned.curves,
    candidates: tuned.candidates,
    ...(tuned.search && { search: tuned.search }),
    dataCheck: check,
  };
}

/** All that an outcome follows from; a run folder holds it. */
interface Evidence {
  /** The feature that is mitigated, where it is one. */
  readonly sensitiveFeature: string;
  readonly metric: DisparityMetric;
  /** On the audited data, before and after; `to` is null where no candidate was chosen. */
  readonly from: SelectFigures;
  readonly to: SelectFigures | null;
  readonly candidates: readonly CandidateRecord[];
  /** Why nothing was trained; empty when something was. */
  readonly problems: readonly string[];
}

function evidenceOf({ sensitiveFeature, options }: MitigationJob) {
  return { sensitiveFeature, metric: options.metric };
}

/**
 * Verdict on the audited part: improved when the disparity fell there too and neither AUC nor balanced accuracy
 * fell by more than the rails allow; reasons name what did not hold, group by group.
 */
export function outcomeOf(evidence: Evidence): RunRecord['outcome'] {
  const { from, to, candidates, problems } = evidence;
  const figures = {
    ...describeOutcome(evidence),
    after: to?.disparity ?? null,
    aucBefore: from.auc,
    aucAfter: to?.auc ?? null,
    ...describeFeatures(from, to),
  };
  if (problems.length > 0) return { ...figures, status: 'rejected', reasons: problems };
  const reasons = to === null ? whyNoneChosen(candidates) : reasonsAgainst(from, to);
  const isImproved = to !== null && reasons.decisive.length === 0;
  return {
    ...figures,
    status: isImproved ? 'improved' : 'not-improved',
    reasons: [...reasons.decisive, ...reasons.noted],
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

/** Of several features the largest disparity counts. */
function describeOutcome({ sensitiveFeature, metric, from }: Evidence) {
  const widest = from.byFeature?.[widestOf(from.byFeature)];
  return {
    sensitiveFeature: widest?.sensitiveFeature ?? sensitiveFeature,
    metric: DIFFERENCE_OF[metric],
    before: from.disparity,
  };
}

function describeFeatures({ byFeature }: SelectFigures, to: SelectFigures | null) {
  if (byFeature === undefined) return {};
  return {
    features: byFeature.map(({ sensitiveFeature, disparity }, place) => ({
      sensitiveFeature,
      before: disparity,
      after: to?.byFeature?.[place]?.disparity ?? null,
    })),
  };
}

/** Figures of an audit over the groups that are mitigated. */
export function auditedFigures(
  report: AuditReport,
  job: Pick<MitigationJob, 'sensitiveFeature' | 'options'>,
  parts: Pick<Parts, 'tune'>,
): SelectFigures {
  return selectFigures(report, targetsOf(report, job, parts), job.options.metric);
}

/** Groups of the mitigated features, without those of rows that have no value or are in no cell of an intersection. */
function targetsOf(
  report: AuditReport,
  { sensitiveFeature }: Pick<MitigationJob, 'sensitiveFeature'>,
  { tune }: Pick<Parts, 'tune'>,
): TargetGroups[] {
  if (tune.groupings === undefined) {
    return [targetIn(report, sensitiveFeature, (group) => group !== MISSING_GROUP)];
  }
  return tune.groupings.map(({ name, groupNames }) =>
    targetIn(report, name, (group) => groupNames.includes(group)),
  );
}
