import type { MaskComparison } from '../../core/jobs/explanation.ts';
import type { Mask } from '../bmft/mask.ts';
import { maskOverlap } from '../bmft/mask.ts';

/**
 * Mean Jaccard overlap of two random sets of `a` and `b` of `total` weights. The shared count k is hypergeometric,
 * and E[k / (a + b - k)] is taken to second order around its mean:
 *
 *   μ = ab/N,   v = ab (N - a)(N - b) / (N² (N - 1)),   μ/(s - μ) + v s/(s - μ)³   with s = a + b
 *
 * @returns null when both are empty
 */
export function chanceOverlap(a: number, b: number, total: number): number | null {
  const either = a + b;
  if (either === 0) return null;
  const mean = (a * b) / total;
  const variance = total < 2 ? 0 : (a * b * (total - a) * (total - b)) / (total ** 2 * (total - 1));
  const rest = either - mean;
  return mean / rest + (variance * either) / rest ** 3;
}

/** Overlap of two masks, in all and by tensor, beside what chance gives for masks of their sizes. */
export function compareMasks(
  [first, second]: readonly [Mask, Mask],
  about: Pick<MaskComparison, 'kind' | 'differs'> & {
    /** Tensors that the masks are about. */
    readonly names: readonly string[];
    readonly isSoft: boolean;
  },
): MaskComparison {
  const { kind, differs, names, isSoft } = about;
  const sizes = names.map((parameter) => ({
    parameter,
    a: sizeOf(first, parameter),
    b: sizeOf(second, parameter),
    total: first.values.get(parameter)!.length,
  }));
  const sum = (pick: (of: (typeof sizes)[number]) => number) =>
    sizes.reduce((total, size) => total + pick(size), 0);
  const [a, b] = [sum((size) => size.a), sum((size) => size.b)];
  // of fixed sizes per tensor, the shared counts add up; their spread is too small to matter in the sum
  const shared = sum((size) => (size.total === 0 ? 0 : (size.a * size.b) / size.total));
  return {
    kind,
    differs,
    overlap: maskOverlap(only(first, names), only(second, names)),
    chance: isSoft
      ? null
      : chanceOverlap(
          a,
          b,
          sum(({ total }) => total),
        ),
    chanceWithinTensors: isSoft || a + b === 0 ? null : shared / (a + b - shared),
    layers: sizes.map(({ parameter, a: ownA, b: ownB, total }) => ({
      parameter,
      overlap: maskOverlap(only(first, [parameter]), only(second, [parameter])),
      chance: isSoft ? null : chanceOverlap(ownA, ownB, total),
    })),
  };
}

function sizeOf({ values }: Mask, name: string): number {
  return values.get(name)!.reduce((sum, entry) => sum + entry, 0);
}

function only({ values, notes }: Mask, names: readonly string[]): Mask {
  return { values: new Map(names.map((name) => [name, values.get(name)!])), notes };
}
