import { entriesOf, LIMITS } from './file/limits.ts';
import type { Kind } from './file/tensor-data.ts';

/** A tensor whose entries are known before any input is: shape arithmetic, indices, masks. */
export interface Constant {
  readonly type: 'constant';
  readonly kind: Kind;
  readonly shape: readonly number[];
  readonly entries: Float64Array;
}

/**
 * A tensor that the plan has when it runs: an input, a weight, or what a step makes of them.
 *
 * It is stored with its axes in some order: stored axis i is the axis `order[i]` of the shape that the file
 * speaks of. An image [B, C, H, W] in the order [0, 2, 3, 1] lies in memory as [B, H, W, C].
 */
export interface Slot {
  readonly type: 'slot';
  readonly id: number;
  readonly shape: readonly number[];
  readonly order: readonly number[];
}

export type Value = Constant | Slot;

export function makeConstant(kind: Kind, shape: readonly number[], entries: Float64Array): Constant {
  return { type: 'constant', kind, shape, entries };
}

/** Counts the entries of the constants that are computed, against graphs that make them without end. */
export class FoldBudget {
  #left: number = LIMITS.foldedEntries;

  /** @throws InvalidInputError when the shape is no shape, or all constants together become too many */
  take(shape: readonly number[], where: string): number {
    const entries = entriesOf(shape, where);
    this.#left -= entries;
    if (this.#left < 0) entriesOf([Number.POSITIVE_INFINITY], `${where}, with all constants before it`);
    return entries;
  }
}
