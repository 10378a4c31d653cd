import path from 'node:path';
import { pipeline } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { z } from 'zod';
import { cleanText, plural } from '../data/cells.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { folderOf, modelKey } from './keys.ts';
import type { JobRequest } from './schema.ts';

/** A larger table, some 150,000 rows, is not read to see whether its images are there. */
const MAX_TABLE_BYTES = 8 * 2 ** 20;
const MAX_TOPOLOGY_BYTES = 32 * 2 ** 20;
/** Objects that are listed while looking for images; a folder with more is not searched to its end. */
const MAX_LISTED = 500_000;

/** The one part of model.json that names other files. */
const topologySchema = z.looseObject({
  weightsManifest: z.array(z.looseObject({ paths: z.array(z.string()) })),
});

/** A request for a model and the table of its samples. */
export type DataSetRequest = Exclude<JobRequest, { kind: 'audit' }>;

/**
 * What a job's inputs still lack, in words that hold no key and no cell: the table, model.json, the weights that it
 * names, preprocess.json unless the request has one, the images that the table names. What cannot be read lacks
 * nothing: the job says what is wrong with it.
 *
 * @returns null when everything is there
 */
export async function lackOf(store: ObjectStore, request: DataSetRequest): Promise<string | null> {
  const table = await store.info(request.manifest);
  if (table === null) return 'its table';
  const files = await modelFiles(store, request);
  if (files === null) return 'a model.json';
  const lacking = await absentOf(store, folderOf(modelKey(request.model)), files);
  if (lacking > 0) return `${lacking} of the ${plural(files.size, 'file')} beside its model.json`;
  const images = table.bytes > MAX_TABLE_BYTES ? new Set<string>() : await imagesOf(store, request);
  const missing = await absentOf(store, folderOf(request.manifest), images);
  return missing === 0 ? null : `${missing} of the ${plural(images.size, 'image')} that its table names`;
}

/** Keys that must lie beside model.json; null without one. */
async function modelFiles(
  store: ObjectStore,
  { model, preprocess }: DataSetRequest,
): Promise<Set<string> | null> {
  const key = modelKey(model);
  const info = await store.info(key);
  if (info === null) return null;
  const object = info.bytes > MAX_TOPOLOGY_BYTES ? null : await store.read(key);
  const shards = object === null ? [] : shardsOf(Buffer.from(object.body).toString('utf8'));
  const names = preprocess === undefined ? [...shards, 'preprocess.json'] : shards;
  return keysBelow(folderOf(key), names);
}

function shardsOf(text: string): string[] {
  try {
    const topology = topologySchema.safeParse(JSON.parse(text));
    return topology.data?.weightsManifest.flatMap(({ paths }) => paths) ?? [];
  } catch {
    return [];
  }
}

/** Keys of the images that a table names; none for a table without images, or one that cannot be read. */
async function imagesOf(store: ObjectStore, { manifest, columns }: DataSetRequest): Promise<Set<string>> {
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

/** What leaves the folder is not looked for; the job refuses it. */
function keysBelow(folder: string, names: readonly string[]): Set<string> {
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
