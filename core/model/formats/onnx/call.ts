import { InvalidInputError, UnsupportedModelError } from '../../../errors.ts';
import type { GraphNode } from './graph.ts';
import type { Lowering } from './lowering.ts';
import { axisOf } from './shapes.ts';
import type { Constant, Slot, Value } from './values.ts';

/** One node with what it reads, to be turned into constants and steps. */
export interface Call {
  readonly node: GraphNode;
  readonly opset: number;
  /** Null for an optional input that is left out. */
  readonly inputs: readonly (Value | null)[];
  readonly lowering: Lowering;
  /** Is the only reader of its output a relu, which is to be done along with it? */
  readonly isRectified: boolean;
}

/** What one operator means: values of its outputs, in order. */
export type Operator = (call: Call) => readonly Value[];

function describe({ node, opset }: Pick<Call, 'node' | 'opset'>): string {
  return `model node ${node.op} "${node.name}" (opset ${opset})`;
}

/** @param what  `expected …, received …` */
export function unsupported(call: Pick<Call, 'node' | 'opset'>, what: string): UnsupportedModelError {
  const { node, opset } = call;
  return new UnsupportedModelError(`${describe(call)}: ${what}`, {
    operator: node.op,
    node: node.name,
    opset,
  });
}

/** @param what  `expected …, received …` */
export function malformed(call: Pick<Call, 'node' | 'opset'>, what: string): InvalidInputError {
  const { node, opset } = call;
  return new InvalidInputError(`${describe(call)}: ${what}`, { operator: node.op, node: node.name, opset });
}

export function valueAt(call: Call, place: number): Value {
  const value = call.inputs[place] ?? null;
  if (value !== null) return value;
  throw malformed(call, `expected an input at place ${place}, received none`);
}

/** An input as a tensor of the plan. */
export function slotAt(call: Call, place: number): Slot {
  return call.lowering.slot(valueAt(call, place));
}

/** An input that must be known before the plan runs; null when it is left out. */
export function constantAt(call: Call, place: number): Constant | null {
  const value = call.inputs[place] ?? null;
  if (value === null || value.type === 'constant') return value;
  throw unsupported(call, `expected an input at place ${place} that does not depend on the model's input`);
}

/** An input that must be there, and known before the plan runs. */
export function knownAt(call: Call, place: number): Constant {
  valueAt(call, place);
  return constantAt(call, place) as Constant;
}

/** Integers that an attribute holds, or, since some opset, an input; null when neither is there. */
export function integersOf(call: Call, name: string, place: number): number[] | null {
  const constant = constantAt(call, place);
  return constant === null ? call.node.attributes.ints(name) : Array.from(constant.entries);
}

export function axisAt(call: Call, axis: number, rank: number): number {
  const counted = axisOf(axis, rank);
  if (!Number.isNaN(counted)) return counted;
  throw malformed(call, `expected an axis of ${rank}, received ${axis}`);
}
