import * as z from 'zod';
import { InvalidInputError } from '../../errors.ts';
import { quote } from '../cells.ts';
import { parseWith } from '../parse.ts';
import { MISSING_GROUP } from '../types.ts';

/** A feature of more groups is nearly always meant to have fewer. */
const MOST_BINS = 100;

/** Values of a column become groups: between edges that are given, or between quantiles of the column. */
export const binRuleSchema = z.union([
  z.strictObject({
    edges: z
      .array(z.number())
      .min(1)
      .max(MOST_BINS - 1)
      .refine((edges) => edges.every((edge, index) => index === 0 || edge > edges[index - 1]!), {
        message: 'must ascend',
      }),
  }),
  z.strictObject({ quantiles: z.int().min(2).max(MOST_BINS) }),
]);
export type BinRule = z.output<typeof binRuleSchema>;

/**
 * Rules as the command line spells them: `age:18,40,65` for edges, `age:q4` for quartiles.
 *
 * @throws InvalidInputError when one is spelled otherwise, or a column has two
 */
export function parseBins(texts: readonly string[]): Record<string, BinRule> {
  const rules: Record<string, BinRule> = {};
  for (const text of texts) {
    const end = text.lastIndexOf(':');
    const [column, rule] = [text.slice(0, end).trim(), text.slice(end + 1).trim()];
    if (end < 1 || column === '' || Object.hasOwn(rules, column)) throw wrongRule(text);
    const quantiles = /^q(\d+)$/.exec(rule);
    if (quantiles === null && !/^[-+\d.e,\s]+$/i.test(rule)) throw wrongRule(text);
    const value =
      quantiles === null ? { edges: rule.split(',').map(edgeOf) } : { quantiles: Number(quantiles[1]) };
    rules[column] = parseWith(binRuleSchema, value, `--bins ${quote(text)}`);
  }
  return rules;
}

function edgeOf(text: string): number {
  return text.trim() === '' ? Number.NaN : Number(text);
}

function wrongRule(text: string): InvalidInputError {
  return new InvalidInputError(
    `--bins: expected a column once, with edges (age:18,40,65) or quantiles (age:q4), received ${quote(text)}`,
    { flag: '--bins' },
  );
}

/** Values of a numeric column as codes of groups, in order of appearance, so that none is without rows. */
export interface Binning {
  /** @param value  NaN where it is missing */
  codeOf(value: number): number;
  /** By code. */
  readonly groupNames: readonly string[];
  /** Codes in the order of the values, the missing ones last. */
  order(): number[];
}

/**
 * Bins [-∞, e1), [e1, e2), …, [ek, ∞) and one for missing values.
 *
 * @param edges  ascending
 */
export function makeBinning(edges: readonly number[]): Binning {
  const codeOfBin = new Int32Array(edges.length + 2).fill(-1);
  const bins: number[] = [];
  const groupNames: string[] = [];
  const missing = edges.length + 1;
  return {
    codeOf(value) {
      let bin = Number.isNaN(value) ? missing : 0;
      while (bin < edges.length && value >= edges[bin]!) bin += 1;
      if (codeOfBin[bin]! < 0) {
        codeOfBin[bin] = bins.push(bin) - 1;
        groupNames.push(nameOf(bin, edges));
      }
      return codeOfBin[bin]!;
    },
    groupNames,
    order: () => bins.map((_, code) => code).sort((a, b) => bins[a]! - bins[b]!),
  };
}

function nameOf(bin: number, edges: readonly number[]): string {
  if (bin > edges.length) return MISSING_GROUP;
  if (bin === 0) return `< ${edges[0]}`;
  return bin === edges.length ? `>= ${edges[bin - 1]}` : `${edges[bin - 1]} to < ${edges[bin]}`;
}

/** Distinct values that are counted one by one. */
const MOST_VALUES = 2 ** 17;
/** Significant digits that are left when there are more. */
const COARSE_DIGITS = 5;

export interface QuantileCounter {
  /** NaN is left out. */
  add(values: Float64Array): void;
  /** Edges that divide the values in parts of equal size, as far as equal values allow; none twice. */
  edges(quantiles: number): { readonly edges: readonly number[]; readonly isExact: boolean };
}

/**
 * Counts values for quantiles by the inverse of their distribution: the k-th part of q ends with the least value v of which
 * P(value <= v) >= k/q, and the next value is the edge. Exact up to 131,072 distinct values; beyond, values are rounded to
 * five significant digits first, so that memory stays bounded and the order of rows does not matter.
 */
export function makeQuantileCounter(): QuantileCounter {
  let counts = new Map<number, number>();
  let isExact = true;
  const count = (value: number, times: number) => counts.set(value, (counts.get(value) ?? 0) + times);
  const coarsen = () => {
    const fine = counts;
    counts = new Map();
    isExact = false;
    for (const [value, times] of fine) count(rounded(value), times);
  };
  return {
    add(values) {
      for (const value of values) {
        if (Number.isNaN(value)) continue;
        count(isExact ? value : rounded(value), 1);
        if (isExact && counts.size > MOST_VALUES) coarsen();
      }
    },
    edges(quantiles) {
      const sorted = [...counts].sort(([a], [b]) => a - b);
      const total = sorted.reduce((sum, [, times]) => sum + times, 0);
      const edges: number[] = [];
      let below = 0;
      sorted.forEach(([, times], index) => {
        const isPassed =
          Math.floor((below * quantiles) / total) < Math.floor(((below + times) * quantiles) / total);
        below += times;
        const next = sorted[index + 1];
        if (isPassed && next !== undefined) edges.push(next[0]);
      });
      return { edges, isExact };
    },
  };
}

function rounded(value: number): number {
  return value === 0 ? 0 : Number(value.toPrecision(COARSE_DIGITS));
}
