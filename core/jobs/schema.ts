import { z } from 'zod';
import { columnsSchema } from '../data/columns.ts';
import { UPLOADS } from './keys.ts';

/** Settings of the method by name; their numbers are in worker/bmft/options.ts. */
export const PRESET_NAMES = ['robust', 'bmft-released', 'swift-released'] as const;
export type PresetName = (typeof PRESET_NAMES)[number];

/** Disparities that can be lowered. */
export const METRIC_NAMES = ['demographicParity', 'equalOpportunity', 'equalizedOdds'] as const;
export type DisparityMetric = (typeof METRIC_NAMES)[number];

const keySchema = z
  .string()
  .min(1)
  .max(900)
  .regex(/^[^\\]*$/, 'must not hold a backslash')
  .refine(
    (key) => key.split('/').every((part) => part !== '..' && part !== '.'),
    'must not hold "." or ".."',
  );

/** Key of an object that the user uploaded. */
const uploadedKeySchema = keySchema.refine((key) => key.startsWith(UPLOADS), `must start with "${UPLOADS}"`);

/** A preset's name, or a preprocess file as an object (docs/data.md). */
const preprocessSchema = z.union([z.enum(['imagenet', 'unit', 'none']), z.record(z.string(), z.unknown())]);

const threshold = z.number().gt(0).lt(1).default(0.5);

/** A model folder and the table that lists its samples. */
const modelSourceShape = {
  /** Prefix of the model's folder, with a model.json below it. */
  model: uploadedKeySchema,
  manifest: uploadedKeySchema,
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
    .optional(),
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
