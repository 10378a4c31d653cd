import { describe, expect, it } from 'vitest';
import { decodeTensors, encodeTensors } from '../../worker/tensor-file.ts';

const tensors = new Map([
  ['mask', { shape: [3], values: Uint8Array.of(0, 1, 1) }],
  ['weights', { shape: [1, 2], values: Float32Array.of(-0, 1.5) }],
  ['ratio', { shape: [2], values: Float64Array.of(1e-300, Number.MAX_VALUE) }],
  ['nothing', { shape: [0], values: new Float32Array() }],
]);

describe('tensor file', () => {
  it('gives every bit back, of every type, with its metadata', () => {
    const { tensors: read, metadata } = decodeTensors(encodeTensors(tensors, { kind: 'test' }));
    expect(metadata).toEqual({ kind: 'test' });
    expect([...read.keys()]).toEqual([...tensors.keys()]);
    for (const [name, { shape, values }] of tensors) {
      expect(read.get(name)!.shape).toEqual(shape);
      expect(read.get(name)!.values).toEqual(values);
    }
    expect(Object.is(read.get('weights')!.values[0], -0)).toBe(true);
  });

  it('starts its data at a multiple of 8, as the format asks', () => {
    const bytes = encodeTensors(tensors, {});
    expect(Number(Buffer.from(bytes).readBigUInt64LE()) % 8).toBe(0);
  });

  it.each([0, 7, 8, 20, 100])('refuses a file cut short to %i bytes', (length) => {
    const whole = encodeTensors(tensors, {});
    expect(() => decodeTensors(whole.subarray(0, length))).toThrow(/expected a whole safetensors file/);
  });

  it('refuses a file whose data is cut short, naming the tensor', () => {
    const whole = encodeTensors(tensors, {});
    expect(() => decodeTensors(whole.subarray(0, whole.length - 1))).toThrow('"ratio" is cut short');
  });
});
