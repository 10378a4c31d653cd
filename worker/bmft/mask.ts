import type { MaskSummary } from '../../core/jobs/run-record.ts';
import type { Importance } from './importance.ts';
import type { MaskOptions } from './options.ts';

/** Entries in [0, 1] by parameter name: 0 keeps a weight as it is, 1 tunes it. */
export interface Mask {
  readonly values: ReadonlyMap<string, Float32Array>;
  /** Why a tensor was left out, by parameter name. */
  readonly notes: ReadonlyMap<string, string>;
}

/** Ratio of importances by parameter name; tensors that carry no information are left out, with a note. */
export interface Ratio {
  readonly values: ReadonlyMap<string, Float64Array>;
  readonly notes: ReadonlyMap<string, string>;
}

/**
 * How much more a weight matters for the disparity than for the task.
 *
 *   R = N(I_disparity) / (N(I_task) + ε)
 *
 * N is min-max scaling or the mid-rank in [0, 1], per tensor. A tensor whose importance is the same
 * everywhere (max = min, one entry) has no N: it is left out and noted, or (`unscaled`) kept as it is.
 *
 * @see docs/method.md#mask
 */
export function importanceRatio(
  { disparity, task }: { disparity: Importance; task: Importance },
  options: Pick<MaskOptions, 'normalization' | 'epsilon' | 'epsilonIsRelative' | 'constantTensors'>,
): Ratio {
  const values = new Map<string, Float64Array>();
  const notes = new Map<string, string>();
  for (const [name, disparityImportance] of disparity) {
    const taskImportance = task.get(name)!;
    const constant = isConstant(disparityImportance)
      ? 'disparity'
      : isConstant(taskImportance)
        ? 'task'
        : null;
    if (constant !== null && options.constantTensors === 'leave-out') {
      notes.set(name, whyConstant(disparityImportance, constant));
      continue;
    }
    const numerator = normalize(disparityImportance, options.normalization);
    const denominator = normalize(taskImportance, options.normalization);
    // a tensor that is kept although its task importance is 0 everywhere has no mean to be relative to
    const epsilon = options.epsilon * ((options.epsilonIsRelative && mean(denominator)) || 1);
    values.set(
      name,
      numerator.map((value, place) => value / (denominator[place]! + epsilon)),
    );
  }
  return { values, notes };
}

function isConstant(values: Float64Array): boolean {
  return values.every((value) => value === values[0]);
}

function whyConstant(disparityImportance: Float64Array, constant: 'disparity' | 'task'): string {
  if (disparityImportance.length === 1) return 'one weight only, so its importance cannot be compared';
  return `left out: the ${constant} importance is the same for every weight of this tensor`;
}

function normalize(values: Float64Array, normalization: MaskOptions['normalization']): Float64Array {
  if (isConstant(values)) return values;
  return normalization === 'rank' ? midRanks(values) : minMax(values);
}

function minMax(values: Float64Array): Float64Array {
  const lowest = values.reduce((a, b) => Math.min(a, b));
  const highest = values.reduce((a, b) => Math.max(a, b));
  return values.map((value) => (value - lowest) / (highest - lowest));
}

/** Rank from 0 (lowest) to 1 (highest); equal values share the mean of their ranks. */
function midRanks(values: Float64Array): Float64Array {
  const order = Array.from(values.keys()).sort((a, b) => values[a]! - values[b]!);
  const ranks = new Float64Array(values.length);
  for (let start = 0; start < order.length; ) {
    let end = start;
    while (end < order.length && values[order[end]!] === values[order[start]!]) end += 1;
    for (let place = start; place < end; place += 1) {
      ranks[order[place]!] = (start + end - 1) / 2 / (values.length - 1);
    }
    start = end;
  }
  return ranks;
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * The p-th percentile with linear interpolation between order statistics (numpy's default).
 *
 * @param percent  in [0, 100]
 */
export function percentile(values: Float64Array, percent: number): number {
  const sorted = values.toSorted();
  const place = (percent / 100) * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below]! + (place - below) * (sorted[above]! - sorted[below]!);
}

/**
 * Hard mask 1[R > T], T the percentile of R over all tensors of the body together; the head gets 0.
 *
 * @param sizes  number of weights by parameter name, body and head
 * @param body  names of the body's parameters
 */
export function hardMask(
  ratio: Ratio,
  { sizes, body, percent }: { sizes: ReadonlyMap<string, number>; body: readonly string[]; percent: number },
): Mask {
  const inBody = body.filter((name) => ratio.values.has(name));
  const threshold = percentile(concatenate(inBody.map((name) => ratio.values.get(name)!)), percent);
  const select = (value: number) => (value > threshold ? 1 : 0);
  return fillMask(ratio, sizes, (name) => (inBody.includes(name) ? select : () => 0));
}

function concatenate(arrays: readonly Float64Array[]): Float64Array {
  const joined = new Float64Array(arrays.reduce((length, array) => length + array.length, 0));
  let offset = 0;
  for (const array of arrays) {
    joined.set(array, offset);
    offset += array.length;
  }
  return joined;
}

/** Soft mask tanh(R), head included (SWiFT). */
export function softMask(ratio: Ratio, sizes: ReadonlyMap<string, number>): Mask {
  return fillMask(ratio, sizes, () => Math.tanh);
}

function fillMask(
  { values: ratios, notes }: Ratio,
  sizes: ReadonlyMap<string, number>,
  entryOf: (name: string) => (value: number) => number,
): Mask {
  const values = new Map<string, Float32Array>();
  for (const [name, size] of sizes) {
    const ratio = ratios.get(name);
    values.set(name, ratio ? Float32Array.from(ratio, entryOf(name)) : new Float32Array(size));
  }
  return { values, notes };
}

/**
 * Jaccard overlap |A ∩ B| / |A ∪ B| of two masks; for soft masks, of minima and maxima.
 *
 * @returns in [0, 1], null when both are empty
 */
export function maskOverlap(a: Mask, b: Mask): number | null {
  let shared = 0;
  let either = 0;
  for (const [name, values] of a.values) {
    const others = b.values.get(name)!;
    values.forEach((value, place) => {
      shared += Math.min(value, others[place]!);
      either += Math.max(value, others[place]!);
    });
  }
  return either === 0 ? null : shared / either;
}

/** @param names  parameters that the mask is about: those of the body, for a soft mask those of the head too */
export function summarizeMask(
  { values, notes }: Mask,
  names: readonly string[],
  about: Pick<MaskSummary, 'kind' | 'percentile' | 'stability'>,
): Omit<MaskSummary, 'isApplied'> {
  const layers = names.map((parameter) => {
    const entries = values.get(parameter)!;
    const note = notes.get(parameter);
    return { parameter, size: entries.length, selected: sum(entries), ...(note !== undefined && { note }) };
  });
  return {
    ...about,
    selected: layers.reduce((total, layer) => total + layer.selected, 0),
    total: layers.reduce((total, layer) => total + layer.size, 0),
    layers,
  };
}

function sum(values: Float32Array): number {
  return values.reduce((total, value) => total + value, 0);
}
