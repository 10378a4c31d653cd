import { isDeepStrictEqual } from 'node:util';
import type { GroupFlips, SetFlips } from '../../core/fairness/flips.ts';
import type { AuditReport, GroupMetrics } from '../../core/fairness/types.ts';
import type { DecisionRecord } from '../../core/jobs/decision-record.ts';
import type { RunRecord } from '../../core/jobs/run-record.ts';
import { makeDecision } from '../decision/make-decision.ts';
import { DECISION_FILE, REPORT_FILE } from '../run-report.ts';
import type { SetAudits } from './types.ts';

/**
 * Where `decision.json` does not follow from the run. Flips are the one thing in it that needs the predictions; they
 * are held against the counts of the audits, and against the data where that is given.
 */
export function decisionProblems(
  run: RunRecord,
  audits: readonly SetAudits[],
  decision: DecisionRecord,
): string[] {
  if (decision.schemaVersion !== 1) return [`schemaVersion is ${String(decision.schemaVersion)}, expected 1`];
  const sets = run.audited.map(({ name }, place) => ({
    name,
    ...audits[place]!,
    flips: decision.sets[place]?.flips ?? null,
  }));
  const files = run.outputs.filter(({ name }) => name !== DECISION_FILE && name !== REPORT_FILE);
  const found = JSON.parse(JSON.stringify(makeDecision({ run, sets, files }))) as DecisionRecord;
  const fields = Object.keys({ ...found, ...decision }) as (keyof DecisionRecord)[];
  return [
    ...sets.flatMap(({ name, before, after, flips }) =>
      flipsProblems(`flips on "${name}"`, { before, after }, flips),
    ),
    ...fields
      .filter((field) => !isDeepStrictEqual(found[field], decision[field]))
      .map((field) =>
        field === 'runSha256' ? HASH_DIFFERS : `${field} is not what run.json and the audits lead to`,
      ),
  ];
}

const HASH_DIFFERS =
  'runSha256 is not that of run.json: a setting, seed, threshold, verdict or input of the record was changed';

function flipsProblems(where: string, { before, after }: SetAudits, flips: SetFlips | null): string[] {
  if (before.classes !== undefined) return []; // flips are of one label
  if (after === null || flips === null)
    return (after === null) === (flips === null) ? [] : [`${where}: they are absent`];
  return [
    ...groupProblems(where, { before: before.overall, after: after.overall, flips: flips.overall }),
    ...before.features.flatMap(({ sensitiveFeature, groups }) => {
      const own = flips.features.find((each) => each.sensitiveFeature === sensitiveFeature)?.groups ?? [];
      return groups.flatMap((group) =>
        groupProblems(`${where}, ${sensitiveFeature} "${group.group}"`, {
          before: group,
          after: groupOf(after, sensitiveFeature, group.group),
          flips: own.find((each) => each.group === group.group),
        }),
      );
    }),
  ];
}

function groupOf({ features }: AuditReport, feature: string, name: string): GroupMetrics | undefined {
  return features
    .find(({ sensitiveFeature }) => sensitiveFeature === feature)
    ?.groups.find(({ group }) => group === name);
}

interface FlippedGroup {
  readonly before: GroupMetrics;
  readonly after: GroupMetrics | undefined;
  readonly flips: GroupFlips | undefined;
}

/** Predicted positives after are those before, plus and minus the flips. */
function groupProblems(where: string, { before, after, flips }: FlippedGroup): string[] {
  if (after === undefined || flips === undefined) return [`${where}: they are absent`];
  const { positives, negatives, gained, lost } = flips;
  const changes = [
    ['positives', positives, before.positives, after.counts.truePositives - before.counts.truePositives],
    ['negatives', negatives, before.negatives, after.counts.falsePositives - before.counts.falsePositives],
  ] as const;
  const isSum =
    gained === positives.toPositive + negatives.toNegative &&
    lost === positives.toNegative + negatives.toPositive;
  return [
    ...changes
      .filter(
        ([, label, support, change]) =>
          label.support !== support || label.toPositive - label.toNegative !== change,
      )
      .map(
        ([name]) => `${where}: those of the ${name} do not lead from the counts before to the counts after`,
      ),
    ...(isSum ? [] : [`${where}: decisions gained and lost are not the sums of the flips`]),
  ];
}
