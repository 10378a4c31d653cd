/**
 * Two units as one.
 *
 * A softmax over two classes is the sigmoid of the difference of their logits, so of the weights of two units only
 * the difference matters: that is what is held and tuned, as a dense layer of one unit whose sigmoid is the score.
 * Going back, each unit takes half of what the difference has moved.
 */

/** Where the weights of the negative and of the positive class lie: side by side, or one unit after the other. */
export type UnitOrder = 'side by side' | 'apart';

function placesOf(place: number, count: number, order: UnitOrder): [negative: number, positive: number] {
  return order === 'apart' ? [place, count + place] : [2 * place, 2 * place + 1];
}

/** Positive minus negative class. */
export function differenceOfUnits(weights: Float32Array, order: UnitOrder): Float32Array {
  const count = weights.length / 2;
  return Float32Array.from({ length: count }, (_, place) => {
    const [negative, positive] = placesOf(place, count, order);
    return weights[positive]! - weights[negative]!;
  });
}

/** Weights of both units for another difference; where it is the same they keep their bits. */
export function unitsOfDifference(
  weights: Float32Array,
  difference: Float32Array,
  order: UnitOrder,
): Float32Array {
  const after = weights.slice();
  const before = differenceOfUnits(weights, order);
  difference.forEach((value, place) => {
    const half = (value - before[place]!) / 2;
    if (half === 0) return;
    const [negative, positive] = placesOf(place, difference.length, order);
    after[negative]! -= half;
    after[positive]! += half;
  });
  return after;
}
