import { estimatorOf } from './estimators.ts';
import { detectable, differenceInterval, type Evidence, MOST_COMPARED_GROUPS } from './evidence.ts';
import { figureOf, lackOf } from './figures.ts';
import type { MeasuredGroup } from './measure.ts';
import { ratioOf } from './statistics/mover.ts';
import type { GroupComparison, Interval, RateName } from './types.ts';
import { RATE_NAMES } from './types.ts';

const COMPARED = [...RATE_NAMES, 'auc'] as const;

/** Every group against the reference, by every rate and the AUC. */
export function comparisonsOf(evidence: Evidence): GroupComparison[] {
  const { groups, reference } = evidence;
  if (reference < 0 || groups.length > MOST_COMPARED_GROUPS) return [];
  return groups.flatMap((_, place) =>
    place === reference ? [] : COMPARED.map((rate) => comparisonOf(evidence, place, rate)),
  );
}

function comparisonOf(evidence: Evidence, place: number, rate: RateName | 'auc'): GroupComparison {
  const { groups, reference, level } = evidence;
  const [group, other] = [groups[place]!, groups[reference]!];
  const one = figureOf(group.metrics, rate);
  const two = figureOf(other.metrics, rate);
  const name = group.metrics.group;
  if (one === null || two === null) {
    const lacking = one === null ? group : other;
    const none = {
      value: null,
      reason: lackOf(lacking.metrics, rate),
      interval: null,
    };
    return { group: name, rate, difference: { ...none, test: null, smallestDetectable: null }, ratio: none };
  }
  return {
    group: name,
    rate,
    difference: {
      value: one - two,
      interval: differenceInterval(evidence, rate, [place, reference]),
      test: evidence.testOf(rate, place),
      smallestDetectable: detectable(evidence, rate, [place, reference]),
    },
    ratio:
      two === 0
        ? { value: null, reason: `the reference group "${other.metrics.group}" has 0`, interval: null }
        : { value: one / two, interval: ratioInterval(group, other, { rate, level }) },
  };
}

function ratioInterval(
  group: MeasuredGroup,
  other: MeasuredGroup,
  { rate, level }: { readonly rate: RateName | 'auc'; readonly level: number },
): Interval | null {
  const [one, two] = [estimatorOf(group, rate), estimatorOf(other, rate)];
  const bounds = one && two && ratioOf(one(level), two(level));
  return bounds && { ...bounds, method: 'ratio' };
}
