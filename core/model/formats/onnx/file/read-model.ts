import { open, readFile, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { InvalidInputError, StorageError } from '../../../../errors.ts';
import { LIMITS } from './limits.ts';
import type { ModelProto, TensorProto } from './onnx-pb.ts';
import { ModelProtoSchema, TensorProto_DataLocation } from './onnx-pb.ts';

/** Where the bytes of a tensor lie that are not in the model's own file. */
export interface ExternalPlace {
  /** As the file spells it, relative to the model's folder. */
  readonly location: string;
  readonly offset: number;
  /** Null where the file gives none: all that is left. */
  readonly length: number | null;
}

/** An ONNX model as it lies on disk. */
export interface OnnxFile {
  /** The model's own file, then those of external data. */
  readonly sources: readonly string[];
  readonly model: ModelProto;
  /** Bytes of external tensors by tensor name. */
  readonly external: ReadonlyMap<string, Uint8Array>;
}

/**
 * Reads a model and the external data of its initializers.
 *
 * @throws StorageError when a file cannot be read
 * @throws InvalidInputError when it is no ONNX, or a path or size is not what it must be
 */
export async function readOnnxFile(location: string): Promise<OnnxFile> {
  const name = path.basename(location);
  const size = await stat(location).then(({ size }) => size, unreadable(name));
  if (size > LIMITS.fileBytes) throw tooLarge(name, size);
  const model = decodeModel(await readFile(location).catch(unreadable(name)), name);
  const folder = path.dirname(location);
  const external = new Map<string, Uint8Array>();
  const files = new Set<string>();
  for (const tensor of model.graph?.initializer ?? []) {
    const place = externalPlace(tensor);
    if (place === null) continue;
    const file = await insideFolder(folder, place.location);
    files.add(file);
    external.set(tensor.name, await readPlace(file, place));
  }
  return { sources: [location, ...files], model, external };
}

function decodeModel(bytes: Uint8Array, name: string): ModelProto {
  let model: ModelProto;
  try {
    model = fromBinary(ModelProtoSchema, bytes);
  } catch (cause) {
    throw new InvalidInputError(
      `model file "${name}": expected an ONNX model, received bytes that do not decode as one`,
      { file: name },
      { cause },
    );
  }
  if (model.graph !== undefined && model.opsetImport.length > 0) return model;
  throw new InvalidInputError(
    `model file "${name}": expected an ONNX model with a graph and an opset, received a message without`,
    { file: name },
  );
}

/** Null for a tensor whose values are in the model's own file. */
export function externalPlace(tensor: TensorProto): ExternalPlace | null {
  if (tensor.dataLocation !== TensorProto_DataLocation.EXTERNAL) return null;
  const entries = new Map(tensor.externalData.map(({ key, value }) => [key, value]));
  const number = (key: string) => (entries.has(key) ? Number(entries.get(key)) : null);
  const place = {
    location: entries.get('location') ?? '',
    offset: number('offset') ?? 0,
    length: number('length'),
  };
  const isSize = (value: number | null) => value === null || (Number.isSafeInteger(value) && value >= 0);
  if (place.location !== '' && isSize(place.offset) && isSize(place.length)) return place;
  throw new InvalidInputError(
    `model tensor "${tensor.name}": expected a location, an offset and a length of its external data, received other entries`,
    { tensor: tensor.name },
  );
}

/** The path of a file that a model names; neither the path nor a link may lead out of the model's folder. */
async function insideFolder(folder: string, location: string): Promise<string> {
  const leavesFolder = (from: string, to: string) =>
    path.relative(from, to).split(path.sep)[0] === '..' || path.isAbsolute(path.relative(from, to));
  const file = path.resolve(folder, location);
  const isOutside =
    path.isAbsolute(location) ||
    leavesFolder(path.resolve(folder), file) ||
    leavesFolder(await realpath(folder), await realpath(file).catch(unreadable(location)));
  if (!isOutside) return file;
  throw new InvalidInputError(`model tensor data "${location}": expected a path inside the model's folder`, {
    path: location,
  });
}

async function readPlace(file: string, { location, offset, length }: ExternalPlace): Promise<Uint8Array> {
  const handle = await open(file).catch(unreadable(location));
  try {
    const { size } = await handle.stat();
    const wanted = length ?? size - offset;
    if (wanted < 0 || offset + wanted > size) {
      throw new InvalidInputError(
        `model tensor data "${location}": expected ${offset + Math.max(wanted, 0)} bytes, received ${size}`,
        { path: location, expected: offset + Math.max(wanted, 0), received: size },
      );
    }
    if (wanted > LIMITS.fileBytes) throw tooLarge(location, wanted);
    const bytes = new Uint8Array(wanted);
    await handle.read(bytes, 0, wanted, offset);
    return bytes;
  } finally {
    await handle.close();
  }
}

function tooLarge(name: string, size: number): InvalidInputError {
  return new InvalidInputError(
    `model file "${name}": expected at most ${LIMITS.fileBytes} bytes, received ${size}`,
    { file: name, expected: LIMITS.fileBytes, received: size },
  );
}

/** To be given to `catch`. */
function unreadable(name: string) {
  return (cause: unknown): never => {
    const isAbsent = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    throw new StorageError(
      `model file "${name}": ${isAbsent ? 'does not exist' : 'cannot be read'}`,
      { file: name },
      { cause },
    );
  };
}
