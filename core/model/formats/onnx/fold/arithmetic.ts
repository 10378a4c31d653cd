import type { Call, Operator } from '../call.ts';
import { knownAt, malformed } from '../call.ts';
import type { Kind } from '../file/tensor-data.ts';
import { broadcastShapes } from '../shapes.ts';
import type { Constant } from '../values.ts';
import { makeConstant } from '../values.ts';
import { broadcast } from './index-maps.ts';

type Binary = (a: number, b: number) => number;

const TRUTH: Readonly<Record<string, Binary>> = {
  Equal: (a, b) => Number(a === b),
  Greater: (a, b) => Number(a > b),
  GreaterOrEqual: (a, b) => Number(a >= b),
  Less: (a, b) => Number(a < b),
  LessOrEqual: (a, b) => Number(a <= b),
  And: (a, b) => Number(a !== 0 && b !== 0),
  Or: (a, b) => Number(a !== 0 || b !== 0),
  Xor: (a, b) => Number((a !== 0) !== (b !== 0)),
};

const NUMBER: Readonly<Record<string, Binary>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
  Pow: (a, b) => a ** b,
  Max: Math.max,
  Min: Math.min,
};

const UNARY: Readonly<Record<string, (a: number) => number>> = {
  Abs: Math.abs,
  Ceil: Math.ceil,
  Exp: Math.exp,
  Floor: Math.floor,
  Log: Math.log,
  Neg: (a) => -a,
  Not: (a) => Number(a === 0),
  Reciprocal: (a) => 1 / a,
  Sign: Math.sign,
  Sqrt: Math.sqrt,
};

/** Arithmetic of constants: integers divide towards zero, floats are as wide as the backend's. */
export const ARITHMETIC: Readonly<Record<string, Operator>> = {
  ...mapValues(TRUTH, (apply) => (call: Call) => [combine(call, apply, 'bool')]),
  ...mapValues(NUMBER, (apply) => (call: Call) => [combine(call, apply)]),
  ...mapValues(UNARY, (apply) => (call: Call) => [mapEntries(call, apply)]),
  Mod: (call) => {
    const isTruncated = call.node.attributes.int('fmod', 0) === 1;
    // without fmod the result has the sign of the divisor
    return [combine(call, isTruncated ? (a, b) => a % b : (a, b) => a - b * Math.floor(a / b))];
  },
};

function mapValues<From, To>(record: Readonly<Record<string, From>>, map: (from: From) => To) {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value)]));
}

/** Operators of one input read one, those of many fold them from the left. */
function combine(call: Call, apply: Binary, kind?: Kind): Constant {
  const rest = call.inputs.slice(1).map((_, place) => knownAt(call, place + 1));
  return rest.reduce((a, b) => combinePair(call, [a, b], { apply, kind }), knownAt(call, 0));
}

function combinePair(
  call: Call,
  [a, b]: readonly [Constant, Constant],
  { apply, kind = a.kind }: { readonly apply: Binary; readonly kind: Kind | undefined },
): Constant {
  const shape = broadcastShapes(a.shape, b.shape);
  if (shape === null) {
    throw malformed(
      call,
      `expected shapes that broadcast, received [${a.shape.join(', ')}] and [${b.shape.join(', ')}]`,
    );
  }
  call.lowering.budget.take(shape, call.node.name);
  const round = roundTo(kind);
  const [left, right] = [broadcast(a, shape).entries, broadcast(b, shape).entries];
  return makeConstant(
    kind,
    shape,
    left.map((entry, place) => round(apply(entry, right[place]!))),
  );
}

function mapEntries(call: Call, apply: (a: number) => number): Constant {
  const source = knownAt(call, 0);
  call.lowering.budget.take(source.shape, call.node.name);
  const round = roundTo(source.kind);
  return makeConstant(
    source.kind,
    source.shape,
    source.entries.map((entry) => round(apply(entry))),
  );
}

export function roundTo(kind: Kind): (value: number) => number {
  if (kind === 'float') return Math.fround;
  return kind === 'int' ? Math.trunc : (value) => Number(value !== 0);
}
