import { disparity } from '../../core/fairness/disparity.ts';
import type { AuditReport, DisparityName, GroupMetrics } from '../../core/fairness/types.ts';
import { improves } from '../../core/jobs/frontier.ts';
import type { CandidateRecord, FeatureDisparity, SelectFigures } from '../../core/jobs/run-record.ts';
import type { DisparityMetric } from '../../core/jobs/schema.ts';
import type { SelectionOptions } from '../bmft/options.ts';

/** The reported difference that each trained disparity stands for. */
export const DIFFERENCE_OF = {
  demographicParity: 'demographicParityDifference',
  equalOpportunity: 'equalOpportunityDifference',
  equalizedOdds: 'equalizedOddsDifference',
} as const satisfies Record<DisparityMetric, DisparityName>;

/** The groups whose disparity counts: of one feature, or of one intersection of features. */
export interface TargetGroups {
  readonly sensitiveFeature: string;
  /** Of several classes the means over them. */
  readonly groups: readonly GroupMetrics[];
  /** Where there are several classes: the groups for each class against the rest. */
  readonly classes?: readonly (readonly GroupMetrics[])[] | undefined;
}

/** The groups of a feature or of an intersection that an audit names, those that count. */
export function targetIn(
  { features, classes }: Pick<AuditReport, 'features' | 'classes'>,
  sensitiveFeature: string,
  counts: (group: string) => boolean,
): TargetGroups {
  const groupsOf = (audited: AuditReport['features']) =>
    audited
      .find((feature) => feature.sensitiveFeature === sensitiveFeature)!
      .groups.filter(({ group }) => counts(group));
  return {
    sensitiveFeature,
    groups: groupsOf(features),
    ...(classes && { classes: classes.map((each) => groupsOf(each.features)) }),
  };
}

/** Of several classes the mean over them, null where one has none. */
function disparityOf({ groups, classes = [groups] }: TargetGroups, metric: DisparityMetric): number | null {
  let sum = 0;
  for (const own of classes) {
    const { value } = disparity(DIFFERENCE_OF[metric], own);
    if (value === null) return null;
    sum += value;
  }
  return sum / classes.length;
}

/**
 * Figures of one audit as selection and verdict read them. Of several targets the largest disparity counts: a mean
 * would let one group of people pay for another. Of several classes the means over them count, and balanced accuracy is
 * their mean recall.
 */
export function selectFigures(
  { overall, threshold, classes }: Pick<AuditReport, 'overall' | 'threshold' | 'classes'>,
  targets: readonly TargetGroups[],
  metric: DisparityMetric,
): SelectFigures {
  const byFeature = targets.map((target) => ({
    sensitiveFeature: target.sensitiveFeature,
    disparity: disparityOf(target, metric),
  }));
  const areSeveral = targets.length > 1;
  return {
    disparity: byFeature[widestOf(byFeature)]!.disparity,
    ...(areSeveral && { byFeature }),
    auc: overall.auc.value,
    balancedAccuracy: classes ? overall.rates.truePositiveRate.value : overall.balancedAccuracy.value,
    threshold: threshold!,
    groups: targets.flatMap(({ sensitiveFeature, groups }) =>
      groups.map(({ group, auc, rates }) => ({
        group: areSeveral ? `${sensitiveFeature}: ${group}` : group,
        auc: auc.value,
        truePositiveRate: rates.truePositiveRate.value,
        falsePositiveRate: rates.falsePositiveRate.value,
      })),
    ),
  };
}

/** Place of the largest disparity, or of the first that is not defined: what cannot be measured may be larger still. */
export function widestOf(disparities: readonly Pick<FeatureDisparity, 'disparity'>[]): number {
  const size = ({ disparity }: Pick<FeatureDisparity, 'disparity'>) => disparity ?? Number.POSITIVE_INFINITY;
  return disparities.reduce(
    (widest, each, place) => (size(each) > size(disparities[widest]!) ? place : widest),
    0,
  );
}

/** Guard rails that are broken, in words: those over all samples, and those of single groups. */
export interface Violations {
  readonly overall: readonly string[];
  readonly byGroup: readonly string[];
}

/**
 * Guard rails that a candidate breaks. A figure that is not defined breaks its rail: what cannot be
 * measured cannot be shown to have held.
 *
 * @see docs/method.md#selection
 */
export function violationsOf(
  candidate: SelectFigures,
  original: SelectFigures,
  rails: SelectionOptions,
): Violations {
  const overall = [
    fall('AUC', { from: original.auc, to: candidate.auc, most: rails.maxAucDrop }),
    fall('balanced accuracy', {
      from: original.balancedAccuracy,
      to: candidate.balancedAccuracy,
      most: rails.maxBalancedAccuracyDrop,
    }),
  ];
  const byGroup = candidate.groups.flatMap((group, place) => {
    const before = original.groups[place]!;
    return [
      fall(`AUC of "${group.group}"`, { from: before.auc, to: group.auc, most: rails.maxGroupAucDrop }),
      fall(`true positive rate of "${group.group}"`, {
        from: before.truePositiveRate,
        to: group.truePositiveRate,
        most: rails.maxGroupTprDrop,
      }),
    ];
  });
  const lacking = candidate.byFeature?.find((each) => each.disparity === null);
  const where = lacking ? ` by ${lacking.sensitiveFeature}` : '';
  const undefinedGap = candidate.disparity === null ? [`the disparity${where} is not defined`] : [];
  return {
    overall: [...undefinedGap, ...overall.filter((sentence) => sentence !== null)],
    byGroup: byGroup.filter((sentence) => sentence !== null),
  };
}

function fall(what: string, { from, to, most }: { from: number | null; to: number | null; most: number }) {
  if (from === null || to === null) return `${what} is not defined`;
  if (from - to <= most) return null;
  return `${what} fell from ${from.toFixed(3)} to ${to.toFixed(3)}, by more than ${most}`;
}

/** A candidate before the choice is made. */
export type Judged = Omit<CandidateRecord, 'isChosen'> & {
  /** Standard error of its disparity; null when the disparity is. */
  readonly standardError: number | null;
};

/**
 * The candidate to keep: among those without violations whose disparity lies within one standard error of
 * the smallest, the one with the highest AUC (the one-standard-error rule of Breiman et al., Classification
 * and Regression Trees, 1984). On a few hundred samples the smallest disparity alone is mostly luck.
 *
 * @returns null when no candidate is feasible with a disparity below the original's
 */
export function chooseCandidate<C extends Judged>(
  candidates: readonly C[],
  original: SelectFigures,
): C | null {
  const better = candidates.filter((candidate) => improves(candidate, original));
  const [smallest] = better.toSorted((a, b) => a.select.disparity! - b.select.disparity!);
  if (!smallest) return null;
  const limit = smallest.select.disparity! + smallest.standardError!;
  return better
    .filter(({ select }) => select.disparity! <= limit)
    .toSorted((a, b) => b.select.auc! - a.select.auc! || a.select.disparity! - b.select.disparity!)[0]!;
}

/**
 * Standard error of a difference, of several targets that of the widest: that of its widest gap, √(p(1-p)/n + q(1-q)/m), with (x+1)/(n+2) for the
 * rates so that a rate of 0 or 1 on few samples does not look certain (Agresti and Caffo 2000).
 */
export function standardErrorOf(targets: readonly TargetGroups[], metric: DisparityMetric): number | null {
  const gaps = targets.map((target) => disparityOf(target, metric));
  const widest = widestOf(gaps.map((gap) => ({ disparity: gap })));
  if (gaps[widest] === null) return null;
  const { groups, classes = [groups] } = targets[widest]!;
  const errors = classes.map((own) => errorOfWidest(own, metric));
  if (errors.length === 1) return errors[0]!;
  return Math.sqrt(errors.reduce((sum, error) => sum + error ** 2, 0)) / errors.length; // of their mean
}

function errorOfWidest(groups: readonly GroupMetrics[], metric: DisparityMetric): number {
  const rates = RATES_OF[metric].map((name) => groups.map((group) => group.rates[name]));
  const errors = rates.map((ofGroups) => {
    const ordered = ofGroups.toSorted((a, b) => a.value! - b.value!);
    return {
      gap: ordered.at(-1)!.value! - ordered[0]!.value!,
      error: errorOfGap(ordered[0]!, ordered.at(-1)!),
    };
  });
  return errors.toSorted((a, b) => b.gap - a.gap)[0]!.error;
}

export const RATES_OF = {
  demographicParity: ['selectionRate'],
  equalOpportunity: ['truePositiveRate'],
  equalizedOdds: ['truePositiveRate', 'falsePositiveRate'],
} as const satisfies Record<DisparityMetric, readonly string[]>;

type Counts = { readonly numerator: number; readonly support: number };

function errorOfGap(first: Counts, second: Counts): number {
  const variance = ({ numerator, support }: Counts) => {
    const share = (numerator + 1) / (support + 2);
    return (share * (1 - share)) / (support + 2);
  };
  return Math.sqrt(variance(first) + variance(second));
}
