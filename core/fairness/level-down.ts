import { disparity } from './disparity.ts';
import type { FeatureFlips, GroupFlips } from './flips.ts';
import type { Bounds } from './statistics/mover.ts';
import { pairedDifference } from './statistics/paired-rates.ts';
import type { DisparityName, FeatureAudit, GroupMetrics } from './types.ts';

/**
 * `levelled-down`: the disparity fell and a group got worse, by more than a rail or more than chance explains.
 * `undetermined`: it fell, and a figure that could show a loss is not defined.
 */
type LevelDownStatus = 'levelled-down' | 'not-levelled-down' | 'undetermined' | 'no-smaller-disparity';

/** A figure of a group that is worse after than before. */
export interface GroupLoss {
  readonly group: string;
  readonly figure: 'truePositiveRate' | 'falsePositiveRate' | 'auc';
  readonly before: number;
  readonly after: number;
  /** Of the change of a rate over the same rows; null for an AUC. */
  readonly interval: Bounds | null;
  readonly isBeyondRail: boolean;
  /** The interval of the change, or those of the two AUCs, leave no room for "no change". */
  readonly isCertain: boolean;
}

export interface LevelDown {
  readonly sensitiveFeature: string;
  readonly status: LevelDownStatus;
  readonly before: number | null;
  readonly after: number | null;
  readonly losses: readonly GroupLoss[];
  /** Figures that are not defined before or after, such as `AUC of "a"`. */
  readonly undefinedFigures: readonly string[];
}

/** By how much a figure of a group may get worse. */
interface LevelRails {
  readonly maxGroupAucDrop: number;
  readonly maxGroupTprDrop: number;
}

interface LevelDownInput {
  readonly metric: DisparityName;
  readonly before: FeatureAudit;
  readonly after: FeatureAudit;
  readonly flips: FeatureFlips;
  readonly rails: LevelRails;
  /** Of the intervals of changes, in (0, 1). */
  readonly level: number;
}

/**
 * Whether a disparity fell because somebody lost. A false positive rate that rises has the rail of the true
 * positive rate.
 *
 * @see Zietlow et al., Leveling Down in Computer Vision, CVPR 2022; Mittelstadt, Wachter and Russell, The Unfairness
 *   of Fair Machine Learning, 2023; docs/decision.md
 */
export function levelDown(input: LevelDownInput): LevelDown {
  const { metric, before, after } = input;
  const [from, to] = [before, after].map(({ groups }) => disparity(metric, groups).value) as [
    number | null,
    number | null,
  ];
  const pairs = before.groups.flatMap((group) => {
    const other = after.groups.find((each) => each.group === group.group);
    const flips = input.flips.groups.find((each) => each.group === group.group);
    return other && flips ? [{ before: group, after: other, flips }] : [];
  });
  const losses = pairs.flatMap((pair) => lossesOf(pair, input));
  const undefinedFigures = pairs.flatMap(missingFigures);
  const rest = { sensitiveFeature: before.sensitiveFeature, before: from, after: to };
  return { ...rest, status: statusOf({ from, to, losses, undefinedFigures }), losses, undefinedFigures };
}

interface Findings extends Pick<LevelDown, 'losses' | 'undefinedFigures'> {
  readonly from: number | null;
  readonly to: number | null;
}

function statusOf({ from, to, losses, undefinedFigures }: Findings): LevelDownStatus {
  if (from === null || to === null) return 'undetermined';
  if (to >= from) return 'no-smaller-disparity';
  if (losses.some(({ isBeyondRail, isCertain }) => isBeyondRail || isCertain)) return 'levelled-down';
  return undefinedFigures.length > 0 ? 'undetermined' : 'not-levelled-down';
}

interface GroupPair {
  readonly before: GroupMetrics;
  readonly after: GroupMetrics;
  readonly flips: GroupFlips;
}

function lossesOf(pair: GroupPair, { rails, level }: LevelDownInput): GroupLoss[] {
  return [
    ...rateLoss('truePositiveRate', pair, { rails, level }),
    ...rateLoss('falsePositiveRate', pair, { rails, level }),
    ...aucLoss(pair, rails),
  ];
}

function rateLoss(
  figure: 'truePositiveRate' | 'falsePositiveRate',
  { before, after, flips }: GroupPair,
  { rails, level }: Pick<LevelDownInput, 'rails' | 'level'>,
): GroupLoss[] {
  const [from, to] = [before.rates[figure].value, after.rates[figure].value];
  const worse = figure === 'truePositiveRate' ? -1 : 1;
  if (from === null || to === null || (to - from) * worse <= 0) return [];
  const { support, toPositive, toNegative } =
    figure === 'truePositiveRate' ? flips.positives : flips.negatives;
  const interval = pairedDifference({ up: toPositive, down: toNegative, support }, level);
  const isCertain = interval !== null && (worse < 0 ? interval.high < 0 : interval.low > 0);
  const isBeyondRail = Math.abs(to - from) > rails.maxGroupTprDrop;
  return [{ group: before.group, figure, before: from, after: to, interval, isBeyondRail, isCertain }];
}

function aucLoss({ before, after }: GroupPair, { maxGroupAucDrop }: LevelRails): GroupLoss[] {
  const [from, to] = [before.auc.value, after.auc.value];
  if (from === null || to === null || to >= from) return [];
  const [first, second] = [before.auc.interval, after.auc.interval];
  return [
    {
      group: before.group,
      figure: 'auc',
      before: from,
      after: to,
      interval: null,
      isBeyondRail: from - to > maxGroupAucDrop,
      isCertain: first !== null && second !== null && second.high < first.low,
    },
  ];
}

function missingFigures({ before, after }: GroupPair): string[] {
  const isMissing = (pick: (metrics: GroupMetrics) => number | null) =>
    pick(before) === null || pick(after) === null;
  return [
    ...(isMissing(({ rates }) => rates.truePositiveRate.value) ? ['true positive rate'] : []),
    ...(isMissing(({ rates }) => rates.falsePositiveRate.value) ? ['false positive rate'] : []),
    ...(isMissing(({ auc }) => auc.value) ? ['AUC'] : []),
  ].map((figure) => `${figure} of "${before.group}"`);
}
