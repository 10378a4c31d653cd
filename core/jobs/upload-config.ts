import { z } from 'zod';
import { parseWith } from '../data/parse.ts';
import { InvalidInputError } from '../errors.ts';
import type { ObjectInfo, ObjectStore, StoredObject } from '../storage/object-store.ts';
import { parseJson } from './json.ts';
import { besideKey, folderOf, UPLOAD_CONFIG, UPLOADS } from './keys.ts';
import { type JobRequest, jobRequestSchema, type WithModel } from './schema.ts';

/** Of a request or a configuration; tables and models are not read here. */
const MAX_CONFIG_BYTES = 2 ** 20;
/** The API makes keys of at most six; each costs a request. */
const MAX_FOLDERS = 10;

/** `counterweight.json`: a request whose keys are paths from the file's own folder, or lacks them for a table. */
const configSchema = z.looseObject({
  kind: z.enum(['audit', 'model-audit', 'mitigation']).optional(),
  model: z.string().min(1).optional(),
  manifest: z.string().min(1).optional(),
});

/** A configuration and the object that holds it. */
export interface UploadConfig {
  readonly content: z.output<typeof configSchema>;
  readonly object: ObjectInfo;
}

/** @throws InvalidInputError when it is no configuration */
export async function readConfig(store: ObjectStore, key: string): Promise<UploadConfig | null> {
  const object = await readSmall(store, key, UPLOAD_CONFIG);
  if (object === null) return null;
  const content = parseJson(textOf(object), UPLOAD_CONFIG);
  return { content: parseWith(configSchema, content, UPLOAD_CONFIG), object };
}

/** The configuration beside an upload, else that of the next folder above which has one, up to ten folders. */
export async function nearestConfig(store: ObjectStore, key: string): Promise<UploadConfig | null> {
  let folder = folderOf(key);
  for (let looked = 0; looked < MAX_FOLDERS && folder.startsWith(UPLOADS); looked += 1) {
    const config = await readConfig(store, besideKey(folder, UPLOAD_CONFIG));
    if (config !== null) return config;
    folder = folderOf(folder.slice(0, -1));
  }
  return null;
}

/** Does it name a model and its table, rather than say what tables beside it mean? */
export function isDataSet({ content: { model, manifest } }: UploadConfig): boolean {
  return model !== undefined || manifest !== undefined;
}

/** @throws InvalidInputError when the configuration makes no request for its data set */
export function dataSetRequest({ content, object }: UploadConfig): WithModel {
  const { kind = 'mitigation', model, manifest, ...rest } = content;
  const place = (path: string | undefined) => (path === undefined ? undefined : besideKey(object.key, path));
  const request = { ...rest, kind, model: place(model), manifest: place(manifest) };
  return parseWith(jobRequestSchema, request, UPLOAD_CONFIG) as WithModel;
}

/** @throws InvalidInputError when the configuration makes no request for a table */
export function tableRequest({ content }: UploadConfig, table: ObjectInfo): JobRequest {
  return parseWith(jobRequestSchema, { kind: 'audit', ...content, predictions: table.key }, UPLOAD_CONFIG);
}

/** @throws InvalidInputError when the object is larger than any request */
export async function readSmall(
  store: ObjectStore,
  key: string,
  where: string,
): Promise<StoredObject | null> {
  const info = await store.info(key);
  if (info === null || info.bytes <= MAX_CONFIG_BYTES) return info && store.read(key);
  throw new InvalidInputError(
    `${where}: expected at most ${MAX_CONFIG_BYTES} bytes, received ${info.bytes}`,
    { where },
  );
}

export const textOf = ({ body }: StoredObject): string => Buffer.from(body).toString('utf8');

/** Another one for every upload, also of the same bytes; to the second, as coarse as some stores tell the time. */
export function versionOf({ etag, modifiedAt }: ObjectInfo): string {
  return `${etag} ${Math.floor(modifiedAt.getTime() / 1000)}`;
}
