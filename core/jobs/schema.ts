import { z } from 'zod';
import { columnsSchema } from '../data/columns.ts';
import { folderOf, isKey, modelKey, UPLOADS } from './keys.ts';

/** Settings of the method by name; their numbers are in worker/bmft/options.ts. */
export const PRESET_NAMES = ['robust', 'bmft-released', 'swift-released'] as const;
export type PresetName = (typeof PRESET_NAMES)[number];

/** Disparities that can be lowered. */
export const METRIC_NAMES = ['demographicParity', 'equalOpportunity', 'equalizedOdds'] as const;
export type DisparityMetric = (typeof METRIC_NAMES)[number];

const KEY_RULE = 'must be segments separated by "/", none of them empty, "." or ".."';
const UPLOADED_RULE = `must start with "${UPLOADS}"`;

/** Key of an object that the user uploaded. */
const uploadedKeySchema = z
  .string()
  .min(1)
  .refine(isKey, KEY_RULE)
  .refine((key) => key.startsWith(UPLOADS), UPLOADED_RULE);

const FOLDER_RULE = `must lie in a folder below "${UPLOADS}"`;

/** Key of a table whose folder a job fetches as a whole; right below `uploads/` that would be everybody's data. */
const manifestKeySchema = uploadedKeySchema.refine((key) => folderOf(key) !== UPLOADS, FOLDER_RULE);

/** Prefix of an uploaded model's folder, with or without a slash at its end. */
const modelFolderSchema = z
  .string()
  .min(1)
  .refine((folder) => isKey(modelKey(folder)), KEY_RULE)
  .refine((folder) => folder.startsWith(UPLOADS), UPLOADED_RULE)
  .refine((folder) => folder !== UPLOADS, FOLDER_RULE);

/** A preset's name, or a preprocess file as an object (docs/data.md). */
const preprocessSchema = z.union([z.enum(['imagenet', 'unit', 'none']), z.record(z.string(), z.unknown())]);

const threshold = z.number().gt(0).lt(1).default(0.5);

/** A model folder and the table that lists its samples. */
const modelSourceShape = {
  model: modelFolderSchema,
  manifest: manifestKeySchema,
  columns: columnsSchema,
  /** Absent: preprocess.json in the model's folder. */
  preprocess: preprocessSchema.optional(),
  threshold,
};

export const predictionsAuditSchema = z.strictObject({
  kind: z.literal('audit'),
  predictions: uploadedKeySchema,
  columns: columnsSchema,
  threshold,
  /** Audit the rows of this split only. */
  only: z.string().min(1).optional(),
});

export const modelAuditSchema = z.strictObject({
  kind: z.literal('model-audit'),
  ...modelSourceShape,
  only: z.string().min(1).optional(),
});

export const mitigationSchema = z.strictObject({
  kind: z.literal('mitigation'),
  ...modelSourceShape,
  splits: z
    .strictObject({
      external: z.string().min(1).default('external'),
      test: z.string().min(1).default('test'),
    })
    .prefault({}),
  preset: z.enum(PRESET_NAMES).default('robust'),
  metric: z.enum(METRIC_NAMES).optional(),
  seed: z
    .int()
    .min(0)
    .max(2 ** 31 - 1)
    .default(0),
  /** Settings that replace those of the preset (docs/method.md#own-settings); checked by the worker. */
  options: z.record(z.string(), z.unknown()).optional(),
  /** Processes over which the candidates of `robust` are spread; 1 is one process. */
  shards: z.int().min(1).max(100).default(1),
});

/** What a user may ask for; the API, the upload trigger and the schedules all make one of these. */
export const jobRequestSchema = z.discriminatedUnion('kind', [
  predictionsAuditSchema,
  modelAuditSchema,
  mitigationSchema,
]);
export type JobRequest = z.output<typeof jobRequestSchema>;
