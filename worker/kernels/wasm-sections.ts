/** A part of a compiled WebAssembly module. */
interface Section {
  readonly id: number;
  /** Places of its first byte and of the one behind its last. */
  readonly start: number;
  readonly end: number;
}

/** Behind the magic number and the version. */
const FIRST = 8;

/** The sections of a module, in their order (WebAssembly 2.0, section 5.5). */
export function* sectionsOf(binary: Uint8Array): Generator<Section> {
  let place = FIRST;
  while (place < binary.length) {
    const id = binary[place]!;
    const { value: size, end: start } = wholeAt(binary, place + 1);
    place = start + size;
    yield { id, start, end: place };
  }
}

/** A whole number in LEB128, and the place behind it. */
export function wholeAt(binary: Uint8Array, place: number): { readonly value: number; readonly end: number } {
  let value = 0;
  for (let digit = 0; ; digit += 1) {
    const byte = binary[place + digit]!;
    value += (byte & 127) * 128 ** digit;
    if (byte < 128) return { value, end: place + digit + 1 };
  }
}
