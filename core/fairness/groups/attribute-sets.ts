import { InvalidInputError } from '../../errors.ts';

/** Features that one report may hold: each costs a tally of its own. */
const MOST_FEATURES = 200;

/**
 * The features of an audit: each attribute alone, then every combination of two, of three and so on.
 *
 * @param count  attributes
 * @param depth  attributes that are combined at most; 1 for none
 * @returns lists of places of attributes, each ascending
 * @throws InvalidInputError when the depth is no whole number from 1, or there are more than 200 features
 */
export function attributeSets(count: number, depth: number): number[][] {
  if (!Number.isInteger(depth) || depth < 1) {
    throw new InvalidInputError(`intersections: expected a whole number from 1, received ${depth}`, {
      where: 'intersections',
    });
  }
  const sets: number[][] = [];
  let last: number[][] = [[]];
  for (let size = 1; size <= Math.min(depth, count); size += 1) {
    last = last.flatMap((set) => {
      const next = (set.at(-1) ?? -1) + 1;
      return Array.from({ length: count - next }, (_, more) => [...set, next + more]);
    });
    sets.push(...last);
    if (sets.length > MOST_FEATURES) {
      throw new InvalidInputError(
        `intersections: expected at most ${MOST_FEATURES} features and combinations, received more from ${count} features at depth ${depth}`,
        { where: 'intersections' },
      );
    }
  }
  return sets;
}
