export type Interval = readonly [from: number, to: number];

export type Scale = (value: number) => number;

/** Maps `domain` onto `range` linearly, to hundredths of a pixel. A domain without width maps to the middle. */
export function linearScale(domain: Interval, range: Interval): Scale {
  const [low, high] = domain;
  const [from, to] = range;
  if (low === high) return () => round((from + to) / 2);
  return (value) => round(from + ((value - low) / (high - low)) * (to - from));
}

export interface Ticks {
  /** Ascending; the first is at or below the smallest value, the last at or above the largest. */
  readonly values: readonly number[];
  readonly decimals: number;
  /** How a tick is written, where not as a decimal. */
  readonly label?: (value: number) => string;
}

/**
 * Ticks at multiples of 1, 2 or 5 times a power of ten that enclose `[low, high]`.
 *
 * @param options.atMost   how many steps at most, roughly
 * @param options.minStep  smallest step; 1 for things that are counted
 */
export function niceTicks([low, high]: Interval, options: { atMost: number; minStep?: number }): Ticks {
  const step = niceStep((high - low) / options.atMost, options.minStep ?? 0);
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(Math.ceil(high / step - 1e-9), first + 1);
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const values = Array.from({ length: last - first + 1 }, (_, index) =>
    Number(((first + index) * step).toFixed(decimals)),
  );
  return { values, decimals };
}

function niceStep(rawStep: number, minStep: number): number {
  const target = Math.max(rawStep, minStep, 1e-6);
  const power = 10 ** Math.floor(Math.log10(target) + 1e-9);
  const factor = [1, 2, 5].find((candidate) => candidate * power >= target * (1 - 1e-9)) ?? 10;
  return factor * power;
}

export function ends(ticks: Ticks): Interval {
  return [ticks.values[0]!, ticks.values.at(-1)!];
}

/** Smallest and largest of the values, widened by `padding` of their span (or by `padding` if they are equal). */
export function extent(values: readonly number[], padding = 0): Interval {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const margin = (high - low || 1) * padding;
  return [low - margin, high + margin];
}

/**
 * Moves label positions apart until neighbours are at least `gap` away, keeping their order.
 *
 * @returns positions in the order of the input
 */
export function spread(positions: readonly number[], gap: number): number[] {
  const order = positions.map((_, index) => index).sort((a, b) => positions[a]! - positions[b]!);
  const result = [...positions];
  order.forEach((index, rank) => {
    const previous = order[rank - 1];
    if (previous !== undefined) result[index] = Math.max(result[index]!, result[previous]! + gap);
  });
  return result;
}

/** Hundredths of a pixel are enough, and short numbers keep the file small. */
export function round(value: number): number {
  return Math.round(value * 100) / 100;
}
