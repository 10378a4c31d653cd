import path from 'node:path';
import { InvalidInputError } from '../errors.ts';
import { modelEnding } from '../model/model-file.ts';

/*
 * Every key of the bucket is spelled here. Nothing else in the project joins keys.
 *
 *   uploads/{uploadId}/…              what users bring; read, never written by jobs
 *   jobs/{id}/record.json             the job record: request and status, written conditionally
 *   jobs/{id}/status.json             progress, written by the worker every few seconds
 *   jobs/{id}/checkpoints/…           what a retry goes on from
 *   results/{id}/…                    published last, whole
 *   tmp/{id}/{attempt}/…              results before they are published
 *   requests/{hash}.json              which job a request became, for idempotency
 *   waiting/{hash}.json               an uploaded data set that is not complete yet
 *   definitions/{name}.json           scheduled audits
 *   audits/{name}/{time}.json         what a definition found, in order of time
 *   alerts/{name}/{time}.json         an audit that failed its policy; whoever is to be told of it watches this prefix
 *   locks/{name}.json                 one writer at a time
 */

const ID = /^[a-z0-9][a-z0-9-]{0,62}$/;

/** Prefixes that a user may name in a request. */
export const UPLOADS = 'uploads/';
export const JOBS = 'jobs/';
export const DEFINITIONS = 'definitions/';
export const WAITING = 'waiting/';
export const ALERTS = 'alerts/';

export const recordKey = (jobId: string): string => `${JOBS}${segment(jobId)}/record.json`;
export const statusKey = (jobId: string): string => `${JOBS}${segment(jobId)}/status.json`;
export const checkpointPrefix = (jobId: string): string => `${JOBS}${segment(jobId)}/checkpoints/`;
export const resultPrefix = (jobId: string): string => `results/${segment(jobId)}/`;
export const temporaryPrefix = (jobId: string, attempt: number): string =>
  `tmp/${segment(jobId)}/${attempt}/`;
export const requestKey = (hash: string): string => `requests/${segment(hash)}.json`;
export const waitingKey = (hash: string): string => `${WAITING}${segment(hash)}.json`;
export const definitionKey = (name: string): string => `${DEFINITIONS}${segment(name)}.json`;
export const auditPrefix = (name: string): string => `audits/${segment(name)}/`;
export const lockKey = (name: string): string => `locks/${segment(name)}.json`;

/** Name of the file that says what an upload is for. */
export const UPLOAD_CONFIG = 'counterweight.json';
/** Ends the name of an uploaded job request. */
export const JOB_REQUEST_ENDING = '.job.json';

const TABLE = /\.(?:csv|jsonl)(?:\.gz)?$|\.parquet$/i;
/** Endings of files beside a model that hold its weights. */
const WEIGHT_ENDINGS = ['.bin', '.data', '.onnx_data'];

/** Does a key or a name end as tables do? */
export function isTable(name: string): boolean {
  return TABLE.test(name);
}

/** Can an upload of this name start something, or complete a data set? Images cannot: there are too many of them. */
export function isStarter(name: string): boolean {
  return (
    modelEnding(name) !== null ||
    isTable(name) ||
    WEIGHT_ENDINGS.includes(path.posix.extname(name).toLowerCase())
  );
}

/** The file that a job publishes last, so that who sees it sees all: what an audit found, how a mitigation went. */
export const AUDIT_RESULT = 'audit.json';
export const RUN_RESULT = 'run.json';
/** Pictures of the data in a run folder: never published. */
export const LOCAL_IMAGES = 'explanation-images.html';

export const resultKey = (jobId: string, name: string): string => `${resultPrefix(jobId)}${name}`;
export const uploadKey = (uploadId: string, name: string): string => `${UPLOADS}${segment(uploadId)}/${name}`;
/**
 * Lock and state of a scheduled audit.
 *
 * @throws InvalidInputError for what cannot name a definition
 */
export function definitionLockKey(name: string): string {
  const lock = `definition-${name}`;
  if (isId(name) && isId(lock)) return lockKey(lock);
  throw new InvalidInputError(
    'name of the definition: expected 1 to 52 lower-case letters, digits and dashes, starting with a letter or digit, received another one',
    { where: 'definition' },
  );
}
export const auditKey = (name: string, time: Date): string => `${auditPrefix(name)}${stamp(time)}.json`;
export const alertKey = (name: string, time: Date): string => `${ALERTS}${segment(name)}/${stamp(time)}.json`;

/** The last of a job's keys, to list from behind it. */
export const lastKeyOf = (jobId: string): string => `${JOBS}${segment(jobId)}/~`;

/** Does a request's `model` name a file, rather than the folder of one? */
export const namesModelFile = (model: string): boolean => !model.endsWith('/') && modelEnding(model) !== null;

/** The folder in which a request's `model` lies, or that it names, with a slash at its end. */
export const modelFolder = (model: string): string =>
  namesModelFile(model) ? folderOf(model) : asFolder(model);

/** With a slash at its end. */
export const asFolder = (key: string): string => `${key.replace(/\/$/, '')}/`;

/** Key of another file in the folder that `key` lies in. */
export const besideKey = (key: string, name: string): string => `${folderOf(key)}${name}`;

/** Everything up to the last slash, with it. */
export const folderOf = (key: string): string => key.slice(0, key.lastIndexOf('/') + 1);

/** Id of the job whose record lies at `key`; null for any other key. */
export function jobIdOfRecord(key: string): string | null {
  return /^jobs\/([a-z0-9-]+)\/record\.json$/.exec(key)?.[1] ?? null;
}

/** Name of the definition that lies at `key`; null for any other key. */
export function definitionName(key: string): string | null {
  return /^definitions\/([^/]+)\.json$/.exec(key)?.[1] ?? null;
}

/** Does this name one object below `jobs/`, `requests/` and the like? */
export function isId(text: string): boolean {
  return ID.test(text);
}

/** `20260301T060000Z`, so that the order of keys is that of time. */
export function stamp(time: Date): string {
  return time.toISOString().replace(/[-:]|\.\d+/g, '');
}

function segment(text: string): string {
  if (isId(text)) return text;
  throw new InvalidInputError(
    'id: expected 1 to 63 lower-case letters, digits and dashes, starting with a letter or digit',
    { where: 'id' },
  );
}

/** The most that a file system takes as one name. */
const MAX_SEGMENT_BYTES = 255;
/** The most that S3 takes. */
const MAX_KEY_BYTES = 1024;

/** What S3's XML and a path cannot carry: control characters, halves of surrogate pairs, two that are no characters. */
const UNSAFE = /[\p{Cc}\p{Cs}\\\ufffe\uffff]/u;

/**
 * A key that S3, a file system and whatever copies between them can hold: segments separated by `/`, none of them
 * empty, `.`, `..` or longer than 255 bytes; at most 1024 bytes in all; no backslash and nothing that is not text.
 */
export function isKey(key: string): boolean {
  return (
    Buffer.byteLength(key) <= MAX_KEY_BYTES &&
    !UNSAFE.test(key) &&
    key
      .split('/')
      .every((part) => !['', '.', '..'].includes(part) && Buffer.byteLength(part) <= MAX_SEGMENT_BYTES)
  );
}

/** @throws InvalidInputError for what `isKey` refuses */
export function assertKey(key: string): void {
  if (isKey(key)) return;
  throw new InvalidInputError(
    'key: expected text in segments separated by "/", none of them empty, "." or "..", received another one',
    { where: 'key' },
  );
}
