import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** A seeded source of randomness; every draw in a run comes from one of these. */
export interface Random {
  /** uniform in [0, 1) */
  next(): number;
  /** uniform integer in 0 … limit - 1 */
  integer(limit: number): number;
  /** a copy of `values` in random order */
  shuffle(values: ArrayLike<number>): number[];
  /** an independent source for one purpose, the same for the same name however much was drawn before */
  fork(purpose: string): Random;
}

/** @param seed  any integer; its low 32 bits count */
export function makeRandom(seed: number): Random {
  const generator = xoroshiro128plus(seed | 0);
  const integer = (limit: number) => uniformInt(generator, 0, limit - 1);
  return {
    next: () => uniformFloat64(generator),
    integer,
    shuffle: (values) => {
      const shuffled = Array.from(values);
      for (let last = shuffled.length - 1; last > 0; last -= 1) {
        const chosen = integer(last + 1);
        [shuffled[last], shuffled[chosen]] = [shuffled[chosen]!, shuffled[last]!];
      }
      return shuffled;
    },
    fork: (purpose) => makeRandom(hash(`${seed | 0}/${purpose}`)),
  };
}

/** FNV-1a, 32 bits: spreads purposes over seeds. */
function hash(text: string): number {
  let state = 0x811c9dc5;
  for (let place = 0; place < text.length; place += 1) {
    state = Math.imul(state ^ text.charCodeAt(place), 0x01000193);
  }
  return state;
}
