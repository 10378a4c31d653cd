import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { InvalidInputError } from '../../../errors.ts';
import type { ForwardMode } from '../../classifier.ts';
import { entriesOf } from './file/limits.ts';
import { permuted } from './fold/index-maps.ts';
import { isIdentity, isSameMemory, range } from './shapes.ts';
import type { Constant, FoldBudget, Slot, Value } from './values.ts';

export interface Step {
  /** Operator that the step is a part of; `Transpose` and `Reshape` also for those that the layout needs. */
  readonly op: string;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** Makes new tensors; never returns one of its inputs. */
  readonly run: (inputs: readonly Tensor[], mode: ForwardMode) => Tensor | Tensor[];
}

/** Entries of a constant in the order in which they are stored, for a tensor that the plan makes when it first runs. */
export interface StoredConstant {
  readonly id: number;
  readonly constant: Constant;
}

export interface StepOutput {
  readonly shape: readonly number[];
  readonly order?: readonly number[];
}

/**
 * Collects the steps of a plan, and moves axes only where a step needs another order than its input has.
 *
 * A Transpose of the graph becomes a step only that way: it says how axes are called, and where memory lies stays
 * as it is until something reads it.
 */
export class Lowering {
  readonly steps: Step[] = [];
  readonly constants: StoredConstant[] = [];
  readonly budget: FoldBudget;
  #next: number;
  /** What was reordered once, by slot and order. */
  readonly #reordered = new Map<string, Slot>();
  readonly #slots = new Map<Constant, Slot>();

  /** @param first  id of the first slot that is free */
  constructor(first: number, budget: FoldBudget) {
    this.#next = first;
    this.budget = budget;
  }

  /** A step with one output. */
  emit(op: string, inputs: readonly Slot[], output: StepOutput & Pick<Step, 'run'>): Slot {
    return this.emitAll(op, inputs, { outputs: [output], run: output.run })[0]!;
  }

  emitAll(
    op: string,
    inputs: readonly Slot[],
    { outputs, run }: Pick<Step, 'run'> & { readonly outputs: readonly StepOutput[] },
  ): Slot[] {
    const slots = outputs.map(({ shape, order = range(shape.length) }) => this.#slot(op, shape, order));
    this.steps.push({ op, inputs: inputs.map(({ id }) => id), outputs: slots.map(({ id }) => id), run });
    return slots;
  }

  /** A value as a tensor of the plan, its axes in whatever order they are. */
  slot(value: Value): Slot {
    if (value.type === 'slot') return value;
    const known = this.#slots.get(value);
    if (known !== undefined) return known;
    const slot = this.#slot('Constant', value.shape, range(value.shape.length));
    this.constants.push({ id: slot.id, constant: value });
    this.#slots.set(value, slot);
    return slot;
  }

  /** The value stored in this order of axes. */
  ordered(value: Value, order: readonly number[]): Slot {
    if (value.type === 'constant') {
      const slot = this.slot(isIdentity(order) ? value : permuted(value, order));
      return { ...slot, shape: value.shape, order };
    }
    const permutation = order.map((axis) => value.order.indexOf(axis));
    if (isIdentity(permutation)) return value;
    // by places in memory, because one tensor may have its axes called in several ways
    const key = `${value.id}:${permutation.join()}`;
    const known = this.#reordered.get(key);
    const { id } = known ?? this.#reorder(value, order, permutation);
    const slot: Slot = { ...value, id, order };
    this.#reordered.set(key, slot);
    return slot;
  }

  /** The value stored as its shape says. */
  plain(value: Value): Slot {
    return this.ordered(value, range(value.shape.length));
  }

  #reorder(slot: Slot, order: readonly number[], permutation: number[]): Slot {
    const { shape } = slot;
    const stored = order.map((axis) => shape[axis]!);
    const isSame = isSameMemory(shape, slot.order, order);
    const run = ([x]: readonly Tensor[]) => (isSame ? tf.reshape(x!, stored) : tf.transpose(x!, permutation));
    return this.emit(isSame ? 'Reshape' : 'Transpose', [slot], { shape, order, run });
  }

  #slot(op: string, shape: readonly number[], order: readonly number[]): Slot {
    if (shape.some((extent) => !(extent > 0))) {
      throw new InvalidInputError(`output of ${op}: expected entries, received shape [${shape.join(', ')}]`);
    }
    entriesOf(shape, `output of ${op}`);
    const slot: Slot = { type: 'slot', id: this.#next, shape, order };
    this.#next += 1;
    return slot;
  }
}

/** Extents in the order in which they are stored. */
export function storedShape({ shape, order }: Slot): number[] {
  return order.map((axis) => shape[axis]!);
}
