import {
  Cast,
  type CastAttrs,
  type CastInputs,
  type IdentityInputs,
  type TensorInfo,
} from '@tensorflow/tfjs-core';
import type { KernelCall } from './heap.ts';
import { runStock } from './stock.ts';

/**
 * The same elements, in the same memory: tfjs never writes into a tensor that there is, and counts who uses it. The
 * stock kernel copies, and tfjs clones every activation that a gradient may want.
 */
export function identity({ inputs, backend }: KernelCall<IdentityInputs, unknown>): TensorInfo {
  const { dataId, shape, dtype } = inputs.x;
  backend.incRef(dataId);
  return { dataId, shape, dtype };
}

/** To the type that the elements have, which is what the gradient of a clone asks for; others are left to tfjs. */
export function cast(call: KernelCall<CastInputs, CastAttrs>): TensorInfo {
  return call.inputs.x.dtype === call.attrs.dtype ? identity(call) : runStock(Cast, call);
}
