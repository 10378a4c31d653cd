import { z } from 'zod';
import { isPickle, NO_PICKLE } from '../model/model-file.ts';
import type { UploadForm } from '../storage/object-store.ts';
import type { JobDeps } from './deps.ts';
import { isId, isKey, uploadKey } from './keys.ts';

const UPLOAD_SECONDS = 15 * 60;
/** The most that S3 takes in one posted form. */
const MAX_UPLOAD_BYTES = 5 * 2 ** 30;

/** What may be uploaded, by the ending of its name; the form is bound to the type. */
export const UPLOAD_TYPES = {
  bin: 'application/octet-stream',
  csv: 'text/csv',
  data: 'application/octet-stream',
  gz: 'application/gzip',
  h5: 'application/octet-stream',
  hdf5: 'application/octet-stream',
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  json: 'application/json',
  jsonl: 'application/jsonlines',
  keras: 'application/octet-stream',
  onnx: 'application/octet-stream',
  onnx_data: 'application/octet-stream',
  parquet: 'application/vnd.apache.parquet',
  png: 'image/png',
} as const;
type Ending = keyof typeof UPLOAD_TYPES;
const ENDING_RULE = `must end with one of .${Object.keys(UPLOAD_TYPES).join(', .')}`;

/**
 * Letters of any script, so that a hospital's own names work; nothing that a path or a header gives a meaning. No
 * pattern of the schema: clients that read the OpenAPI document do not agree on what `\p` means.
 */
const NAME = /^[\p{L}\p{N}_-][\p{L}\p{M}\p{N} ._-]*(?:\/[\p{L}\p{N}_-][\p{L}\p{M}\p{N} ._-]*){0,4}$/u;

const nameSchema = z
  .string()
  .min(1)
  .max(200)
  .refine((name) => NAME.test(name), 'must be up to 5 segments of letters, digits, spaces, ".", "_" and "-"')
  .refine((name) => isKey(uploadKey('x', name.normalize('NFC'))), 'must have segments of at most 255 bytes')
  .refine((name) => endingOf(name) !== null, {
    error: ({ input }) => (isPickle(String(input)) ? `is refused: ${NO_PICKLE}` : ENDING_RULE),
  })
  .describe(
    'name of the file, or path inside the upload: letters, digits, spaces, ".", "_", "-", up to 5 segments',
  );

export const uploadRequestSchema = z.strictObject({
  name: nameSchema,
  bytes: z.int().min(1).max(MAX_UPLOAD_BYTES).describe('size of the file; the form takes no more'),
  uploadId: z
    .string()
    .refine(isId, 'must be the uploadId of an earlier answer')
    .optional()
    .describe('puts the file beside those of an earlier answer'),
});
export type UploadRequest = z.output<typeof uploadRequestSchema>;

export const uploadSchema = z.strictObject({
  uploadId: z.string(),
  key: z.string().describe('what requests name the file by, once it is uploaded'),
  contentType: z.string(),
  maxBytes: z.int(),
  expiresAt: z.iso.datetime(),
  form: z.strictObject({ url: z.string(), fields: z.record(z.string(), z.string()) }),
});

export interface Upload {
  readonly uploadId: string;
  readonly key: string;
  readonly contentType: string;
  readonly maxBytes: number;
  readonly expiresAt: string;
  readonly form: UploadForm;
}

/** A form that uploads one file, bound to its key, size and type. Whoever knows an `uploadId` may add to it. */
export async function createUpload(
  { store, now, randomId }: Pick<JobDeps, 'store' | 'now' | 'randomId'>,
  { name, bytes, uploadId = randomId() }: UploadRequest,
): Promise<Upload> {
  const key = uploadKey(uploadId, name.normalize('NFC'));
  const contentType = UPLOAD_TYPES[endingOf(name)!];
  const options = { seconds: UPLOAD_SECONDS, maxBytes: bytes, contentType };
  const form = await store.uploadForm(key, options);
  const expiresAt = new Date(now().getTime() + UPLOAD_SECONDS * 1000).toISOString();
  return { uploadId, key, contentType, maxBytes: bytes, expiresAt, form };
}

function endingOf(name: string): Ending | null {
  const ending = name.slice(name.lastIndexOf('.') + 1).toLowerCase();
  return Object.hasOwn(UPLOAD_TYPES, ending) ? (ending as Ending) : null;
}
