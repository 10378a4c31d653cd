import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Parameter } from '../../core/model/classifier.ts';
import { encodeMask } from '../../worker/mask-file.ts';
import { readSafetensors } from '../helpers/made-files.ts';

interface Entry {
  readonly shape: number[];
  readonly values: number[];
}

function encode(tensors: Readonly<Record<string, Entry>>, kind: 'hard' | 'soft') {
  const values = new Map(
    Object.entries(tensors).map(([name, tensor]) => [name, Float32Array.from(tensor.values)]),
  );
  const parameters = Object.entries(tensors).map(
    ([name, { shape }]) => ({ name, shape }) as unknown as Parameter,
  );
  return Buffer.from(encodeMask({ values, notes: new Map() }, kind, parameters));
}

describe('encodeMask', () => {
  it('writes a hard mask as bytes of 0 and 1, to the letter of the format', () => {
    const file = encode(
      { w: { shape: [2, 2], values: [1, 0, 0, 1] }, b: { shape: [1], values: [1] } },
      'hard',
    );
    const header =
      '{"__metadata__":{"format":"counterweight-mask","kind":"hard"},' +
      '"w":{"dtype":"U8","shape":[2,2],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[1],"data_offsets":[4,5]}}';
    const padded = header.padEnd(Math.ceil(header.length / 8) * 8, ' ');
    expect(file.subarray(0, 8)).toEqual(Buffer.from([padded.length, 0, 0, 0, 0, 0, 0, 0]));
    expect(file.toString('utf8', 8, 8 + padded.length)).toBe(padded);
    expect([...file.subarray(8 + padded.length)]).toEqual([1, 0, 0, 1, 1]);
  });

  it('writes a soft mask as little-endian float32', () => {
    const { tensors, data } = readSafetensors(encode({ w: { shape: [2], values: [0.25, 1] } }, 'soft'));
    expect(tensors).toEqual({ w: { dtype: 'F32', shape: [2], data_offsets: [0, 8] } });
    expect([data.readFloatLE(0), data.readFloatLE(4)]).toEqual([0.25, 1]);
  });

  it('starts the data at a multiple of 8 and covers it end to end, whatever the names', () => {
    const name = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
      .filter((text) => !text.startsWith('__'));
    const entry = fc
      .array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 })
      .map((shape) => ({ shape, values: new Array<number>(shape.reduce((a, b) => a * b, 1)).fill(1) }));
    fc.assert(
      fc.property(
        fc.dictionary(name, entry, { maxKeys: 4 }),
        fc.constantFrom('hard', 'soft'),
        (given, kind) => {
          const { headerLength, tensors, data } = readSafetensors(encode(given, kind));
          expect(headerLength % 8).toBe(0);
          let end = 0;
          for (const { data_offsets } of Object.values(tensors)) {
            expect(data_offsets[0]).toBe(end);
            end = data_offsets[1];
          }
          expect(end).toBe(data.length);
          for (const [key, { shape }] of Object.entries(given)) expect(tensors[key]!.shape).toEqual(shape);
        },
      ),
      { numRuns: 50 },
    );
  });
});
