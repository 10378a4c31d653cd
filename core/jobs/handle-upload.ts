import { parseWith } from '../data/parse.ts';
import { InvalidInputError } from '../errors.ts';
import type { ObjectInfo } from '../storage/object-store.ts';
import { isClaimed } from './claim.ts';
import { lackOf } from './data-set.ts';
import type { JobDeps } from './deps.ts';
import { parseJson } from './json.ts';
import { folderOf, isStarter, isTable, JOB_REQUEST_ENDING, UPLOAD_CONFIG, UPLOADS } from './keys.ts';
import type { JobRecord } from './record.ts';
import { hashOf } from './request-hash.ts';
import { type JobRequest, jobRequestSchema } from './schema.ts';
import { submitJob } from './submit-job.ts';
import {
  dataSetRequest,
  isDataSet,
  nearestConfig,
  readConfig,
  readSmall,
  tableRequest,
  textOf,
  type UploadConfig,
  versionOf,
} from './upload-config.ts';
import { noteWaiting } from './waiting.ts';

/** Tables that one configuration starts audits of. */
const MAX_TABLES = 100;

export type UploadOutcome =
  | { readonly started: readonly JobRecord[] }
  /** A data set that lacks something, in words that hold no key, and when its configuration was uploaded. */
  | { readonly lacks: string; readonly since: Date }
  /** Nothing to do, with the reason in words that hold no key. */
  | { readonly ignored: string };

const ignore = (ignored: string): UploadOutcome => ({ ignored });

/**
 * Starts what an uploaded object is for. Everything is looked at as it is now, so that it does not matter how often
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
  if (isStarter(name)) return startFile(deps, key);
  return ignore('it is no job request, no table, no part of a model and no configuration');
}

async function startRequest(deps: JobDeps, key: string): Promise<UploadOutcome> {
  const object = await readSmall(deps.store, key, 'job request');
  if (object === null) return ignore('it is gone');
  const content = parseJson(textOf(object), 'job request');
  const request = parseWith(jobRequestSchema, content, 'job request');
  return start(deps, [{ request, version: ['request', versionOf(object)] }]);
}

/** A configuration came: it starts its data set, or every table that lies beside it already. */
async function startConfigured(deps: JobDeps, key: string): Promise<UploadOutcome> {
  const config = await readConfig(deps.store, key);
  if (config === null) return ignore('it is gone');
  if (isDataSet(config)) return startDataSet(deps, config);
  const tables = await tablesIn(deps, folderOf(key));
  if (tables.length === 0) return ignore('no table lies beside the configuration yet');
  return start(
    deps,
    tables.map((table) => tableJob(table, config)),
  );
}

/** A table or a part of a model came: what it is for, a configuration says. */
async function startFile(deps: JobDeps, key: string): Promise<UploadOutcome> {
  const config = await nearestConfig(deps.store, key);
  if (config !== null && isDataSet(config)) return startDataSet(deps, config);
  if (!isTable(key)) return ignore('it belongs to no data set with a configuration yet');
  if (config === null || folderOf(config.object.key) !== folderOf(key)) {
    return ignore(`no ${UPLOAD_CONFIG} lies beside the table yet`);
  }
  const table = await deps.store.info(key);
  return table === null ? ignore('it is gone') : start(deps, [tableJob(table, config)]);
}

/**
 * Starts a data set once everything is there, whichever file comes last. Starts anew when the configuration is
 * uploaded again, and only then: of the other files nobody can tell which belong together.
 */
async function startDataSet(deps: JobDeps, config: UploadConfig): Promise<UploadOutcome> {
  const request = dataSetRequest(config);
  const { object } = config;
  const job: UploadedJob = { request, version: ['data set', versionOf(object)] };
  // Most news of a data set come when it has its job; to look for every image each time would cost minutes.
  const lacks = (await isClaimed(deps.store, idempotencyKeyOf(job)))
    ? null
    : await lackOf(deps.store, request);
  if (lacks === null) return start(deps, [job]);
  await noteWaiting(deps.store, object);
  return { lacks, since: object.modifiedAt };
}

interface UploadedJob {
  readonly request: JobRequest;
  /** What makes this upload another one than the last under its key. */
  readonly version: readonly string[];
}

async function start(deps: JobDeps, jobs: readonly UploadedJob[]): Promise<UploadOutcome> {
  const started: JobRecord[] = [];
  for (const job of jobs) {
    started.push(await submitJob(deps, job.request, { idempotencyKey: idempotencyKeyOf(job) }));
  }
  return { started };
}

function idempotencyKeyOf({ request, version }: UploadedJob): string {
  return `upload:${hashOf(request, version)}`;
}

/** Starts anew when the table is uploaded again, or the configuration says something else of it. */
function tableJob(table: ObjectInfo, config: UploadConfig): UploadedJob {
  return { request: tableRequest(config, table), version: ['table', versionOf(table)] };
}

async function tablesIn({ store }: JobDeps, folder: string): Promise<ObjectInfo[]> {
  const tables: ObjectInfo[] = [];
  // Keys first, since to list the whole may read every image that lies beside the tables.
  for await (const key of store.listKeys(folder, { isFlat: true })) {
    if (!isTable(key)) continue;
    const info = await store.info(key);
    if (info !== null) tables.push(info);
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
