import { InvalidInputError } from '../errors.ts';
import { MAX_MODEL_FILE_BYTES } from '../model/model-file.ts';
import type { ObjectInfo, ObjectStore } from '../storage/object-store.ts';
import { findModelObject } from './model-object.ts';
import type { JobRequest } from './schema.ts';
import { versionOf } from './upload-config.ts';

/**
 * Which uploads of its table and its model's file a request finds under its keys. Refuses one whose inputs were never
 * uploaded, before it costs a machine.
 *
 * @returns a text for each, another one for every upload
 * @throws InvalidInputError naming the field; never the key
 */
export async function inputVersions(store: ObjectStore, request: JobRequest): Promise<string[]> {
  return (await Promise.all(inputsOf(store, request))).map(versionOf);
}

function inputsOf(store: ObjectStore, request: JobRequest): readonly Promise<ObjectInfo>[] {
  if (request.kind === 'audit') return [tableObject(store, 'predictions', request.predictions)];
  return [tableObject(store, 'manifest', request.manifest), modelObject(store, request.model)];
}

async function tableObject(store: ObjectStore, field: string, key: string): Promise<ObjectInfo> {
  const info = await store.info(key);
  if (info !== null) return info;
  const what = 'an object that was uploaded';
  throw refuse(field, {
    message: `expected ${what}, found none under its key`,
    issue: `must name ${what}, found none`,
  });
}

async function modelObject(store: ObjectStore, model: string): Promise<ObjectInfo> {
  const found = await findModelObject(store, model);
  if ('refusal' in found)
    throw refuse('model', { message: found.refusal, issue: `is refused: ${found.refusal}` });
  const { object } = found;
  if (object.bytes <= MAX_MODEL_FILE_BYTES) return object;
  const rule = `a file of at most ${MAX_MODEL_FILE_BYTES} bytes`;
  throw refuse('model', {
    message: `expected ${rule}, received ${object.bytes}`,
    issue: `must be ${rule}, received ${object.bytes}`,
  });
}

function refuse(field: string, { message, issue }: Record<'message' | 'issue', string>): InvalidInputError {
  return new InvalidInputError(`${field}: ${message}`, { where: field, issues: [`"${field}" ${issue}`] });
}
