import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { parseWith } from '../../data/parse.ts';
import { InvalidInputError, StorageError } from '../../errors.ts';
import { MAX_MODEL_FILE_BYTES, MODEL_JSON } from '../model-file.ts';

/** Largest tensor that is read, against sizes that a damaged file makes up. */
const MAX_TENSOR_WEIGHTS = 2 ** 28;

const BYTES = { float32: 4, int32: 4, bool: 1, uint8: 1, uint16: 2, float16: 2 } as const;

const quantizationSchema = z.looseObject({
  dtype: z.enum(['uint8', 'uint16', 'float16']),
  scale: z.number().optional(),
  min: z.number().optional(),
});

const weightSchema = z.looseObject({
  name: z.string().min(1),
  shape: z.array(z.int().nonnegative()),
  dtype: z.enum(['float32', 'int32', 'bool']),
  quantization: quantizationSchema.optional(),
});

const groupSchema = z.looseObject({
  paths: z.array(z.string().min(1)).min(1),
  weights: z.array(weightSchema),
});

const modelJsonSchema = z.looseObject({
  format: z.string().optional(),
  modelTopology: z.record(z.string(), z.unknown()),
  weightsManifest: z.array(groupSchema).min(1),
});

type WeightSpec = z.infer<typeof weightSchema>;
type Group = z.infer<typeof groupSchema>;
type ModelJson = z.infer<typeof modelJsonSchema>;

/** A LayersModel as it lies on disk: the parsed model.json and the bytes of each weight. */
export interface LayersModelFiles {
  /** model.json, then the shards. */
  readonly sources: readonly string[];
  readonly json: ModelJson;
  /** In manifest order. */
  readonly weights: readonly { readonly spec: WeightSpec; readonly bytes: Uint8Array }[];
}

/**
 * Reads and checks model.json and its shards.
 *
 * @param location  folder with a model.json, or the model.json itself
 * @throws StorageError when a file cannot be read
 * @throws InvalidInputError when the JSON, a path or a size is not what it must be
 */
export async function readLayersModel(location: string): Promise<LayersModelFiles> {
  const file = await modelJsonPath(location);
  const json = parseModelJson(await readOrThrow(file), path.basename(file));
  const folder = path.dirname(file);
  const weights: LayersModelFiles['weights'][number][] = [];
  for (const group of json.weightsManifest) {
    weights.push(...sliceGroup(group, await readShards(folder, group)));
  }
  const shards = json.weightsManifest.flatMap(({ paths }) => paths.map((shard) => path.join(folder, shard)));
  return { sources: [file, ...shards], json, weights };
}

/**
 * Writes the model with some weights replaced. A replaced weight is stored as float32; every other weight
 * keeps its bytes, quantisation included, and the topology is written as it was read.
 *
 * @param replaced  new values by weight name
 */
export async function writeLayersModel(
  folder: string,
  { json, weights }: Pick<LayersModelFiles, 'json' | 'weights'>,
  replaced: ReadonlyMap<string, Float32Array>,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  let next = 0;
  const manifest: Group[] = [];
  for (const group of json.weightsManifest) {
    const entries = weights.slice(next, next + group.weights.length).map(({ spec, bytes }) => {
      const values = replaced.get(spec.name);
      return values ? { spec: asFloat32(spec), bytes: bytesOf(values) } : { spec, bytes };
    });
    next += group.weights.length;
    manifest.push({ ...group, weights: entries.map(({ spec }) => spec) });
    await writeShards(folder, group.paths, Buffer.concat(entries.map(({ bytes }) => bytes)));
  }
  await writeFile(path.join(folder, MODEL_JSON), JSON.stringify({ ...json, weightsManifest: manifest }));
}

async function modelJsonPath(location: string): Promise<string> {
  const isFolder = await stat(location).then(
    (stats) => stats.isDirectory(),
    (cause) => {
      throw new StorageError(`model "${location}": no such file or folder`, { path: location }, { cause });
    },
  );
  if (isFolder) return path.join(location, MODEL_JSON);
  const ending = path.extname(location);
  if (ending === '.json') return location;
  throw new InvalidInputError(
    `model "${location}": expected a tfjs LayersModel, a folder with its model.json, received a file of type "${ending}"`,
    { path: location },
  );
}

async function readOrThrow(file: string): Promise<Buffer> {
  try {
    const { size } = await stat(file);
    if (size > MAX_MODEL_FILE_BYTES) {
      throw new InvalidInputError(
        `model file "${path.basename(file)}": expected at most ${MAX_MODEL_FILE_BYTES} bytes, received ${size}`,
      );
    }
    return await readFile(file);
  } catch (cause) {
    if (cause instanceof InvalidInputError) throw cause;
    const what = isAbsent(cause) ? 'does not exist' : 'cannot be read';
    throw new StorageError(
      `model file "${path.basename(file)}": ${what}`,
      { file: path.basename(file) },
      { cause },
    );
  }
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function parseModelJson(bytes: Buffer, name: string): ModelJson {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new InvalidInputError(
      `model file "${name}": expected JSON, received text that does not parse`,
      {},
      { cause },
    );
  }
  return parseWith(modelJsonSchema, value, `model file "${name}"`);
}

async function readShards(folder: string, group: Group): Promise<Buffer> {
  const shards: Buffer[] = [];
  for (const shard of group.paths) {
    const resolved = path.resolve(folder, shard);
    if (path.isAbsolute(shard) || !resolved.startsWith(path.resolve(folder) + path.sep)) {
      throw new InvalidInputError(
        `model weights path "${shard}": expected a path inside the model's folder`,
        {
          path: shard,
        },
      );
    }
    shards.push(await readOrThrow(resolved));
  }
  return Buffer.concat(shards);
}

function sliceGroup(group: Group, bytes: Buffer): LayersModelFiles['weights'][number][] {
  let offset = 0;
  const entries = group.weights.map((spec) => {
    const length = byteLength(spec);
    const slice = new Uint8Array(bytes.subarray(offset, offset + length)); // a copy: aligned at 0
    offset += length;
    return { spec, bytes: slice };
  });
  if (offset === bytes.length) return entries;
  throw new InvalidInputError(
    `model weights ${group.paths.join(', ')}: expected ${offset} bytes by the shapes in model.json, received ${bytes.length}`,
    { where: group.paths, expected: offset, received: bytes.length },
  );
}

function byteLength({ name, shape, dtype, quantization }: WeightSpec): number {
  const size = shape.reduce((product, extent) => product * extent, 1);
  if (size > MAX_TENSOR_WEIGHTS) {
    throw new InvalidInputError(
      `model weight "${name}": expected at most ${MAX_TENSOR_WEIGHTS} entries, received shape [${shape.join(', ')}]`,
      { weight: name, received: shape },
    );
  }
  return size * BYTES[quantization?.dtype ?? dtype];
}

function asFloat32({ quantization: _, ...spec }: WeightSpec): WeightSpec {
  return spec;
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

async function writeShards(folder: string, paths: readonly string[], bytes: Buffer): Promise<void> {
  const shardBytes = Math.max(1, Math.ceil(bytes.length / paths.length));
  for (const [index, shard] of paths.entries()) {
    const file = path.join(folder, shard);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, bytes.subarray(index * shardBytes, (index + 1) * shardBytes));
  }
}
