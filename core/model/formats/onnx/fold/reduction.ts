import type { Call, Operator } from '../call.ts';
import { knownAt } from '../call.ts';
import { axesAt } from '../movement.ts';
import { range, sizeOf, stridesOf } from '../shapes.ts';
import type { Constant } from '../values.ts';
import { makeConstant } from '../values.ts';
import { roundTo } from './arithmetic.ts';
import { eachPlace } from './index-maps.ts';

type Join = (a: number, b: number) => number;

/** Constants that sum up others along some axes. */
export const REDUCTION: Readonly<Record<string, Operator>> = {
  ReduceMax: (call) => [reduce(call, Math.max)],
  ReduceMin: (call) => [reduce(call, Math.min)],
  ReduceProd: (call) => [reduce(call, (a, b) => a * b)],
  ReduceSum: (call) => [reduce(call, (a, b) => a + b)],
};

function reduce(call: Call, join: Join): Constant {
  const { kind, shape, entries } = knownAt(call, 0);
  const { attributes } = call.node;
  const given = axesAt(call, shape.length) ?? [];
  if (given.length === 0 && attributes.int('noop_with_empty_axes', 0) === 1) return knownAt(call, 0);
  const axes = given.length === 0 ? range(shape.length) : given;
  const kept = shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent));
  call.lowering.budget.take(shape, call.node.name);
  const strides = stridesOf(kept).map((stride, axis) => (axes.includes(axis) ? 0 : stride));
  const results = new Float64Array(sizeOf(kept)).fill(Number.NaN);
  eachPlace(shape, (place, index) => {
    const at = place.reduce((sum, step, axis) => sum + step * strides[axis]!, 0);
    const before = results[at]!;
    results[at] = Number.isNaN(before) ? entries[index]! : join(before, entries[index]!);
  });
  const rest = attributes.int('keepdims', 1) === 1 ? kept : shape.filter((_, axis) => !axes.includes(axis));
  return makeConstant(kind, rest, results.map(roundTo(kind)));
}
