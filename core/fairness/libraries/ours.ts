import { type DisparityContext, disparity } from '../disparity.ts';
import { lackOf } from '../figures.ts';
import type { DisparityName, GroupMetrics, RateName } from '../types.ts';
import type { OurNumber } from './types.ts';

/** A rate of a group. */
export function ourRate(rate: RateName, group: GroupMetrics): OurNumber {
  const { value } = group.rates[rate];
  return { name: rate, value, ...(value === null && { reason: lackOf(group, rate) }) };
}

/** A rate of a group minus that of what it is compared with. */
export function ourDifference(rate: RateName, group: GroupMetrics, other: GroupMetrics): OurNumber {
  const name = `${rate} difference`;
  const lacks = lacksOf(rate, [group, other]);
  if (lacks !== null) return { name, value: null, reason: lacks };
  return { name, value: group.rates[rate].value! - other.rates[rate].value! };
}

/** A rate of a group divided by that of what it is compared with. */
export function ourRatio(rate: RateName, group: GroupMetrics, other: GroupMetrics): OurNumber {
  const name = `${rate} ratio`;
  const lacks = lacksOf(rate, [group, other]);
  if (lacks !== null) return { name, value: null, reason: lacks };
  if (other.rates[rate].value === 0) {
    return { name, value: null, reason: `${rate} of "${other.group}" is 0, so a ratio to it is not defined` };
  }
  return { name, value: group.rates[rate].value! / other.rates[rate].value! };
}

/** A disparity over groups, as an audit has it. */
export function ourDisparity(
  name: DisparityName,
  groups: readonly GroupMetrics[],
  context: DisparityContext = {},
): OurNumber {
  const { value, reason } = disparity(name, groups, context);
  return { name, value, ...(reason !== undefined && { reason }) };
}

/** The lowest value of a rate; null as soon as one group has no support for it. */
export function ourLowest(rate: RateName, groups: readonly GroupMetrics[]): OurNumber {
  const name = `lowest ${rate}`;
  const lacks = lacksOf(rate, groups);
  if (lacks !== null) return { name, value: null, reason: lacks };
  if (groups.length === 0) return { name, value: null, reason: 'no groups' };
  return { name, value: Math.min(...groups.map((group) => group.rates[rate].value!)) };
}

function lacksOf(rate: RateName, groups: readonly GroupMetrics[]): string | null {
  const lacking = groups.filter((group) => group.rates[rate].value === null);
  return lacking.length === 0 ? null : lacking.map((group) => lackOf(group, rate)).join('; ');
}
