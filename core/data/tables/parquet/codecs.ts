import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { decompress as zstd } from 'fzstd';
import type { CompressionCodec } from 'hyparquet';
import { snappyUncompress } from 'hyparquet/src/snappy.js';
import { DamagedPageError } from './hybrid.ts';

type Decompress = (bytes: Uint8Array, size: number) => Uint8Array;

/** By name; each writes at most `size` bytes, whatever the compressed bytes claim. */
const DECOMPRESS: Partial<Record<CompressionCodec, Decompress>> = {
  UNCOMPRESSED: (bytes) => bytes,
  SNAPPY(bytes, size) {
    const out = new Uint8Array(size);
    snappyUncompress(bytes, out);
    return out;
  },
  GZIP: (bytes, size) => gunzipSync(bytes, { maxOutputLength: size }),
  BROTLI: (bytes, size) => brotliDecompressSync(bytes, { maxOutputLength: size }),
  ZSTD: (bytes, size) => zstd(bytes, new Uint8Array(size)),
};

/** Names of the codecs that can be read, as messages list them. */
export const CODECS = 'snappy, gzip, brotli, zstd or none';

export function isReadable(codec: CompressionCodec): boolean {
  return codec in DECOMPRESS;
}

/**
 * Content of a page.
 *
 * @param size  bytes that the page must have
 * @throws DamagedPageError, or what the codec throws
 */
export function decompress(codec: CompressionCodec, bytes: Uint8Array, size: number): Uint8Array {
  if (size === 0) return new Uint8Array(0);
  const page = DECOMPRESS[codec]!(bytes, size);
  if (page.length !== size) throw new DamagedPageError(`${page.length} bytes instead of ${size}`);
  return page;
}
