import path from 'node:path';
import { pipeline } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { cleanText, plural } from '../data/cells.ts';
import { PREPROCESS_FILE } from '../model/model-file.ts';
import { filesNamedIn, namesFiles } from '../model/named-files.ts';
import type { ObjectInfo, ObjectStore } from '../storage/object-store.ts';
import { folderOf } from './keys.ts';
import { findModelObject } from './model-object.ts';
import type { WithModel } from './schema.ts';

/** A larger table, some 150,000 rows, is not read to see whether its images are there. */
const MAX_TABLE_BYTES = 8 * 2 ** 20;
/** A larger model, which holds its weights itself, is not searched for the names of other files. */
const MAX_TOPOLOGY_BYTES = 32 * 2 ** 20;
/** Objects that are listed while looking for images; a folder with more is not searched to its end. */
const MAX_LISTED = 500_000;

/**
 * What a job's inputs still lack, in words that hold no key and no cell: the table, the model's file, the files that
 * it names, preprocess.json unless the request has one, the images that the table names. What cannot be read lacks
 * nothing: the job says what is wrong with it.
 *
 * @returns null when everything is there
 */
export async function lackOf(store: ObjectStore, request: WithModel): Promise<string | null> {
  const table = await store.info(request.manifest);
  if (table === null) return 'its table';
  const model = await findModelObject(store, request.model);
  // Whatever is refused, another file may follow that is none of it.
  if ('refusal' in model) return `a model: ${model.refusal}`;
  const files = await modelFiles(store, model.object, request);
  const lacking = await absentOf(store, folderOf(model.object.key), files);
  if (lacking > 0) return `${lacking} of the ${plural(files.size, 'file')} beside its model`;
  const images = table.bytes > MAX_TABLE_BYTES ? new Set<string>() : await imagesOf(store, request);
  const missing = await absentOf(store, folderOf(request.manifest), images);
  return missing === 0 ? null : `${missing} of the ${plural(images.size, 'image')} that its table names`;
}

/** Keys of the files that must lie beside a model's own. */
async function modelFiles(
  store: ObjectStore,
  { key, bytes }: ObjectInfo,
  { preprocess }: WithModel,
): Promise<Set<string>> {
  const isRead = namesFiles(key) && bytes <= MAX_TOPOLOGY_BYTES;
  const object = isRead ? await store.read(key) : null;
  const named = object === null ? [] : filesNamedIn(key, object.body);
  return keysBelow(folderOf(key), preprocess === undefined ? [...named, PREPROCESS_FILE] : named);
}

/** Keys of the images that a table names; none for a table without images, or one that cannot be read. */
async function imagesOf(store: ObjectStore, { manifest, columns }: WithModel): Promise<Set<string>> {
  const stream = columns.image === undefined ? null : await store.readStream(manifest);
  if (stream === null) return new Set();
  const parser = parse({ bom: true, relax_column_count: true, record_delimiter: ['\r\n', '\n', '\r'] });
  // Errors reach the reader of `parser`, which the pipeline destroys with them.
  pipeline(stream, parser, () => {});
  const names: string[] = [];
  let place: number | null = null;
  try {
    for await (const cells of parser as AsyncIterable<string[]>) {
      if (place === null) place = cells.map(cleanText).indexOf(columns.image!);
      else names.push(cells[place] ?? '');
    }
  } catch (error) {
    if (error instanceof CsvError) return new Set();
    throw error;
  }
  // Of a table in another encoding, no name is what it seems.
  return names.some((name) => name.includes('\ufffd')) ? new Set() : keysBelow(folderOf(manifest), names);
}

/** Keys of files that are named from their folder. What leaves it is not looked for; the job refuses it. */
export function keysBelow(folder: string, names: readonly string[]): Set<string> {
  const keys = names
    .filter((name) => name !== '' && !path.posix.isAbsolute(name))
    .map((name) => path.posix.join(folder, name));
  return new Set(keys.filter((key) => key.startsWith(folder) && key !== folder));
}

/** How many of some keys no object below a prefix has; 0 where there are too many objects to tell. */
async function absentOf(store: ObjectStore, prefix: string, keys: ReadonlySet<string>): Promise<number> {
  const absent = new Set(keys);
  let listed = 0;
  if (absent.size === 0) return 0;
  for await (const key of store.listKeys(prefix)) {
    absent.delete(key);
    listed += 1;
    if (absent.size === 0 || listed >= MAX_LISTED) return 0;
  }
  return absent.size;
}
