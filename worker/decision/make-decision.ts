import { createHash } from 'node:crypto';
import { MISSING_GROUP } from '../../core/data/types.ts';
import type { SetFlips } from '../../core/fairness/flips.ts';
import { levelDown } from '../../core/fairness/level-down.ts';
import type { AuditReport, FeatureAudit } from '../../core/fairness/types.ts';
import type { DecidedSet, DecisionRecord } from '../../core/jobs/decision-record.ts';
import type { FileRecord, RunRecord } from '../../core/jobs/run-record.ts';
import { VERDICT_RAILS } from '../outcome.ts';
import { attentionOf } from './attention.ts';
import { signaturesOf } from './signatures.ts';

/** One audited set as the decision reads it. */
export interface DecisionSet {
  readonly name: string;
  readonly before: AuditReport;
  readonly after: AuditReport | null;
  readonly flips: SetFlips | null;
}

interface DecisionInput {
  readonly run: RunRecord;
  /** In the order of `run.audited`. */
  readonly sets: readonly DecisionSet[];
  /** Files of the run folder but for this record, the report and `run.json`. */
  readonly files: readonly FileRecord[];
}

/** The decision that a run stands for. Everything but the flips follows from `run.json` and the audits. */
export function makeDecision({ run, sets, files }: DecisionInput): DecisionRecord {
  const { preset, seed, outcome, threshold, tool, candidates, data } = run;
  const decided = sets.map((set) => decideSet(set, outcome.metric));
  return {
    schemaVersion: 1,
    runSha256: hashOfRun(run),
    decided: {
      tool: `${tool.name} ${tool.version}`,
      preset,
      seed,
      outcome,
      threshold,
      candidate: candidates.find(({ isChosen }) => isChosen)?.id ?? null,
      auditedOn: run.audited[0]?.name ?? data.auditedOn,
      isIndependent: data.isIndependent,
    },
    sets: decided,
    attention: attentionOf(run, sets, decided),
    signatures: signaturesOf(run, files),
  };
}

/**
 * SHA-256 of `run.json` without its outputs, which hold this hash, and without the environment, on which no figure
 * depends: the same run on another machine is the same decision.
 */
export function hashOfRun(run: RunRecord): string {
  const { outputs: _, environment: __, ...rest } = run;
  const text = `${JSON.stringify(rest, null, 2)}\n`;
  return createHash('sha256').update(text).digest('hex');
}

function decideSet(
  { name, before, after, flips }: DecisionSet,
  metric: RunRecord['outcome']['metric'],
): DecidedSet {
  if (after === null || flips === null) return { name, flips: null, levelDown: [] };
  const pairs = before.features.flatMap((feature) => {
    const [other, own] = [after.features, flips.features].map((features) =>
      features.find(({ sensitiveFeature }) => sensitiveFeature === feature.sensitiveFeature),
    ) as [FeatureAudit | undefined, SetFlips['features'][number] | undefined];
    return other && own ? [{ before: namedGroups(feature), after: namedGroups(other), flips: own }] : [];
  });
  const choices = { metric, rails: VERDICT_RAILS, level: before.level };
  return { name, flips, levelDown: pairs.map((pair) => levelDown({ ...pair, ...choices })) };
}

/** Rows without a value of the feature are no group that could gain or lose. */
function namedGroups(feature: FeatureAudit): FeatureAudit {
  return { ...feature, groups: feature.groups.filter(({ group }) => group !== MISSING_GROUP) };
}
