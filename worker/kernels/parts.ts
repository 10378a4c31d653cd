/** Numbers in a part: 4 µs of the lightest kernel, about what it costs to share work out. */
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

/** Below, what is computed at once is not full. */
const CHANNELS = 16;
/** Channels of a strip; what is left of them is computed one by one. */
const STRIP = 8;
/** More do not stay in the first cache while their strips are gone through. */
const MOST_CHANNELS = 1024;

/**
 * How many rows to take as one with as many times the channels, so that channels fill vectors.
 *
 * @returns a power of 2 that divides `rows`
 */
export function foldsFor(rows: number, channels: number): number {
  let folds = 1;
  const isFull = () => folds * channels >= CHANNELS && (folds * channels) % STRIP === 0;
  const isPossible = () => rows % (2 * folds) === 0 && 2 * folds * channels <= MOST_CHANNELS;
  while (!isFull() && isPossible()) folds *= 2;
  return folds;
}

/** The sum of lists that lie one after the other: the other way round. */
export function foldedSum(lists: Float64Array, folds: number): Float64Array {
  const length = lists.length / folds;
  const sum = lists.slice(0, length);
  for (let place = length; place < lists.length; place += 1) sum[place % length]! += lists[place]!;
  return sum;
}
