import { z } from 'zod';
import { parseWith } from '../data/parse.ts';
import { InvalidInputError } from '../errors.ts';
import type { ObjectInfo, StoredObject } from '../storage/object-store.ts';
import type { JobDeps } from './deps.ts';
import { parseJson } from './json.ts';
import { besideKey, folderOf, JOB_REQUEST_ENDING, UPLOAD_CONFIG, UPLOADS } from './keys.ts';
import type { JobRecord } from './record.ts';
import { hashOf } from './request-hash.ts';
import { type JobRequest, jobRequestSchema } from './schema.ts';
import { submitJob } from './submit-job.ts';

/** Of a request or a configuration; tables and models are not read here. */
const MAX_CONFIG_BYTES = 2 ** 20;
/** Tables that one configuration starts audits of. */
const MAX_TABLES = 100;

/** `counterweight.json`: a request whose keys are paths from the file's own folder, or lacks them for a table. */
const configSchema = z.looseObject({
  kind: z.enum(['audit', 'model-audit', 'mitigation']).optional(),
  model: z.string().min(1).optional(),
  manifest: z.string().min(1).optional(),
});
type Config = z.output<typeof configSchema>;

export type UploadOutcome =
  | { readonly started: readonly JobRecord[] }
  /** Nothing to do, with the reason in words that hold no key. */
  | { readonly ignored: string };

const ignore = (ignored: string): UploadOutcome => ({ ignored });

/**
 * Starts what an uploaded object is for. The object is looked at as it is now, so that it does not matter how often
 * or in which order uploads are told of: each version of an upload becomes one job.
 *
 * @throws InvalidInputError when a request or configuration is malformed or names what is not there
 * @throws StorageError when store or queue fail; a second call goes on from there
 */
export async function handleUpload(deps: JobDeps, key: string): Promise<UploadOutcome> {
  if (!key.startsWith(UPLOADS)) return ignore('it does not lie below uploads/');
  const name = key.slice(folderOf(key).length);
  if (name.endsWith(JOB_REQUEST_ENDING)) return startRequest(deps, key);
  if (name === UPLOAD_CONFIG) return startConfigured(deps, key);
  if (name.toLowerCase().endsWith('.csv')) return startTable(deps, key);
  return ignore('it is no job request, no table and no configuration');
}

async function startRequest(deps: JobDeps, key: string): Promise<UploadOutcome> {
  const object = await readSmall(deps, key, 'job request');
  if (object === null) return ignore('it is gone');
  const content = parseJson(textOf(object), 'job request');
  const request = parseWith(jobRequestSchema, content, 'job request');
  return start(deps, [{ request, version: ['request', versionOf(object)] }]);
}

/** A configuration came: it starts its data set, or every table that lies beside it already. */
async function startConfigured(deps: JobDeps, key: string): Promise<UploadOutcome> {
  const found = await readConfig(deps, key);
  if (found === null) return ignore('it is gone');
  const { config, object } = found;
  if (isDataSet(config)) {
    const request = dataSetRequest(config, folderOf(key));
    return start(deps, [{ request, version: ['data set', versionOf(object)] }]);
  }
  const tables = await tablesIn(deps, folderOf(key));
  if (tables.length === 0) return ignore('no table lies beside the configuration yet');
  return start(
    deps,
    tables.map((table) => tableJob(table, config)),
  );
}

/** A table came: it starts an audit if a configuration for tables lies beside it already. */
async function startTable(deps: JobDeps, key: string): Promise<UploadOutcome> {
  const table = await deps.store.info(key);
  if (table === null) return ignore('it is gone');
  const found = await readConfig(deps, besideKey(key, UPLOAD_CONFIG));
  if (found === null) return ignore(`no ${UPLOAD_CONFIG} lies beside the table yet`);
  if (isDataSet(found.config))
    return ignore(`the table belongs to a data set, which ${UPLOAD_CONFIG} starts`);
  return start(deps, [tableJob(table, found.config)]);
}

interface UploadedJob {
  readonly request: JobRequest;
  /** What makes this upload another one than the last under its key. */
  readonly version: readonly string[];
}

async function start(deps: JobDeps, jobs: readonly UploadedJob[]): Promise<UploadOutcome> {
  const started: JobRecord[] = [];
  for (const { request, version } of jobs) {
    started.push(await submitJob(deps, request, { idempotencyKey: `upload:${hashOf(request, version)}` }));
  }
  return { started };
}

function isDataSet({ model, manifest }: Config): boolean {
  return model !== undefined || manifest !== undefined;
}

/** Starts anew when the configuration is uploaded again, since nobody counts the images. */
function dataSetRequest(config: Config, folder: string): JobRequest {
  const { kind = 'mitigation', model, manifest, ...rest } = config;
  const place = (path: string | undefined) => (path === undefined ? undefined : `${folder}${path}`);
  const request = { ...rest, kind, model: place(model), manifest: place(manifest) };
  return parseWith(jobRequestSchema, request, UPLOAD_CONFIG);
}

/** Starts anew when the table is uploaded again, or the configuration says something else of it. */
function tableJob(table: ObjectInfo, config: Config): UploadedJob {
  const request = { kind: 'audit', ...config, predictions: table.key };
  return {
    request: parseWith(jobRequestSchema, request, UPLOAD_CONFIG),
    version: ['table', versionOf(table)],
  };
}

async function tablesIn({ store }: JobDeps, folder: string): Promise<ObjectInfo[]> {
  const tables: ObjectInfo[] = [];
  for await (const info of store.list(folder)) {
    if (folderOf(info.key) !== folder || !info.key.toLowerCase().endsWith('.csv')) continue;
    tables.push(info);
    if (tables.length > MAX_TABLES) throw tooMany();
  }
  return tables;
}

function tooMany(): InvalidInputError {
  return new InvalidInputError(
    `${UPLOAD_CONFIG}: expected at most ${MAX_TABLES} tables beside it, received more`,
    { where: UPLOAD_CONFIG },
  );
}

async function readConfig(
  deps: JobDeps,
  key: string,
): Promise<{ config: Config; object: ObjectInfo } | null> {
  const object = await readSmall(deps, key, UPLOAD_CONFIG);
  if (object === null) return null;
  const content = parseJson(textOf(object), UPLOAD_CONFIG);
  return { config: parseWith(configSchema, content, UPLOAD_CONFIG), object };
}

async function readSmall({ store }: JobDeps, key: string, where: string): Promise<StoredObject | null> {
  const info = await store.info(key);
  if (info === null || info.bytes <= MAX_CONFIG_BYTES) return info && store.read(key);
  throw new InvalidInputError(
    `${where}: expected at most ${MAX_CONFIG_BYTES} bytes, received ${info.bytes}`,
    { where },
  );
}

const textOf = ({ body }: StoredObject): string => Buffer.from(body).toString('utf8');

/** Another one for every upload, also of the same bytes; to the second, as coarse as some stores tell the time. */
function versionOf({ etag, modifiedAt }: ObjectInfo): string {
  return `${etag} ${Math.floor(modifiedAt.getTime() / 1000)}`;
}
