import { isDeepStrictEqual } from 'node:util';
import { MISSING_GROUP } from '../../core/data/types.ts';
import { setFigures } from '../../core/fairness/set-figures.ts';
import type { AuditReport } from '../../core/fairness/types.ts';
import type { AuditedSetRecord, Cell, RunRecord } from '../../core/jobs/run-record.ts';
import { METRIC_NAMES } from '../../core/jobs/schema.ts';
import { mitigationOptionsSchema } from '../bmft/options.ts';
import { outcomeOf } from '../outcome.ts';
import { selectFigures, targetIn } from '../search/selection.ts';
import type { SetAudits } from './types.ts';

/** Where the outcome that `run.json` states is not the one that its audits and candidates lead to. */
export function outcomeProblems(run: RunRecord, [primary]: readonly SetAudits[]): string[] {
  const { outcome, candidates } = run;
  const metric = METRIC_NAMES.find((name) => name === run.options.metric);
  if (metric === undefined)
    return [`options.metric is "${String(run.options.metric)}", which is no disparity`];
  const figuresOf = (audit: AuditReport) => selectFigures(audit, targetsOf(run, audit), metric);
  const { before, after } = primary!;
  const found = outcomeOf({
    sensitiveFeature: outcome.sensitiveFeature,
    metric,
    from: figuresOf(before),
    to: after && figuresOf(after),
    candidates,
    problems: outcome.status === 'rejected' ? outcome.reasons : [],
  });
  const fields = Object.keys({ ...found, ...outcome }) as (keyof typeof outcome)[];
  return [
    ...fields
      .filter((field) => !isDeepStrictEqual(plain(found[field]), plain(outcome[field])))
      .map((field) => `outcome.${field} is ${shown(outcome[field])}, the audits give ${shown(found[field])}`),
    ...rejectionProblems(run),
  ];
}

/** Groups that are mitigated, as `auditedFigures` takes them, from what the run recorded of its parts. */
function targetsOf({ outcome, data }: RunRecord, audit: AuditReport) {
  const names = outcome.features?.map(({ sensitiveFeature }) => sensitiveFeature);
  const tune = data.parts.find(({ name }) => name === 'tune')?.cells ?? [];
  return (names ?? [outcome.sensitiveFeature]).map((sensitiveFeature) => {
    const tuned = new Set(
      tune.filter((cell) => cell.sensitiveFeature === sensitiveFeature).map(({ group }) => group),
    );
    const isTarget = (group: string) => group !== MISSING_GROUP && (names === undefined || tuned.has(group));
    return targetIn(audit, sensitiveFeature, isTarget);
  });
}

function rejectionProblems({ outcome, mask, candidates, audited }: RunRecord): string[] {
  if (outcome.status !== 'rejected') return [];
  const trained = mask !== null || candidates.length > 0 || audited.some(({ after }) => after !== null);
  return [
    ...(trained ? ['outcome.status is rejected, but the run trained something'] : []),
    ...(outcome.reasons.length === 0 ? ['outcome.status is rejected without a reason'] : []),
  ];
}

/** Where figures, supports and thresholds of `run.json` are not those of the audits. */
export function recordProblems(run: RunRecord, audits: readonly SetAudits[]): string[] {
  const options = mitigationOptionsSchema.safeParse(run.options);
  return [
    ...(options.success
      ? []
      : [`options.${options.error.issues[0]!.path.join('.')} is none that a run can have`]),
    ...run.audited.flatMap((set, place) => setProblems(run, set, audits[place]!)),
    ...partProblems(run),
    ...(run.candidates.filter(({ isChosen }) => isChosen).length > 1
      ? ['more than one candidate was chosen']
      : []),
  ];
}

function setProblems(run: RunRecord, set: AuditedSetRecord, { before, after }: SetAudits): string[] {
  const { sensitiveFeature, metric } = run.outcome;
  const target = { sensitiveFeature, metric, missingGroup: MISSING_GROUP };
  const figures = { before: setFigures(before, target), after: after && setFigures(after, target) };
  const where = `audited set "${set.name}"`;
  return [
    ...(isDeepStrictEqual(plain(figures), plain(set.figures))
      ? []
      : [`${where}: its figures are not those of its audits`]),
    ...(set.support === before.overall.support
      ? []
      : [`${where} has support ${set.support}, its audit has ${before.overall.support}`]),
    ...cellProblems(where, set.cells, { sensitiveFeature, before }),
    ...(after && sizesOf(after) !== sizesOf(before)
      ? [`${where}: before and after are not over the same samples`]
      : []),
    ...thresholdProblems(where, run, { before, after }),
  ];
}

function thresholdProblems(where: string, { threshold }: RunRecord, { before, after }: SetAudits): string[] {
  if (before.classes) return []; // the highest score decides
  const { value, biasShift } = threshold;
  if (after !== null && after.threshold !== value) {
    return [`${where}: threshold.value is ${value}, the audit after has ${after.threshold}`];
  }
  // where the head's bias took the shift, or nothing was tuned, the threshold is the one before
  if ((after === null || biasShift !== 0) && before.threshold !== value) {
    return [`${where}: threshold.value is ${value}, the audit before has ${before.threshold}`];
  }
  return [];
}

function cellProblems(
  where: string,
  cells: readonly Cell[],
  { sensitiveFeature, before }: { readonly sensitiveFeature: string; readonly before: AuditReport },
): string[] {
  return cells.flatMap((cell) => {
    const name = cell.sensitiveFeature ?? sensitiveFeature;
    // a class has its samples as the positives of its own audit
    const { features } = before.classes?.[cell.label] ?? before;
    const groups = features.find((feature) => feature.sensitiveFeature === name)?.groups ?? [];
    const group = groups.find((each) => each.group === cell.group);
    const isPositive = before.classes !== undefined || cell.label === 1;
    const support = (isPositive ? group?.positives : group?.negatives) ?? null;
    return support === cell.support
      ? []
      : [`${where}: "${cell.group}" has ${cell.support} of label ${cell.label}, its audit has ${support}`];
  });
}

function partProblems({ data, audited }: RunRecord): string[] {
  const part = data.parts.find(({ name }) => name === data.auditedOn);
  const [first] = audited;
  const total = [
    ...data.parts.map(({ support }) => support),
    ...data.excluded.map(({ rows }) => rows),
  ].reduce((sum, rows) => sum + rows, 0);
  return [
    ...(part?.support === first!.support
      ? []
      : [`data: the ${data.auditedOn} part has ${part?.support}, the audited set ${first!.support}`]),
    ...(total === data.rows ? [] : [`data: parts and excluded rows add up to ${total}, not to ${data.rows}`]),
    ...(data.isIndependent === (first!.source !== 'part')
      ? []
      : ['data.isIndependent does not fit the audited set']),
  ];
}

function sizesOf({ overall, features }: AuditReport): string {
  return JSON.stringify([
    overall.support,
    features.map(({ groups }) => groups.map((each) => [each.group, each.positives, each.negatives])),
  ]);
}

/** As it reads back from JSON. */
function plain(value: unknown): unknown {
  return value === undefined ? undefined : (JSON.parse(JSON.stringify(value)) as unknown);
}

function shown(value: unknown): string {
  return JSON.stringify(value) ?? 'absent';
}
