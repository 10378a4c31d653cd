import type { DisparityMetric } from '../../core/jobs/schema.ts';
import type { BatchTruth } from '../../worker/training/batch.ts';
import { noise } from './tensors.ts';

export const CLASSES = 3;
const COMBINATIONS = 6;
const PER_CELL = 2;

/** Sites a, b, c and sexes f, m as two features and their intersection. */
export const groupings = [
  { name: 'site', groupNames: ['a', 'b', 'c'], groupOf: Int32Array.of(0, 0, 1, 1, 2, 2) },
  { name: 'sex', groupNames: ['f', 'm'], groupOf: Int32Array.of(0, 1, 0, 1, 0, 1) },
  {
    name: 'site × sex',
    groupNames: ['a × f', 'a × m', 'b × f', 'b × m', 'c × f', 'c × m'],
    groupOf: Int32Array.of(0, 1, 2, 3, 4, 5),
  },
];

/** Two rows of each class in each combination, but for the cells whose bit is set: bit 3 · combination + class. */
export function truthWithout(missing: number): BatchTruth {
  const cells = Array.from({ length: COMBINATIONS * CLASSES }, (_, cell) => cell).filter(
    (cell) => !((missing >> cell) & 1),
  );
  const rows = cells.flatMap((cell) => Array.from({ length: PER_CELL }, () => cell));
  return {
    labels: Int32Array.from(rows, (cell) => cell % CLASSES),
    groups: Int32Array.from(rows, (cell) => Math.floor(cell / CLASSES)),
  };
}

/** [N · 3] */
export function logitsFor({ labels }: Pick<BatchTruth, 'labels'>): number[] {
  return Array.from(noise(labels.length * CLASSES, 17), (value: number) => 2 * value);
}

/** [N][3] */
export function softmax(logits: readonly number[]): number[][] {
  return Array.from({ length: logits.length / CLASSES }, (_, row) => {
    const powers = logits.slice(row * CLASSES, (row + 1) * CLASSES).map(Math.exp);
    const total = powers.reduce((sum, power) => sum + power, 0);
    return powers.map((power) => power / total);
  });
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Mean over groupings and classes of the disparity of a class against the rest as `robust` has it; NaN if none. */
export function definition(
  { labels, groups }: BatchTruth,
  logits: readonly number[],
  metric: DisparityMetric,
): number {
  const scores = softmax(logits);
  const rows = [...labels.keys()];
  const sides = { demographicParity: [null], equalOpportunity: [true], equalizedOdds: [false, true] }[metric];
  const ofSide = (grouping: (typeof groupings)[number], label: number, side: boolean | null) => {
    const isIn = (row: number) => side === null || (labels[row] === label) === side;
    const valuesOf = (own: readonly number[]) => own.map((row) => scores[row]![label]!);
    const cells = grouping.groupNames
      .map((_, group) => rows.filter((row) => isIn(row) && grouping.groupOf[groups[row]!] === group))
      .filter((cell) => cell.length >= 2);
    if (cells.length < 2) return [];
    const all = mean(valuesOf(rows.filter(isIn)));
    const gaps =
      grouping.groupNames.length === 2
        ? [mean(valuesOf(cells[0]!)) - mean(valuesOf(cells[1]!))]
        : cells.map((cell) => mean(valuesOf(cell)) - all);
    return [mean(gaps.map((gap) => Math.sqrt(gap ** 2 + 1e-6)))];
  };
  return mean(
    groupings.map((grouping) =>
      mean(
        Array.from({ length: CLASSES }, (_, label) => sides.flatMap((side) => ofSide(grouping, label, side)))
          .filter((terms) => terms.length > 0)
          .map(mean),
      ),
    ),
  );
}
