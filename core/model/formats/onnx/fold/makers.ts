import { InvalidInputError } from '../../../../errors.ts';
import type { Call, Operator } from '../call.ts';
import { knownAt, malformed, unsupported, valueAt } from '../call.ts';
import type { TensorProto } from '../file/onnx-pb.ts';
import { TensorProto_DataType as DataType } from '../file/onnx-pb.ts';
import type { Kind } from '../file/tensor-data.ts';
import { kindOf, readEntries, shapeOf } from '../file/tensor-data.ts';
import type { Constant } from '../values.ts';
import { makeConstant } from '../values.ts';
import { roundTo } from './arithmetic.ts';

const INTEGERS: readonly number[] = [
  DataType.INT64,
  DataType.INT32,
  DataType.INT16,
  DataType.INT8,
  DataType.UINT8,
  DataType.UINT16,
  DataType.UINT32,
  DataType.UINT64,
];
const FLOATS: readonly number[] = [DataType.FLOAT, DataType.DOUBLE, DataType.FLOAT16, DataType.BFLOAT16];

/** The kind of an ONNX type; null for text and the like. */
export function kindOfType(type: number): Kind | null {
  if (type === DataType.BOOL) return 'bool';
  if (INTEGERS.includes(type)) return 'int';
  return FLOATS.includes(type) ? 'float' : null;
}

/** Constants out of attributes, shapes and numbers. */
export const MAKERS: Readonly<Record<string, Operator>> = {
  Constant: (call) => [constantOf(call)],
  ConstantOfShape: (call) => {
    const shape = Array.from(knownAt(call, 0).entries);
    const fill = call.node.attributes.tensor('value');
    const kind = fill === null ? 'float' : kindOf(fill);
    const [value = 0] = fill === null ? [] : readEntries(fill);
    const size = call.lowering.budget.take(shape, call.node.name);
    return [makeConstant(kind, shape, new Float64Array(size).fill(value))];
  },
  Shape: (call) => {
    const { shape } = valueAt(call, 0);
    const { attributes } = call.node;
    const dims = shape.slice(attributes.int('start', 0), attributes.int('end', shape.length));
    return [makeConstant('int', [dims.length], Float64Array.from(dims))];
  },
  Size: (call) => [integer(valueAt(call, 0).shape.reduce((product, extent) => product * extent, 1))],
  Range: (call) => {
    const [start, limit, delta] = [0, 1, 2].map((place) => knownAt(call, place).entries[0]!);
    const length = Math.max(Math.ceil((limit! - start!) / delta!), 0);
    const size = call.lowering.budget.take([length], call.node.name);
    const entries = Float64Array.from({ length: size }, (_, place) => start! + place * delta!);
    return [makeConstant(knownAt(call, 0).kind, [size], entries)];
  },
  Cast: (call) => {
    const kind = kindOfType(call.node.attributes.int('to', 0));
    const source = knownAt(call, 0);
    if (kind === null) throw unsupported(call, 'expected a cast to numbers, received another type');
    return [makeConstant(kind, source.shape, source.entries.map(roundTo(kind)))];
  },
};

function integer(value: number): Constant {
  return makeConstant('int', [], Float64Array.of(value));
}

function constantOf(call: Call): Constant {
  const { attributes } = call.node;
  const tensor = attributes.tensor('value');
  if (tensor !== null) return readConstant(tensor);
  const list = (kind: Kind, values: readonly number[]) =>
    makeConstant(kind, [values.length], Float64Array.from(values));
  const [floats, ints] = [attributes.floats('value_floats'), attributes.ints('value_ints')];
  if (floats !== null) return list('float', floats);
  if (ints !== null) return list('int', ints);
  if (attributes.has('value_int')) return integer(attributes.int('value_int', 0));
  if (attributes.has('value_float')) {
    return makeConstant('float', [], Float64Array.of(attributes.float('value_float', 0)));
  }
  throw malformed(call, 'expected a constant of numbers, received none');
}

/** @throws InvalidInputError when the tensor names external data, which only initializers may have */
function readConstant(tensor: TensorProto): Constant {
  if (tensor.externalData.length > 0) {
    throw new InvalidInputError(`model tensor "${tensor.name}": expected its values in the model's own file`);
  }
  return makeConstant(kindOf(tensor), shapeOf(tensor), readEntries(tensor));
}
