import type { Bounds } from './mover.ts';
import { binomial, gamma, seededUniform, type Uniform } from './sampling.ts';

/**
 * How a table is drawn anew. `multinomial`: as many rows as there were, each from the observed cells. `dirichlet`:
 * cell shares from their posterior with half a row added to each cell, so that a cell without rows keeps a chance.
 */
export type Resampling = 'multinomial' | 'dirichlet';

/** Prior rows per cell of the Dirichlet draw: Jeffreys' prior for every rate of one cell against another. */
const PRIOR = 0.5;

export interface TableBootstrap {
  /** [strata · cells] counts of rows; the size of a stratum (a group) is kept. Integers for `multinomial`. */
  readonly counts: ArrayLike<number>;
  /** Cells per stratum: 4 for a confusion table. */
  readonly cells: number;
  readonly resampling: Resampling;
  readonly replicates: number;
  /** Any integer; the same seed gives the same replicates. */
  readonly seed: number;
}

/**
 * Visits `replicates` redrawn tables, [strata · cells] each, in one buffer that the next draw overwrites.
 * The work is one draw per cell, whatever the counts are.
 */
export function forEachTable(
  options: TableBootstrap,
  visit: (table: Float64Array, replicate: number) => void,
): void {
  const { cells, resampling, replicates, seed } = options;
  const counts = Float64Array.from(options.counts);
  const table = new Float64Array(counts.length);
  const uniform = seededUniform(seed);
  const fill = resampling === 'multinomial' ? multinomial : dirichlet;
  for (let replicate = 0; replicate < replicates; replicate += 1) {
    for (let start = 0; start < counts.length; start += cells) {
      fill({ counts, table, start, end: start + cells, uniform });
    }
    visit(table, replicate);
  }
}

interface Draw {
  readonly counts: Float64Array;
  readonly table: Float64Array;
  readonly start: number;
  readonly end: number;
  readonly uniform: Uniform;
}

/** Each cell is binomial given the cells before it. */
function multinomial({ counts, table, start, end, uniform }: Draw): void {
  let rows = 0;
  for (let cell = start; cell < end; cell += 1) rows += counts[cell]!;
  let left = rows; // to draw
  for (let cell = start; cell < end; cell += 1) {
    const drawn = rows === 0 ? 0 : binomial(left, counts[cell]! / rows, uniform);
    table[cell] = drawn;
    left -= drawn;
    rows -= counts[cell]!;
  }
}

/** Shares of gamma draws, times the rows of the stratum. A stratum without rows stays empty. */
function dirichlet({ counts, table, start, end, uniform }: Draw): void {
  let rows = 0;
  let sum = 0;
  for (let cell = start; cell < end; cell += 1) rows += counts[cell]!;
  for (let cell = start; cell < end; cell += 1) {
    table[cell] = rows === 0 ? 0 : gamma(counts[cell]! + PRIOR, uniform);
    sum += table[cell]!;
  }
  for (let cell = start; cell < end && sum > 0; cell += 1) table[cell]! *= rows / sum;
}

export interface ClusterBootstrap {
  /** [U] subjects (or bundles of equally many), each with the table of its rows; one or more, all of one length */
  readonly units: readonly ArrayLike<number>[];
  readonly replicates: number;
  /** Units that a replicate has; U when absent. */
  readonly draws?: number;
  readonly seed: number;
}

/**
 * Visits the sums of `replicates` samples of units, drawn with replacement: rows of one subject stay together.
 * One buffer, which the next draw overwrites.
 */
export function forEachClusterTable(
  { units, replicates, draws = units.length, seed }: ClusterBootstrap,
  visit: (table: Float64Array, replicate: number) => void,
): void {
  const length = units[0]!.length;
  const flat = new Float64Array(units.length * length);
  units.forEach((unit, at) => {
    flat.set(unit, at * length);
  });
  const drawn = new Int32Array(units.length);
  const table = new Float64Array(length);
  const uniform = seededUniform(seed);
  for (let replicate = 0; replicate < replicates; replicate += 1) {
    drawn.fill(0);
    for (let draw = 0; draw < draws; draw += 1) drawn[Math.floor(uniform() * units.length)]! += 1;
    table.fill(0);
    for (let unit = 0; unit < units.length; unit += 1) {
      const times = drawn[unit]!;
      if (times === 0) continue;
      for (let cell = 0; cell < length; cell += 1) table[cell]! += times * flat[unit * length + cell]!;
    }
    visit(table, replicate);
  }
}

/** More undefined replicates than this share, and there is no interval: what is left would speak for a part only. */
const MOST_UNDEFINED = 0.05;

/**
 * Percentile interval of replicates of a statistic, by linear interpolation between order statistics.
 *
 * @param replicates  NaN where the statistic is not defined; sorted in place
 * @param level       in (0, 1)
 * @returns null when there are no replicates or more than 5 % of them are undefined
 */
export function percentileInterval(replicates: Float64Array, level: number): Bounds | null {
  replicates.sort(); // NaN last
  let defined = replicates.length;
  while (defined > 0 && Number.isNaN(replicates[defined - 1]!)) defined -= 1;
  if (defined === 0 || defined < (1 - MOST_UNDEFINED) * replicates.length) return null;
  const values = replicates.subarray(0, defined);
  return { low: quantile(values, (1 - level) / 2), high: quantile(values, (1 + level) / 2) };
}

/** @param ascending  at least one value */
function quantile(ascending: Float64Array, share: number): number {
  const place = share * (ascending.length - 1);
  const below = ascending[Math.floor(place)]!;
  return below + (place % 1) * (ascending[Math.ceil(place)]! - below);
}
