/**
 * Holm's adjusted p-values (1979): the chance of any false rejection stays below the level, however the tests depend
 * on each other. The i-th smallest of m is multiplied by m - i + 1; none falls below a smaller one's.
 *
 * @returns in the order received
 */
export function holm(pValues: readonly number[]): number[] {
  return stepwise(pValues, (order) => {
    let least = 0;
    return order.map((pValue, rank) => {
      least = Math.max(least, Math.min(1, (order.length - rank) * pValue));
      return least;
    });
  });
}

/**
 * Adjusted p-values of Benjamini and Hochberg (1995): the expected share of false ones among the rejections stays
 * below the level. The i-th smallest of m is multiplied by m/i; none rises above a larger one's.
 *
 * @returns in the order received
 */
export function benjaminiHochberg(pValues: readonly number[]): number[] {
  return stepwise(pValues, (order) => {
    let most = 1;
    return order
      .map((pValue, rank) => ({ pValue, rank: rank + 1 }))
      .reverse()
      .map(({ pValue, rank }) => {
        most = Math.min(most, (order.length / rank) * pValue);
        return most;
      })
      .reverse();
  });
}

/** Applies a rule for ascending p-values to p-values in any order. */
function stepwise(pValues: readonly number[], adjust: (ascending: number[]) => number[]): number[] {
  const order = pValues.map((_, index) => index).sort((a, b) => pValues[a]! - pValues[b]!);
  const adjusted = adjust(order.map((index) => pValues[index]!));
  const result = new Array<number>(pValues.length);
  order.forEach((index, rank) => {
    result[index] = adjusted[rank]!;
  });
  return result;
}
