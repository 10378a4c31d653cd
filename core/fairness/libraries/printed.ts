import type { LibraryNumber } from './types.ts';

/**
 * A result of IEEE arithmetic, as NumPy has it too, as a value that JSON can hold.
 *
 * @param library  who gives it, to say so where it is NaN
 */
export function printed(value: number, library: string): Pick<LibraryNumber, 'value' | 'reason'> {
  if (Number.isNaN(value)) return { value: null, reason: `${library} gives NaN` };
  if (Number.isFinite(value)) return { value };
  return { value: value > 0 ? 'Infinity' : '-Infinity' };
}

/** Python's max: NaN in front stays, NaN behind is lost, where Math.max gives NaN for both. */
export function pythonMax(first: number, second: number): number {
  if (second > first) return second;
  return first;
}

/** Python's min, with the same way of treating NaN. */
export function pythonMin(first: number, second: number): number {
  if (second < first) return second;
  return first;
}

/** x/y with a value of one's own for a denominator of 0. */
export const divide = (numerator: number, denominator: number, ifZero: number): number =>
  denominator === 0 ? ifZero : numerator / denominator;
