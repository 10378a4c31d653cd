/** Codes of groups stay below this, so that two of them make one exact number. */
export const MOST_CODES = 2 ** 20;

/** Combinations of groups that occur, numbered in the order in which they are first seen. */
export interface Intersection {
  /** Of each attribute after the first: (number of the combination before · MOST_CODES + code) → number. */
  readonly levels: readonly Map<number, number>[];
  /** [combination][attribute] codes */
  readonly combinations: number[][];
}

export function startIntersection(attributes: number): Intersection {
  return { levels: Array.from({ length: attributes }, () => new Map<number, number>()), combinations: [] };
}

/** [N] number of each row's combination, new ones added. */
export function combine(intersection: Intersection, attributes: readonly Int32Array[]): Int32Array {
  const numbers = new Int32Array(attributes[0]!.length);
  intersection.levels.forEach((level, place) => {
    const codes = attributes[place]!;
    for (let row = 0; row < codes.length; row += 1) {
      const key = numbers[row]! * MOST_CODES + codes[row]!;
      let number = level.get(key);
      if (number === undefined) {
        number = level.size;
        level.set(key, number);
        if (place === attributes.length - 1) {
          intersection.combinations.push(attributes.map((each) => each[row]!));
        }
      }
      numbers[row] = number;
    }
  });
  return numbers;
}
