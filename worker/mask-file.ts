import type { Parameter } from '../core/model/classifier.ts';
import type { Mask } from './bmft/mask.ts';

/** Header bytes are padded with spaces to this, so that float32 data is aligned in a memory map. */
const ALIGNMENT = 8;

/**
 * A mask as a safetensors file: named tensors, no code, readable by mmap in Python, Rust and JavaScript.
 * A hard mask is stored as U8 of 0 and 1, a soft one as F32.
 *
 * @see https://github.com/huggingface/safetensors#format
 */
export function encodeMask(mask: Mask, kind: 'hard' | 'soft', parameters: readonly Parameter[]): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: { format: 'counterweight-mask', kind } };
  const blocks: Uint8Array[] = [];
  let offset = 0;
  for (const { name, shape } of parameters) {
    const values = mask.values.get(name)!;
    const block =
      kind === 'hard' ? Uint8Array.from(values) : new Uint8Array(Float32Array.from(values).buffer);
    header[name] = {
      dtype: kind === 'hard' ? 'U8' : 'F32',
      shape,
      data_offsets: [offset, offset + block.length],
    };
    blocks.push(block);
    offset += block.length;
  }
  const text = Buffer.from(JSON.stringify(header));
  const padded = Buffer.alloc(Math.ceil(text.length / ALIGNMENT) * ALIGNMENT, ' ');
  text.copy(padded);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return Buffer.concat([length, padded, ...blocks]);
}
