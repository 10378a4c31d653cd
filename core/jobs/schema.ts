import { z } from 'zod';
import { columnsSchema } from '../data/columns.ts';
import { policyChoiceSchema } from '../fairness/policy/presets.ts';
import { isPickle, MODEL_JSON, NO_PICKLE } from '../model/model-file.ts';
import { asFolder, besideKey, folderOf, isKey, modelFolder, UPLOADS } from './keys.ts';

/** Settings of the method by name; their numbers are in worker/bmft/options.ts. */
export const PRESET_NAMES = ['robust', 'bmft-released', 'swift-released'] as const;
export type PresetName = (typeof PRESET_NAMES)[number];

/** Disparities that can be lowered. */
export const METRIC_NAMES = ['demographicParity', 'equalOpportunity', 'equalizedOdds'] as const;
export type DisparityMetric = (typeof METRIC_NAMES)[number];

/** Values of the split column when none are named; the test split may then be absent. */
export const DEFAULT_SPLITS = { external: 'external', test: ['test'] } as const;

/** What a search of settings may take, the preset's own included: a multiple of those, epochs, time or money. */
export const budgetSchema = z
  .string()
  .regex(
    /^(?![0.]+[a-z])\d{1,6}(?:\.\d{1,2})?(?:x|epochs|m|h|usd)$/,
    'must be above 0 and like 2.5x, 60epochs, 10m, 2h or 2usd',
  );

const KEY_RULE = 'must be segments separated by "/", none of them empty, "." or ".."';
const UPLOADED_RULE = `must start with "${UPLOADS}"`;

/** Key of an object that the user uploaded. */
const uploadedKeySchema = z
  .string()
  .min(1)
  .refine(isKey, KEY_RULE)
  .refine((key) => key.startsWith(UPLOADS), UPLOADED_RULE);

const FOLDER_RULE = `must lie in a folder below "${UPLOADS}"`;

/** Key of a table, which names images in its folder; right below `uploads/` that would be everybody's data. */
const manifestKeySchema = uploadedKeySchema.refine((key) => folderOf(key) !== UPLOADS, FOLDER_RULE);

/** Key of an uploaded model's file, or prefix of its folder, with or without a slash at its end. */
const modelSchema = z
  .string()
  .min(1)
  .refine((model) => isKey(besideKey(asFolder(model), MODEL_JSON)), KEY_RULE)
  .refine((model) => model.startsWith(UPLOADS), UPLOADED_RULE)
  .refine((model) => modelFolder(model) !== UPLOADS, FOLDER_RULE)
  .refine((model) => !isPickle(model), `is refused: ${NO_PICKLE}`);

/** A preset's name, or a preprocess file as an object (docs/data.md). */
const preprocessSchema = z.union([z.enum(['imagenet', 'unit', 'none']), z.record(z.string(), z.unknown())]);

/** Far beyond any name or number that a file holds. */
const MAX_LAYER_NAME = 1000;
const MAX_UNIT = 999_999_999;

const threshold = z.number().gt(0).lt(1).default(0.5);

/** A model and the table that lists its samples. */
const modelSourceShape = {
  model: modelSchema,
  /** Name of the head layer; found from the output when absent. */
  head: z.string().min(1).max(MAX_LAYER_NAME).optional(),
  /** Index of the head's unit that stands for the positive label; of two units the second when absent. */
  positiveClass: z.int().min(0).max(MAX_UNIT).optional(),
  manifest: manifestKeySchema,
  columns: columnsSchema,
  /** Absent: preprocess.json in the model's folder. */
  preprocess: preprocessSchema.optional(),
  threshold,
};

const share = z.number().gt(0).lt(1);
const leastRows = z.int().min(0).exactOptional();

/** How an audit is made, and what it must show. */
const auditChoicesShape = {
  /** Audit the rows of this split only. */
  only: z.string().min(1).optional(),
  /** Sensitive features that are combined at most. */
  intersections: z.int().min(1).max(10).exactOptional(),
  /** Group that others are compared with: by size, by selection rate, or by name for each feature. */
  reference: z.union([z.enum(['largest', 'best']), z.record(z.string(), z.string())]).exactOptional(),
  minSupport: z
    .strictObject({
      group: leastRows,
      positives: leastRows,
      negatives: leastRows,
      action: z.enum(['mark', 'merge', 'refuse']).exactOptional(),
    })
    .exactOptional(),
  /** Of every interval. */
  level: share.exactOptional(),
  /** Draws of every bootstrap. */
  replicates: z.int().min(0).max(10_000).exactOptional(),
  /** At which specificity is measured. */
  sensitivity: share.exactOptional(),
  policy: policyChoiceSchema.optional(),
};

export const predictionsAuditSchema = z.strictObject({
  kind: z.literal('audit'),
  predictions: uploadedKeySchema,
  columns: columnsSchema,
  threshold,
  ...auditChoicesShape,
});

export const modelAuditSchema = z.strictObject({
  kind: z.literal('model-audit'),
  ...modelSourceShape,
  ...auditChoicesShape,
});

const split = z.string().min(1);
const MAX_TEST_SPLITS = 50;

export const mitigationSchema = z.strictObject({
  kind: z.literal('mitigation'),
  ...modelSourceShape,
  splits: z
    .strictObject({
      external: split.default(DEFAULT_SPLITS.external),
      /** Splits that are audited; the first decides the outcome. */
      test: z.union([split, z.array(split).min(1).max(MAX_TEST_SPLITS)]).default(DEFAULT_SPLITS.test[0]),
    })
    .prefault({}),
  /** What is mitigated; absent: the first sensitive feature. */
  mitigate: z
    .strictObject({
      sensitiveFeatures: z.array(z.string().min(1)).min(1).max(10).optional(),
      /** Of these features, those that are combined at most; each combination is mitigated too. */
      intersections: z.int().min(1).max(10).default(1),
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
  /** Runs controls of the mask beside it, for the preset robust and one feature (docs/compare.md). */
  controls: z.boolean().exactOptional(),
  /** Explains the mask in explanation.json and the report; pictures of the data are never made here. */
  explain: z.boolean().exactOptional(),
  /** Searches settings beyond those of `robust`, within a budget; true for the default one (docs/search.md). */
  search: z.union([z.literal(true), budgetSchema]).optional(),
  /** Processes over which the candidates of `robust` are spread; 1 is one process. */
  shards: z.int().min(1).max(100).default(1),
  /** Go on with data that the check calls unfit (docs/check.md). */
  despiteCheck: z.boolean().exactOptional(),
});

/** What a user may ask for; the API, the upload trigger and the schedules all make one of these. */
export const jobRequestSchema = z.discriminatedUnion('kind', [
  predictionsAuditSchema,
  modelAuditSchema,
  mitigationSchema,
]);
export type JobRequest = z.output<typeof jobRequestSchema>;

/** A request for a model and the table of its samples. */
export type WithModel = Exclude<JobRequest, { kind: 'audit' }>;
