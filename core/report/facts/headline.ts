import type { AuditReport, Disparity, DisparityName, GroupMetrics } from '../../fairness/types.ts';
import type { DecisionRecord } from '../../jobs/decision-record.ts';
import type { Explanation } from '../../jobs/explanation.ts';
import type { RunRecord } from '../../jobs/run-record.ts';
import { shownDisparity } from '../tables/figure-cells.ts';
import { count, plural, rate } from '../text/format.ts';
import { DISPARITY_WORDS } from '../text/words.ts';

/** The run as it came: what the renderer is given. */
export interface MitigationInput {
  readonly run: RunRecord;
  readonly before: AuditReport;
  readonly after: AuditReport | null;
  readonly decision?: DecisionRecord;
  /** Absent where nobody asked for it. */
  readonly explanation?: Explanation | undefined;
}

/** The figures of the first sentence, taken from the audits that the tables show. */
export interface Headline {
  readonly metric: DisparityName;
  readonly before: number | null;
  readonly after: number | null;
  readonly aucBefore: number | null;
  readonly aucAfter: number | null;
  /** Groups without support; when there are any, the figures are over the other groups only. */
  readonly leftOut: readonly string[];
  /** False when before and after leave out different groups, so that they must not be set side by side. */
  readonly isComparable: boolean;
  /** Sentences on figures in which the run record and the audits differ. */
  readonly disagreements: readonly string[];
}

export function headlineOf({ run, before, after }: MitigationInput): Headline {
  const { outcome } = run;
  const first = targetDisparity(run, before);
  const second = after === null ? undefined : targetDisparity(run, after);
  const leftOut = [...new Set([...(first?.unsupportedGroups ?? []), ...(second?.unsupportedGroups ?? [])])];
  const figures = {
    before: first === undefined ? outcome.before : bestFigure(first),
    after: second === undefined ? outcome.after : bestFigure(second),
    aucBefore: before.overall.auc.value,
    aucAfter: after === null ? outcome.aucAfter : after.overall.auc.value,
  };
  return {
    metric: outcome.metric,
    ...figures,
    leftOut,
    isComparable: first === undefined || second === undefined || sameGroups(first, second),
    disagreements: [
      ...disagreements(run, figures),
      ...sizeDisagreement(run, before),
      ...sampleDisagreement(before, after),
    ],
  };
}

/** Of several features the record has the largest, over the groups that were mitigated. */
function targetDisparity({ outcome }: RunRecord, audit: AuditReport): Disparity | undefined {
  if (outcome.features !== undefined) return undefined;
  const feature = audit.features.find((each) => each.sensitiveFeature === outcome.sensitiveFeature);
  return feature?.disparities[outcome.metric];
}

function bestFigure(disparity: Disparity): number | null {
  return shownDisparity(disparity) ?? disparity.amongSupported;
}

function sameGroups(first: Disparity, second: Disparity): boolean {
  const others = new Set(second.unsupportedGroups);
  return (
    first.unsupportedGroups.length === others.size &&
    first.unsupportedGroups.every((each) => others.has(each))
  );
}

type Figures = Pick<Headline, 'before' | 'after' | 'aucBefore' | 'aucAfter'>;

function disagreements({ outcome }: RunRecord, figures: Figures): string[] {
  const { label } = DISPARITY_WORDS[outcome.metric];
  const pairs = [
    { name: `${label} before`, recorded: outcome.before, audited: figures.before },
    { name: `${label} after`, recorded: outcome.after, audited: figures.after },
    { name: 'AUC before', recorded: outcome.aucBefore, audited: figures.aucBefore },
    { name: 'AUC after', recorded: outcome.aucAfter, audited: figures.aucAfter },
  ];
  return pairs
    .filter(({ recorded, audited }) => recorded !== null && rate(recorded) !== rate(audited))
    .map(
      ({ name, recorded, audited }) =>
        `${name}: the run record says ${rate(recorded)}, the audit says ${rate(audited)}; this report shows the audit.`,
    );
}

function sizeDisagreement({ data }: RunRecord, { overall }: AuditReport): string[] {
  const part = data.parts.find(({ name }) => name === data.auditedOn);
  if (part === undefined || part.support === overall.support) return [];
  return [
    `The run record counts ${plural(part.support, 'sample')} in the ${data.auditedOn} part, the audit was made on ${count(overall.support)}.`,
  ];
}

/** Before and after must be measured on the same samples; their sizes are what can be checked here. */
function sampleDisagreement(before: AuditReport, after: AuditReport | null): string[] {
  if (after === null || sizesOf(before) === sizesOf(after)) return [];
  return [
    'Before and after were not audited on the same samples: the sizes of groups differ, so the figures cannot be set side by side.',
  ];
}

function sizesOf({ overall, features }: AuditReport): string {
  const sizes = ({ group, positives, negatives }: GroupMetrics) => [group, positives, negatives];
  return JSON.stringify([
    sizes(overall),
    features.map((each) => [each.sensitiveFeature, each.groups.map(sizes)]),
  ]);
}
