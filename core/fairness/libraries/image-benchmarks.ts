import type { DisparityName, GroupMetrics } from '../types.ts';
import { ourDisparity } from './ours.ts';
import { inRows, pooled, withRows } from './pool.ts';
import { divide, printed } from './printed.ts';
import type { Library, LibraryInput, LibraryNumber } from './types.ts';

const OTHERS = '(all others)';

interface Metric {
  readonly name: string;
  readonly value: (others: GroupMetrics, reference: GroupMetrics) => number;
  readonly ours?: DisparityName;
  readonly note?: string;
}

type LabelRate = 'truePositiveRate' | 'falsePositiveRate';

/** Metrics of two sides: the reference group and all others together. */
function ofTwoSides(title: string, metrics: readonly Metric[]) {
  return ({ groups, reference }: LibraryInput): readonly LibraryNumber[] => {
    const seen = withRows(groups).map(inRows);
    const referenceGroup = seen.find(({ group }) => group === reference?.group);
    const others = seen.filter((group) => group !== referenceGroup);
    if (referenceGroup === undefined || others.length === 0) return [];
    const side = others.length === 1 ? others[0]! : pooled(OTHERS, others);
    return metrics.map(({ name, value, ours, note }) => ({
      name,
      group: side.group,
      against: referenceGroup.group,
      ...printed(value(side, referenceGroup), title),
      ours: ours === undefined ? null : ourDisparity(ours, [side, referenceGroup]),
      ...(note !== undefined && { note }),
    }));
  };
}

/** `compute_empirical_bias`: the mean of an empty group is 0 there. */
const zeroed = (group: GroupMetrics, rate: LabelRate | 'selectionRate'): number =>
  divide(group.rates[rate].numerator, group.rates[rate].support, 0);
const gapOf = (rate: LabelRate | 'selectionRate', left: GroupMetrics, right: GroupMetrics): number =>
  zeroed(left, rate) - zeroed(right, rate);

/** The code of the BMFT paper, with the reference group as the privileged one. */
export const bmft: Library = {
  title: 'BMFT',
  version: '46eddf5',
  numbers: ofTwoSides('BMFT', [
    {
      name: 'spd',
      value: (others, reference) => Math.abs(gapOf('selectionRate', others, reference)),
      ours: 'demographicParityDifference',
    },
    {
      name: 'eopp',
      value: (others, reference) => Math.abs(gapOf('truePositiveRate', others, reference)),
      ours: 'equalOpportunityDifference',
    },
    {
      name: 'eodds',
      value: (others, reference) =>
        0.5 *
        Math.abs(
          gapOf('falsePositiveRate', others, reference) + gapOf('truePositiveRate', others, reference),
        ),
      ours: 'bmftEqualizedOdds',
      note: 'opposite gaps cancel',
    },
    {
      name: 'fpr_diff',
      value: (others, reference) => Math.abs(gapOf('falsePositiveRate', others, reference)),
      ours: 'falsePositiveRateDifference',
    },
  ]),
};

const gapOrNaN = (rate: LabelRate, left: GroupMetrics, right: GroupMetrics): number =>
  Math.abs((left.rates[rate].value ?? Number.NaN) - (right.rates[rate].value ?? Number.NaN));

/** MEDFAIR, which reports equalised odds as an agreement: 1 is no gap. */
export const medfair: Library = {
  title: 'MEDFAIR',
  version: 'a00d2ef',
  numbers: ofTwoSides('MEDFAIR', [
    {
      name: 'EqOdd',
      value: (others, reference) =>
        1 -
        0.5 *
          (gapOrNaN('falsePositiveRate', others, reference) +
            gapOrNaN('truePositiveRate', others, reference)),
      ours: 'equalizedOddsMeanDifference',
      note: '1 minus ours',
    },
  ]),
};
