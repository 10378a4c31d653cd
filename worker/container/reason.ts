import { isCounterweightError } from '../../core/errors.ts';
import { besideKey, modelFolder } from '../../core/jobs/keys.ts';
import { withoutData } from '../../core/jobs/redact.ts';
import type { JobRequest } from '../../core/jobs/schema.ts';
import { PREPROCESS_FILE } from '../../core/model/model-file.ts';
import { exitCodeOf } from '../commands/exit-codes.ts';

/** Why a task failed: `code` for a program, `message` as a sentence for people, without data. */
export interface Reason {
  readonly code: string;
  readonly message: string;
}

export interface ReasonContext {
  /** Null when it failed before the request was read. */
  readonly request: JobRequest | null;
  /** Of this process, with its inputs; absolute. */
  readonly folder: string;
  /** Folder in which inputs have their keys as paths. */
  readonly inputs: string;
}

/**
 * Why a task failed, for its record: files by their keys, and no text from a table that the request does not name
 * itself. A table without a header line would else show its first row as column names, and image names can tell who
 * a patient is.
 */
export function reasonOf(error: unknown, context: ReasonContext): Reason {
  if (!isCounterweightError(error)) {
    return { code: 'UNEXPECTED', message: 'the worker failed unexpectedly; its log says where' };
  }
  // What is not there is no failure of the store, and another attempt would not find it either.
  const code = error.code === 'STORAGE' && !isTemporary(error) ? 'INVALID_INPUT' : error.code;
  const message = withoutFolders(error.message, context);
  const { request } = context;
  return { code, message: isOfModel(message, request) ? message : withoutData(message, request) };
}

/** A model's own preprocess file holds settings, which may be named. */
function isOfModel(message: string, request: JobRequest | null): boolean {
  if (request === null || !('model' in request)) return false;
  return message.startsWith(besideKey(modelFolder(request.model), PREPROCESS_FILE));
}

function isTemporary(error: unknown): boolean {
  return exitCodeOf(error) === 75;
}

function withoutFolders(message: string, { folder, inputs }: ReasonContext): string {
  return message.replaceAll(`${inputs}/`, '').replaceAll(`${folder}/`, '').replaceAll(folder, 'the folder');
}

/** A reason's message as the log has it: inputs by what the request calls them, not by their keys. */
export function withoutKeys(message: string, request: JobRequest | null): string {
  if (request === null) return message;
  if (request.kind === 'audit') return message.replaceAll(request.predictions, 'predictions');
  const { manifest, model } = request;
  // The model's folder may be one that the manifest lies in
  return message
    .replaceAll(manifest, 'manifest')
    .replaceAll(model.replace(/\/$/, ''), 'model')
    .replaceAll(modelFolder(model), 'model/');
}
