import type { DisparityName } from '../../fairness/types.ts';
import { rate } from '../text/format.ts';
import { DISPARITY_WORDS } from '../text/words.ts';

export type Movement = 'narrower' | 'wider' | 'same';

/** Did the gap narrow? Judged on the unrounded figures; `same` when both read the same to three decimals. */
export function movementOf(metric: DisparityName, before: number, after: number): Movement {
  if (rate(before) === rate(after)) return 'same';
  return after < before === DISPARITY_WORDS[metric].isRatio ? 'wider' : 'narrower';
}

/** `fell from 0.920 to 0.110` */
export function movementWords(before: number, after: number): string {
  if (rate(before) === rate(after)) return `stayed at ${rate(after)}`;
  return `${after < before ? 'fell' : 'rose'} from ${rate(before)} to ${rate(after)}`;
}
