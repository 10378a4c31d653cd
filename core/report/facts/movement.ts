import type { DisparityName } from '../../fairness/types.ts';
import { rate } from '../text/format.ts';
import { DISPARITY_WORDS } from '../text/words.ts';

export type Movement = 'narrower' | 'wider' | 'same';

/**
 * Did the gap narrow? Judged on the unrounded figures; `same` when both read the same to three decimals. A ratio to a
 * reference group may lie on either side of 1: 2 is as far from it as 0.5.
 */
export function movementOf(metric: DisparityName, before: number, after: number): Movement {
  const { isRatio } = DISPARITY_WORDS[metric];
  const [from, to] = isRatio ? [belowOne(before), belowOne(after)] : [before, after];
  if (rate(from) === rate(to)) return 'same';
  return to < from === isRatio ? 'wider' : 'narrower';
}

const belowOne = (ratio: number): number => (ratio > 1 ? 1 / ratio : ratio);

/** `fell from 0.920 to 0.110` */
export function movementWords(before: number, after: number): string {
  if (rate(before) === rate(after)) return `stayed at ${rate(after)}`;
  return `${after < before ? 'fell' : 'rose'} from ${rate(before)} to ${rate(after)}`;
}
