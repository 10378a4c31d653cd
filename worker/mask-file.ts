import type { Parameter } from '../core/model/classifier.ts';
import type { Mask } from './bmft/mask.ts';
import { encodeTensors } from './tensor-file.ts';

/** A mask as named tensors in a safetensors file: U8 of 0 and 1 for a hard mask, F32 for a soft one. */
export function encodeMask(mask: Mask, kind: 'hard' | 'soft', parameters: readonly Parameter[]): Uint8Array {
  const tensors = parameters.map(({ name, shape }) => {
    const values = mask.values.get(name)!;
    return [name, { shape, values: kind === 'hard' ? Uint8Array.from(values) : values }] as const;
  });
  return encodeTensors(new Map(tensors), { format: 'counterweight-mask', kind });
}
