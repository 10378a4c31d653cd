import { isDeepStrictEqual } from 'node:util';
import type { AuditReport, GroupMetrics } from '../../core/fairness/types.ts';
import type { DecisionRecord } from '../../core/jobs/decision-record.ts';
import type { RunRecord } from '../../core/jobs/run-record.ts';
import type { Classifier } from '../../core/model/classifier.ts';
import { auditSets, joinAudits } from '../audit-sets.ts';
import { mitigationOptionsSchema } from '../bmft/options.ts';
import type { ModelAndData } from '../load-data.ts';
import type { FileJob, TestTable } from '../mitigate-files.ts';
import { divide } from '../parts.ts';
import { makeRandom } from '../random.ts';
import type { MitigationJob } from '../run-job.ts';
import { hashInputs } from '../save-run.ts';
import { readAudits, readOwnJson } from './read-run.ts';
import type { RunFolder, SetAudits } from './types.ts';

/** By how much a figure may differ that was computed on another backend. */
const TOLERANCE = 1e-4;

/** Input files that are not those that the run read. */
export async function inputProblems(
  { inputs }: RunRecord,
  { loaded, tables, job }: { loaded: ModelAndData; tables: readonly TestTable[]; job: FileJob },
): Promise<string[]> {
  const found = await hashInputs({ loaded, tables, manifest: job.source.manifest, config: job.config });
  const missing = found.filter(
    ({ name, sha256 }) => !inputs.some((input) => input.name === name && input.sha256 === sha256),
  );
  const few =
    found.length < inputs.length ? [`the run read ${inputs.length} inputs, ${found.length} were given`] : [];
  return [...missing.map(({ name }) => `input "${name}" is not one that the run read`), ...few];
}

interface Rescored {
  readonly mitigation: MitigationJob;
  /** Null where the run kept the original. */
  readonly tuned: Classifier | null;
}

/** Audits and flips that the models do not lead to on the data. */
export async function scoreProblems(
  { folder, run }: RunFolder,
  { mitigation, tuned }: Rescored,
): Promise<string[]> {
  const options = mitigationOptionsSchema.parse(run.options);
  const stored = await Promise.all(run.audited.map((set) => readAudits(folder, set)));
  const random = makeRandom(run.seed);
  const parts = divide({ ...mitigation, selection: options.selection, random });
  const how = { ...mitigation, auditOptions: { intersections: mitigation.further?.intersections } };
  const before = await auditSets(parts.audited, {
    ...how,
    threshold: stored[0]!.before.threshold!,
    stage: 'audit before',
  });
  const after =
    tuned === null
      ? null
      : await auditSets(parts.audited, {
          ...how,
          model: tuned,
          threshold: run.threshold.value,
          stage: 'audit after',
        });
  mitigation.progress.finish();
  const found = joinAudits(parts.audited, before, after);
  const decision = (await readOwnJson(folder, 'decision.json')) as DecisionRecord;
  return [
    ...(isDeepStrictEqual(JSON.parse(JSON.stringify(parts.use)), run.data)
      ? []
      : ['data: the rows of this data divide into other parts']),
    ...found.flatMap((set, place) => setProblems(set.name, set, stored[place])),
    ...(after === null
      ? []
      : found
          .filter(({ flips }, place) => !isDeepStrictEqual(flips, decision.sets[place]?.flips))
          .map(({ name }) => `decision.json: flips on "${name}" are others than those of the two models`)),
  ];
}

function setProblems(name: string, found: SetAudits, stored: SetAudits | undefined): string[] {
  if (stored === undefined) return [`set "${name}": the run has not audited it`];
  return [
    ...auditProblems(`audit before on "${name}"`, found.before, stored.before),
    ...(found.after && stored.after
      ? auditProblems(`audit after on "${name}"`, found.after, stored.after)
      : []),
  ];
}

/** The figures that scores decide, of each group. */
function auditProblems(where: string, found: AuditReport, stored: AuditReport): string[] {
  const named = (report: AuditReport) =>
    new Map(
      [
        ['all samples', report.overall] as const,
        ...report.features.flatMap(({ sensitiveFeature, groups }) =>
          groups.map((group) => [`${sensitiveFeature} "${group.group}"`, group] as const),
        ),
      ].map((entry) => entry),
    );
  const others = named(stored);
  return [...named(found)].flatMap(([group, metrics]) => {
    const other = others.get(group);
    if (other === undefined) return [`${where}: ${group} is not in it`];
    const different = figuresOf(metrics).filter(
      ([, value], place) => !isClose(value, figuresOf(other)[place]![1]),
    );
    return different.map(
      ([figure, value]) => `${where}: ${figure} of ${group} is another one, the model gives ${value}`,
    );
  });
}

function figuresOf({ counts, auc, brier }: GroupMetrics): [string, number | null][] {
  return [...Object.entries(counts), ['auc', auc.value], ['brier', brier.value]];
}

function isClose(first: number | null, second: number | null): boolean {
  if (first === null || second === null) return first === second;
  return Math.abs(first - second) <= TOLERANCE;
}
