/**
 * Holm's adjusted p-values (1979): the chance of any false rejection stays below the level, however the tests depend
 * on each other. The i-th smallest of m is multiplied by m - i + 1; none falls below a smaller one's.
 *
 * @returns in the order received
 */
export function holm(pValues: readonly number[]): number[] {
  const order = pValues.map((_, index) => index).sort((a, b) => pValues[a]! - pValues[b]!);
  const adjusted = new Array<number>(pValues.length);
  let least = 0;
  order.forEach((index, rank) => {
    least = Math.max(least, Math.min(1, (order.length - rank) * pValues[index]!));
    adjusted[index] = least;
  });
  return adjusted;
}
