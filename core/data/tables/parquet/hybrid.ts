/** Widest code that is read: a dictionary of 16 million values is none. */
const MAX_WIDTH = 24;

/** Thrown for bytes that cannot be what they claim to be; whoever knows the file and the column says so. */
export class DamagedPageError extends Error {}

/**
 * Parquet's hybrid of runs and bit-packed groups of eight, by which definition levels and dictionary codes are
 * written. Reads no byte outside [start, end), writes no more than `out` holds.
 *
 * @param width  bits of a value, 0 … 24
 * @returns where the values end
 */
export function readHybrid(
  bytes: Uint8Array,
  [start, end]: readonly [number, number],
  { width, out }: { readonly width: number; readonly out: Int32Array | Uint8Array },
): number {
  if (width > MAX_WIDTH) throw new DamagedPageError(`codes of ${width} bits`);
  let position = start;
  let filled = 0;
  const next = () => {
    if (position >= end) throw new DamagedPageError('values that end early');
    return bytes[position++]!;
  };
  const nextHeader = () => {
    let header = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = next();
      header += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return header;
    }
    throw new DamagedPageError('a run of impossible length');
  };
  while (filled < out.length) {
    const header = nextHeader();
    if (header % 2 === 0) {
      let value = 0;
      for (let shift = 0; shift < width; shift += 8) value |= next() << shift;
      const last = Math.min(out.length, filled + header / 2);
      out.fill(value, filled, last);
      filled = last;
      continue;
    }
    const last = Math.min(out.length, filled + ((header - 1) / 2) * 8);
    const packed = position;
    position += ((header - 1) / 2) * width;
    if (packed + Math.ceil(((last - filled) * width) / 8) > end)
      throw new DamagedPageError('values that end early');
    unpack(bytes.subarray(packed), width, out.subarray(filled, last));
    filled = last;
  }
  return position;
}

/** Values of `width` bits, the lowest bits first. */
function unpack(bytes: Uint8Array, width: number, out: Int32Array | Uint8Array): void {
  const mask = 2 ** width - 1;
  let buffer = 0;
  let held = 0;
  let position = 0;
  for (let index = 0; index < out.length; index += 1) {
    while (held < width) {
      // Below 2^32 always: fewer than 24 bits are held when 8 come.
      buffer |= bytes[position++]! << held;
      held += 8;
    }
    out[index] = buffer & mask;
    buffer >>>= width;
    held -= width;
  }
}
