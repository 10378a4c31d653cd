/** Numbers in a part of a kernel that does little with each: some 10 µs, several times what it costs to share out. */
const PART = 2 ** 15;
/** Enough for every thread to end at about the same time. */
const MOST = 128;

/**
 * In how many parts to cut work, by its shape alone.
 *
 * @param numbers  read or written in all
 * @param pieces  into which the work can be cut at most, >= 1
 */
export function partsFor(numbers: number, pieces: number): number {
  return Math.max(1, Math.min(MOST, pieces, Math.floor(numbers / PART)));
}
