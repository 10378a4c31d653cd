import { subset } from '../core/data/split.ts';
import { flipsOf, type SetFlips } from '../core/fairness/flips.ts';
import type { AuditReport, SensitiveFeature } from '../core/fairness/types.ts';
import type { AuditedSetRecord } from '../core/jobs/run-record.ts';
import type { Classifier } from '../core/model/classifier.ts';
import { scoreAndAudit } from './audit-part.ts';
import type { AuditedSet } from './audited-set.ts';
import { CROSS } from './groupings.ts';
import type { Progress } from './progress.ts';

/** What was found on one audited set. */
export interface AuditedResult extends Pick<AuditedSetRecord, 'name' | 'source' | 'support' | 'cells'> {
  readonly before: AuditReport;
  /** Null where no changed model was audited, as are the flips; those are of two classes only. */
  readonly after: AuditReport | null;
  readonly flips: SetFlips | null;
}

interface AuditSetsInput {
  readonly model: Classifier;
  readonly threshold: number;
  readonly stage: string;
  readonly progress: Progress;
  readonly signal?: AbortSignal | undefined;
}

type SetAudit = Awaited<ReturnType<typeof scoreAndAudit>>;
type AtLeastOne<Item> = readonly [Item, ...Item[]];

/** Audits the model as it stands on every set, one after the other. */
export async function auditSets(
  [first, ...further]: AtLeastOne<AuditedSet>,
  input: AuditSetsInput,
): Promise<AtLeastOne<SetAudit>> {
  const audits: [SetAudit, ...SetAudit[]] = [await scoreAndAudit({ ...input, ...first })];
  for (const [place, set] of further.entries()) {
    audits.push(await scoreAndAudit({ ...input, ...set, stage: `${input.stage}, set ${place + 2}` }));
  }
  return audits;
}

/** Audits before and after, set by set. */
export function joinAudits(
  sets: readonly AuditedSet[],
  before: readonly SetAudit[],
  after: readonly SetAudit[] | null,
): AuditedResult[] {
  return sets.map((set, place) => {
    const [first, second] = [before[place]!, after?.[place]];
    const { name, source, rows, cells } = set;
    return {
      name,
      source,
      support: rows.length,
      cells,
      before: first.report,
      after: second?.report ?? null,
      flips:
        second === undefined || set.samples.classNames
          ? null
          : flipsOf({
              ...subset({ ...set.samples, sensitiveFeatures: featuresOf(set, first.report) }, rows),
              before: first.predictions,
              after: second.predictions,
            }),
    };
  });
}

/** The features that were audited, intersections among them, by row; a row in none of their groups gets -1. */
function featuresOf({ sensitiveFeatures }: AuditedSet, { features }: AuditReport): SensitiveFeature[] {
  return features.map(({ sensitiveFeature, attributes, groups }) => {
    const parts = attributes.map((name) => sensitiveFeatures.find((feature) => feature.name === name)!);
    const groupNames = groups.map(({ group }) => group);
    const places = new Map(groupNames.map((name, place) => [name, place]));
    const nameAt = (row: number) => parts.map((part) => part.groupNames[part.groups[row]!]).join(CROSS);
    return {
      name: sensitiveFeature,
      groupNames,
      groups: parts[0]!.groups.map((_, row) => places.get(nameAt(row)) ?? -1),
    };
  });
}
