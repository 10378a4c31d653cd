import { isPickle, MODEL_JSON, modelCandidates, NO_PICKLE, ONE_MODEL } from '../model/model-file.ts';
import type { ObjectInfo, ObjectStore } from '../storage/object-store.ts';
import { asFolder, besideKey, namesModelFile } from './keys.ts';

/** Objects of a folder that are looked at, each of them one that lies in it and no deeper. */
const MAX_NAMES = 50_000;

/** The object with a model, or why there is none: a sentence that holds no key. */
export type FoundModel = { readonly object: ObjectInfo } | { readonly refusal: string };

/**
 * Which object a request's `model` is about: the one under this key, or the one that is the model of this folder.
 *
 * @throws StorageError when the store fails
 */
export async function findModelObject(store: ObjectStore, model: string): Promise<FoundModel> {
  const named = namesModelFile(model) ? await store.info(model) : null;
  const object = named ?? (await store.info(besideKey(asFolder(model), MODEL_JSON)));
  return object === null ? findInFolder(store, asFolder(model)) : { object };
}

/** One without a `model.json`. */
async function findInFolder(store: ObjectStore, folder: string): Promise<FoundModel> {
  const names: string[] = [];
  for await (const key of store.listKeys(folder, { isFlat: true })) {
    if (names.length === MAX_NAMES) {
      return { refusal: `expected the key of its file, found a folder of more than ${MAX_NAMES} objects` };
    }
    names.push(key.slice(folder.length));
  }
  const candidates = modelCandidates(names);
  const [name] = candidates;
  if (name !== undefined && isPickle(name)) return { refusal: NO_PICKLE };
  const object = candidates.length === 1 ? await store.info(`${folder}${name}`) : null;
  if (object !== null) return { object };
  const found = candidates.length > 1 ? candidates.length : 'none';
  return { refusal: `expected ${ONE_MODEL}, found ${found}` };
}
