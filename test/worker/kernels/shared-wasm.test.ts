import { describe, expect, it } from 'vitest';
import { shareMemory } from '../../../worker/kernels/shared-wasm.ts';

const HEADER = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
/** A section without meaning, so that the memory is not the first. */
const CUSTOM = [0, 3, 1, 0x78, 9];

/** A module with one memory of 1 to 200 pages. */
const moduleWith = (flag: number, memories = 1) =>
  Uint8Array.from([...HEADER, ...CUSTOM, 5, 5, memories, flag, 1, 0xc8, 0x01]);

describe('shareMemory', () => {
  it('makes a module that an engine takes, with a memory that threads share', async () => {
    const shared = shareMemory(moduleWith(1));
    expect(shared).toEqual(moduleWith(3));
    expect(WebAssembly.validate(shared)).toBe(true);
  });

  it.each([
    ['without a maximum', moduleWith(0)],
    ['that is shared already', moduleWith(3)],
    ['beside another', moduleWith(1, 2)],
    ['that there is not', Uint8Array.from([...HEADER, ...CUSTOM])],
  ])('refuses a memory %s', (_, binary) => {
    expect(() => shareMemory(binary)).toThrow(expect.objectContaining({ code: 'BACKEND_UNAVAILABLE' }));
  });
});
