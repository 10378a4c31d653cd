import { describe, expect, it } from 'vitest';
import { sectionsOf, wholeAt } from '../../../worker/kernels/wasm-sections.ts';

const HEADER = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

describe('sectionsOf', () => {
  it('finds each section of a module, long ones too', () => {
    const long = Array.from({ length: 300 }, () => 0);
    const binary = Uint8Array.from([...HEADER, 0, 2, 1, 0x78, 5, 0xac, 0x02, ...long, 11, 1, 0]);
    expect([...sectionsOf(binary)]).toEqual([
      { id: 0, start: 10, end: 12 },
      { id: 5, start: 15, end: 315 },
      { id: 11, start: 317, end: 318 },
    ]);
    expect([...sectionsOf(Uint8Array.from(HEADER))]).toEqual([]);
  });
});

describe('wholeAt', () => {
  // The example of LEB128 in DWARF 4, appendix C: 624485.
  it('reads seven bits a byte, the lowest first', () => {
    expect(wholeAt(Uint8Array.from([9, 0xe5, 0x8e, 0x26, 9]), 1)).toEqual({ value: 624_485, end: 4 });
  });
});
