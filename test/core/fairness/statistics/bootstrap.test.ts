import { describe, expect, it } from 'vitest';
import {
  forEachClusterTable,
  forEachTable,
  percentileInterval,
  type TableBootstrap,
} from '../../../../core/fairness/statistics/bootstrap.ts';

const TABLE: TableBootstrap = {
  counts: [6, 4, 0, 10, 0, 0, 0, 0, 3, 7, 900, 90],
  cells: 4,
  resampling: 'multinomial',
  replicates: 4000,
  seed: 11,
};

function collect(options: TableBootstrap): Float64Array[] {
  const tables: Float64Array[] = [];
  forEachTable(options, (table) => tables.push(table.slice()));
  return tables;
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe.each(['multinomial', 'dirichlet'] as const)('forEachTable, %s', (resampling) => {
  const options = { ...TABLE, resampling };
  const tables = collect(options);

  it('keeps the rows of each group, and a group without rows stays empty', () => {
    const rows = (table: Float64Array, start: number) =>
      table.slice(start, start + 4).reduce((sum, count) => sum + count, 0);
    for (const [start, expected] of [
      [0, 20],
      [4, 0],
      [8, 1000],
    ] as const) {
      const off = tables.map((table) => Math.abs(rows(table, start) - expected));
      expect(Math.max(...off)).toBeLessThan(1e-9);
    }
  });

  it('has the cells’ means, variances and covariance', () => {
    const alpha = resampling === 'dirichlet' ? 0.5 : 0;
    // Shares of 20 rows and 4 prior halves; a Dirichlet spreads by p(1 - p)/(A + 1), a multinomial by p(1 - p)/n.
    const total = 20 + 4 * alpha;
    const [p, q] = [(6 + alpha) / total, (10 + alpha) / total];
    const variance = (share: number) => (400 * share * (1 - share)) / (alpha ? total + 1 : total);
    const first = tables.map((table) => table[0]! - 20 * p);
    const last = tables.map((table) => table[3]! - 20 * q);
    expect(Math.abs(mean(first))).toBeLessThan(3.5 * Math.sqrt(variance(p) / options.replicates));
    expect(Math.abs(mean(last))).toBeLessThan(3.5 * Math.sqrt(variance(q) / options.replicates));
    expect(mean(first.map((value) => value * value)) / variance(p)).toBeCloseTo(1, 1);
    const covariance = (-400 * p * q) / (alpha ? total + 1 : total);
    expect(mean(first.map((value, at) => value * last[at]!)) / covariance).toBeCloseTo(1, 0);
  });

  it('leaves an empty cell empty only without a prior', () => {
    expect(tables.some((table) => table[2]! > 0)).toBe(resampling === 'dirichlet');
  });

  it('gives the same tables for one seed and others for the next', () => {
    const few = { ...options, replicates: 3 };
    expect(collect(few)).toEqual(tables.slice(0, 3));
    expect(collect({ ...few, seed: 12 })).not.toEqual(tables.slice(0, 3));
  });
});

describe('forEachClusterTable', () => {
  const units = [
    [3, 0],
    [0, 3],
    [1, 2],
    [2, 1],
    [6, 0],
  ];

  it('draws whole subjects: mean and variance of a cell are those of sums of five subjects', () => {
    const cells: number[] = [];
    const rows = new Set<number>();
    forEachClusterTable({ units, replicates: 4000, seed: 2 }, ([first, second]) => {
      cells.push(first!);
      rows.add((first! + second!) % 3);
    });
    expect([...rows]).toEqual([0]); // every subject has three or six rows
    const variance = mean(units.map(([first]) => (first! - 12 / 5) ** 2)) * 5;
    expect(Math.abs(mean(cells) - 12)).toBeLessThan(3.5 * Math.sqrt(variance / cells.length));
    expect(mean(cells.map((cell) => (cell - 12) ** 2)) / variance).toBeCloseTo(1, 1);
  });

  it('draws as many as it is told to', () => {
    const totals = new Set<number>();
    forEachClusterTable({ units, replicates: 400, draws: 2, seed: 3 }, ([first, second]) => {
      totals.add(first! + second!);
    });
    expect([...totals].sort((a, b) => a - b)).toEqual([6, 9, 12]); // of two subjects with three or six rows
  });
});

describe('percentileInterval', () => {
  it('interpolates between order statistics as numpy.percentile', () => {
    const values = Float64Array.of(3, 1, 4, 1, 5, 9, 2, 6, 5, 3.5);
    expect(percentileInterval(values, 0.95)).toEqual({ low: 1, high: expect.closeTo(8.325, 12) });
    expect(percentileInterval(values, 0.9)).toEqual({ low: 1, high: expect.closeTo(7.65, 12) });
  });

  it('leaves out replicates without a value, up to one in twenty', () => {
    const replicates = Float64Array.from({ length: 20 }, (_, index) => (index === 7 ? Number.NaN : 2));
    expect(percentileInterval(replicates.slice(), 0.95)).toEqual({ low: 2, high: 2 });
    replicates[3] = Number.NaN;
    expect(percentileInterval(replicates, 0.95)).toBeNull();
    expect(percentileInterval(new Float64Array(0), 0.95)).toBeNull();
  });
});
