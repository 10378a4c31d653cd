import { InvalidInputError } from '../errors.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { modelKey } from './keys.ts';
import type { JobRequest } from './schema.ts';

/**
 * Refuses a request whose table or model was never uploaded, before it costs a machine.
 *
 * @throws InvalidInputError naming the field; never the key
 */
export async function assertInputs(store: ObjectStore, request: JobRequest): Promise<void> {
  for (const [field, key] of inputsOf(request)) {
    if ((await store.info(key)) !== null) continue;
    const what = field === 'model' ? 'a folder with a model.json' : 'an object';
    throw new InvalidInputError(`${field}: expected ${what} that was uploaded, found none under its key`, {
      where: field,
      issues: [`"${field}" must name ${what} that was uploaded, found none`],
    });
  }
}

function inputsOf(request: JobRequest): [field: string, key: string][] {
  if (request.kind === 'audit') return [['predictions', request.predictions]];
  return [
    ['manifest', request.manifest],
    ['model', modelKey(request.model)],
  ];
}
