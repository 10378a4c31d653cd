import { InvalidInputError } from '../core/errors.ts';

/** Header bytes are padded with spaces to this, so that data is aligned in a memory map. */
const ALIGNMENT = 8;

type Values = Uint8Array | Float32Array | Float64Array;

export interface NamedTensor {
  readonly shape: readonly number[];
  readonly values: Values;
}

const TYPES = {
  U8: { bytes: 1, view: (buffer: ArrayBuffer) => new Uint8Array(buffer) },
  F32: { bytes: 4, view: (buffer: ArrayBuffer) => new Float32Array(buffer) },
  F64: { bytes: 8, view: (buffer: ArrayBuffer) => new Float64Array(buffer) },
} as const;

interface Entry {
  readonly dtype: keyof typeof TYPES;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/**
 * Named tensors as a safetensors file: no code in it, readable by mmap in Python, Rust and JavaScript.
 *
 * @see https://github.com/huggingface/safetensors#format
 */
export function encodeTensors(
  tensors: ReadonlyMap<string, NamedTensor>,
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: metadata };
  const blocks: Uint8Array[] = [];
  let offset = 0;
  for (const [name, { shape, values }] of tensors) {
    const block = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    header[name] = { dtype: typeOf(values), shape, data_offsets: [offset, offset + block.length] };
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

/** @throws InvalidInputError when the bytes are no such file */
export function decodeTensors(bytes: Uint8Array): {
  readonly tensors: ReadonlyMap<string, NamedTensor>;
  readonly metadata: Readonly<Record<string, string>>;
} {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = bytes.length < 8 ? Number.NaN : 8 + Number(buffer.readBigUInt64LE());
  if (!(start <= bytes.length)) throw damaged('its header is cut short');
  const { __metadata__: metadata = {}, ...entries } = parseHeader(buffer.toString('utf8', 8, start));
  const tensors = Object.entries(entries).map(([name, entry]) => {
    const { dtype, shape, data_offsets } = entry as Entry;
    const [from, to] = data_offsets;
    const size = shape.reduce((product, extent) => product * extent, 1);
    if (start + to > bytes.length || to - from !== size * TYPES[dtype].bytes)
      throw damaged(`"${name}" is cut short`);
    const copy = new Uint8Array(bytes.subarray(start + from, start + to)); // aligned at 0
    return [name, { shape, values: TYPES[dtype].view(copy.buffer) }] as const;
  });
  return { tensors: new Map(tensors), metadata: metadata as Record<string, string> };
}

function typeOf(values: Values): keyof typeof TYPES {
  if (values instanceof Float32Array) return 'F32';
  return values instanceof Float64Array ? 'F64' : 'U8';
}

function parseHeader(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    throw damaged('its header is no JSON');
  }
}

function damaged(how: string): InvalidInputError {
  return new InvalidInputError(`tensor file: expected a whole safetensors file, received one where ${how}`);
}

/** Arrays by name as flat tensors, under a prefix when several sets share a file. */
export function packArrays(arrays: ReadonlyMap<string, Values>, prefix = ''): Map<string, NamedTensor> {
  return new Map(
    [...arrays].map(([name, values]) => [`${prefix}${name}`, { shape: [values.length], values }]),
  );
}

/** The arrays that were packed under a prefix; the caller knows their type, which the file keeps. */
export function unpackArrays<V extends Values>(
  tensors: ReadonlyMap<string, NamedTensor>,
  prefix = '',
): Map<string, V> {
  const own = [...tensors].filter(([name]) => name.startsWith(prefix));
  return new Map(own.map(([name, { values }]) => [name.slice(prefix.length), values as V]));
}
