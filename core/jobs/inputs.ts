import { InvalidInputError } from '../errors.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { modelKey } from './keys.ts';
import type { JobRequest } from './schema.ts';
import { versionOf } from './upload-config.ts';

/**
 * Which uploads of its table and its model.json a request finds under its keys. Refuses one whose inputs were never
 * uploaded, before it costs a machine.
 *
 * @returns a text for each, another one for every upload
 * @throws InvalidInputError naming the field; never the key
 */
export function inputVersions(store: ObjectStore, request: JobRequest): Promise<string[]> {
  return Promise.all(inputsOf(request).map((input) => inputVersion(store, input)));
}

type Input = readonly [field: string, key: string];

async function inputVersion(store: ObjectStore, [field, key]: Input): Promise<string> {
  const info = await store.info(key);
  if (info !== null) return versionOf(info);
  const what = field === 'model' ? 'a folder with a model.json' : 'an object';
  throw new InvalidInputError(`${field}: expected ${what} that was uploaded, found none under its key`, {
    where: field,
    issues: [`"${field}" must name ${what} that was uploaded, found none`],
  });
}

function inputsOf(request: JobRequest): readonly Input[] {
  if (request.kind === 'audit') return [['predictions', request.predictions]];
  return [
    ['manifest', request.manifest],
    ['model', modelKey(request.model)],
  ];
}
