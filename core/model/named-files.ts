import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { z } from 'zod';
import type { ModelEnding } from './model-file.ts';
import { modelEnding } from './model-file.ts';

type Names = (bytes: Uint8Array) => Iterable<string>;

/** Formats whose file leaves its weights to others. */
const NAMES_BY_ENDING: Readonly<Partial<Record<ModelEnding, Names>>> = {
  '.json': shards,
  '.onnx': externalData,
};

/** Does a file of this name say in which others its weights lie? */
export function namesFiles(name: string): boolean {
  return NAMES_BY_ENDING[modelEnding(name)!] !== undefined;
}

/**
 * The other files that a model's file needs, as it spells them from its own folder: the shards of a `model.json`, the
 * external data of an ONNX model. Nothing else is read of it, so that a file of any content costs little.
 *
 * @param name  of the file, by whose ending it is read
 * @returns none for another format, and for what cannot be read
 */
export function filesNamedIn(name: string, bytes: Uint8Array): string[] {
  const names = NAMES_BY_ENDING[modelEnding(name)!];
  if (names === undefined) return [];
  try {
    return [...new Set(names(bytes))];
  } catch {
    return [];
  }
}

/** The one part of `model.json` that names other files. */
const topologySchema = z.looseObject({
  weightsManifest: z.array(z.looseObject({ paths: z.array(z.string()) })),
});

function shards(bytes: Uint8Array): string[] {
  const topology = topologySchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
  return topology.weightsManifest.flatMap(({ paths }) => paths);
}

/** Numbers of fields in onnx.proto. */
const FIELDS = { graph: 7, initializer: 5, externalData: 13, key: 1, value: 2 } as const;

/** Walks over the message and makes nothing of it: small, it can still hold millions of tensors. */
function* externalData(bytes: Uint8Array): Generator<string> {
  for (const entry of fieldsOf([bytes], FIELDS.graph, FIELDS.initializer, FIELDS.externalData)) {
    for (const key of textsIn(entry, FIELDS.key)) if (key === 'location') yield* textsIn(entry, FIELDS.value);
  }
}

function* textsIn(message: Uint8Array, field: number): Generator<string> {
  for (const text of fieldsOf([message], field)) yield Buffer.from(text).toString('utf8');
}

/** Bytes of every field along a path of field numbers. */
function* fieldsOf(messages: Iterable<Uint8Array>, ...path: readonly number[]): Generator<Uint8Array> {
  const [wanted, ...rest] = path;
  if (wanted === undefined) return yield* messages;
  for (const message of messages) yield* fieldsOf(valuesOf(message, wanted), ...rest);
}

function* valuesOf(message: Uint8Array, wanted: number): Generator<Uint8Array> {
  const reader = new BinaryReader(message);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === wanted && wireType === WireType.LengthDelimited) yield reader.bytes();
    else reader.skip(wireType, field);
  }
}
