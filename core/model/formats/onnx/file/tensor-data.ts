import { InvalidInputError, UnsupportedModelError } from '../../../../errors.ts';
import { floatOfHalf, halfOfFloat } from './half.ts';
import { entriesOf } from './limits.ts';
import type { TensorProto } from './onnx-pb.ts';
import { TensorProto_DataType as DataType } from './onnx-pb.ts';

/** Entries of a tensor as its file stores them: one type's bytes, little-endian. */
interface Encoding {
  readonly name: string;
  readonly kind: 'float' | 'int' | 'bool';
  readonly bytes: number;
  readonly read: (view: DataView, offset: number) => number;
  readonly write?: (view: DataView, offset: number, value: number) => void;
  /** Entry of the typed field as a number. */
  readonly typed: (tensor: TensorProto) => readonly (number | bigint)[];
  readonly ofTyped?: (entry: number) => number;
  readonly toTyped?: (value: number) => number;
}

const int32 = ({ int32Data }: TensorProto) => int32Data;

/** A bfloat16 is the upper half of a float. */
const BFLOAT16 = {
  read: (bits: number) => {
    const view = new DataView(new ArrayBuffer(4));
    view.setUint32(0, bits << 16);
    return view.getFloat32(0);
  },
  write: (value: number) => {
    const view = new DataView(new ArrayBuffer(4));
    view.setFloat32(0, value);
    const bits = view.getUint32(0);
    return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16; // to the nearest, ties to even
  },
};

const ENCODINGS: Readonly<Partial<Record<DataType, Encoding>>> = {
  [DataType.FLOAT]: {
    name: 'float',
    kind: 'float',
    bytes: 4,
    read: (view, offset) => view.getFloat32(offset, true),
    write: (view, offset, value) => view.setFloat32(offset, value, true),
    typed: ({ floatData }) => floatData,
  },
  [DataType.DOUBLE]: {
    name: 'double',
    kind: 'float',
    bytes: 8,
    read: (view, offset) => view.getFloat64(offset, true),
    write: (view, offset, value) => view.setFloat64(offset, value, true),
    typed: ({ doubleData }) => doubleData,
  },
  [DataType.FLOAT16]: {
    name: 'float16',
    kind: 'float',
    bytes: 2,
    read: (view, offset) => floatOfHalf(view.getUint16(offset, true)),
    write: (view, offset, value) => view.setUint16(offset, halfOfFloat(value), true),
    typed: int32,
    ofTyped: floatOfHalf,
    toTyped: halfOfFloat,
  },
  [DataType.BFLOAT16]: {
    name: 'bfloat16',
    kind: 'float',
    bytes: 2,
    read: (view, offset) => BFLOAT16.read(view.getUint16(offset, true)),
    write: (view, offset, value) => view.setUint16(offset, BFLOAT16.write(value), true),
    typed: int32,
    ofTyped: BFLOAT16.read,
    toTyped: BFLOAT16.write,
  },
  [DataType.INT64]: {
    name: 'int64',
    kind: 'int',
    bytes: 8,
    read: (view, offset) => Number(view.getBigInt64(offset, true)),
    typed: ({ int64Data }) => int64Data,
  },
  [DataType.INT32]: {
    name: 'int32',
    kind: 'int',
    bytes: 4,
    read: (view, offset) => view.getInt32(offset, true),
    typed: int32,
  },
  [DataType.INT8]: {
    name: 'int8',
    kind: 'int',
    bytes: 1,
    read: (view, offset) => view.getInt8(offset),
    typed: int32,
  },
  [DataType.UINT8]: {
    name: 'uint8',
    kind: 'int',
    bytes: 1,
    read: (view, offset) => view.getUint8(offset),
    typed: int32,
  },
  [DataType.BOOL]: {
    name: 'bool',
    kind: 'bool',
    bytes: 1,
    read: (view, offset) => (view.getUint8(offset) === 0 ? 0 : 1),
    typed: int32,
  },
};

/** float, int or bool: what the entries are, whatever their width. */
export type Kind = Encoding['kind'];

/** @throws UnsupportedModelError for a type whose entries are not read */
function encodingOf({ dataType, name }: TensorProto): Encoding {
  const encoding = ENCODINGS[dataType as DataType];
  if (encoding !== undefined) return encoding;
  const expected = Object.values(ENCODINGS).map((known) => known.name);
  throw new UnsupportedModelError(
    `model tensor "${name}": expected entries of type ${expected.join(', ')}, received ONNX type ${dataType}`,
    { tensor: name, received: dataType },
  );
}

export function kindOf(tensor: TensorProto): Kind {
  return encodingOf(tensor).kind;
}

export function shapeOf({ dims }: TensorProto): number[] {
  return dims.map(Number);
}

/**
 * Entries of a tensor, floats of any width as numbers.
 *
 * @param external  its bytes, where they are not in the model's own file
 * @throws InvalidInputError when shape and stored bytes disagree, before anything of that size is made
 */
export function readEntries(tensor: TensorProto, external?: Uint8Array): Float64Array {
  const encoding = encodingOf(tensor);
  const where = `model tensor "${tensor.name}"`;
  const entries = entriesOf(shapeOf(tensor), where);
  const bytes = external ?? rawBytes(tensor);
  const typed = encoding.typed(tensor);
  const stored = bytes === null ? typed.length : bytes.length / encoding.bytes;
  if (stored !== entries) {
    throw new InvalidInputError(
      `${where}: expected ${entries} entries by its shape [${shapeOf(tensor).join(', ')}], received ${stored}`,
      { tensor: tensor.name, expected: entries, received: stored },
    );
  }
  if (bytes === null) {
    const convert = encoding.ofTyped ?? Number;
    return Float64Array.from(typed, (entry) => convert(Number(entry)));
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Float64Array(entries);
  for (let place = 0; place < entries; place += 1)
    values[place] = encoding.read(view, place * encoding.bytes);
  return values;
}

function rawBytes(tensor: TensorProto): Uint8Array | null {
  return Object.hasOwn(tensor, 'rawData') ? tensor.rawData : null;
}

/** New values of a tensor; entries that did not change keep their bits, which a narrower type needs. */
export interface ChangedEntries {
  readonly before: Float32Array;
  readonly after: Float32Array;
}

/** Bytes with the changed entries overwritten: a copy. */
export function changedBytes(tensor: TensorProto, bytes: Uint8Array, change: ChangedEntries): Uint8Array {
  const { write, bytes: width } = encodingOf(tensor);
  const copy = Uint8Array.from(bytes);
  const view = new DataView(copy.buffer);
  eachChange(change, (place, value) => write?.(view, place * width, value));
  return copy;
}

/** The fields of a tensor's message that the change touches, in the form in which the file has them. */
export function changedFields(tensor: TensorProto, change: ChangedEntries): Partial<TensorProto> {
  const bytes = rawBytes(tensor);
  if (bytes !== null) return { rawData: changedBytes(tensor, bytes, change) as Uint8Array<ArrayBuffer> };
  const { typed, toTyped = (value) => value } = encodingOf(tensor);
  const entries = [...typed(tensor)] as number[];
  eachChange(change, (place, value) => {
    entries[place] = toTyped(value);
  });
  const fields = { [DataType.FLOAT]: 'floatData', [DataType.DOUBLE]: 'doubleData' } as const;
  return { [fields[tensor.dataType as keyof typeof fields] ?? 'int32Data']: entries };
}

function eachChange({ before, after }: ChangedEntries, use: (place: number, value: number) => void): void {
  const bits = (values: Float32Array) => new Uint32Array(values.buffer, values.byteOffset, values.length);
  const [old, fresh] = [bits(before), bits(after)];
  after.forEach((value, place) => {
    if (old[place] !== fresh[place]) use(place, value);
  });
}
