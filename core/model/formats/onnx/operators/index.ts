import { ownEntry } from '../../../own-entry.ts';
import type { Operator } from '../call.ts';
import { unsupported, valueAt } from '../call.ts';
import { TensorProto_DataType as DataType } from '../file/onnx-pb.ts';
import { ARITHMETIC } from '../fold/arithmetic.ts';
import { kindOfType, MAKERS } from '../fold/makers.ts';
import { MOVEMENT as CONSTANT_MOVEMENT } from '../fold/movement.ts';
import { REDUCTION as CONSTANT_REDUCTION } from '../fold/reduction.ts';
import type { Value } from '../values.ts';
import { BATCH_NORM } from './batch-norm.ts';
import { CONVOLUTION } from './convolution.ts';
import { ELEMENTWISE } from './elementwise.ts';
import { MOVEMENT } from './movement.ts';
import { NORMALIZATION } from './normalization.ts';
import { POOLING } from './pooling.ts';
import { PRODUCTS } from './products.ts';
import { REDUCTION } from './reduction.ts';
import { RESIZE } from './resize.ts';

/** What is known before any input is, whatever it is made of. */
const ON_CONSTANTS: Readonly<Record<string, Operator>> = {
  ...MAKERS,
  ...ARITHMETIC,
  ...CONSTANT_MOVEMENT,
  ...CONSTANT_REDUCTION,
};

const ON_TENSORS: Readonly<Record<string, Operator>> = {
  ...BATCH_NORM,
  ...ELEMENTWISE,
  ...MOVEMENT,
  ...NORMALIZATION,
  ...CONVOLUTION,
  ...POOLING,
  ...PRODUCTS,
  ...REDUCTION,
  ...RESIZE,
  Identity: (call) => [valueAt(call, 0)],
  /** All floats are as wide as the backend's. */
  Cast: (call) => {
    const to = call.node.attributes.int('to', DataType.FLOAT);
    if (kindOfType(to) === 'float') return [valueAt(call, 0)];
    throw unsupported(call, `expected a cast to floats, received one to ONNX type ${to}`);
  },
  Shape: MAKERS.Shape!,
  Size: MAKERS.Size!,
};

/** Every operator that is read, in the order of the alphabet. */
export const OPERATOR_NAMES: readonly string[] = [
  ...new Set([...Object.keys(ON_TENSORS), ...Object.keys(ON_CONSTANTS)]),
].sort();

/**
 * Values of a node's outputs.
 *
 * @throws UnsupportedModelError when the operator is not read, or not as the node uses it
 */
export const applyOperator: Operator = (call): readonly Value[] => {
  const { op } = call.node;
  const isKnown = call.inputs.every((value) => value === null || value.type === 'constant');
  const operator = (isKnown ? ownEntry(ON_CONSTANTS, op) : undefined) ?? ownEntry(ON_TENSORS, op);
  if (operator !== undefined) return operator(call);
  if (ownEntry(ON_CONSTANTS, op) !== undefined) {
    throw unsupported(call, `expected inputs that do not depend on the model's input, received others`);
  }
  throw unsupported(call, 'expected an operator of the list in docs/models.md, received another');
};
