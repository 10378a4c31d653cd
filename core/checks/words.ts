import { quote } from '../data/cells.ts';

/** `group "female" of sex` */
export const groupText = (feature: string, group: string): string => `group ${quote(group)} of ${feature}`;

/** `12.5 %` */
export const percentText = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** `p < 0.0001`, `p = 0.0213` */
export const pText = (pValue: number): string =>
  pValue < 0.0001 ? 'p < 0.0001' : `p = ${pValue.toFixed(4)}`;

/** `is`, `are` */
export const isAre = (count: number): string => (count === 1 ? 'is' : 'are');
