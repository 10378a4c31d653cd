import { z } from 'zod';
import { parseWith } from '../../core/data/parse.ts';
import type { DisparityMetric, PresetName } from '../../core/jobs/schema.ts';
import { budgetSchema, METRIC_NAMES } from '../../core/jobs/schema.ts';
import { EXPLAIN, explainSchema } from '../explain/options.ts';
import { GROUP_REDUCTIONS } from './losses.ts';

/*
 * Every number of the method: range in the schema, default and source in the presets below.
 * [B] arXiv 2408.06890 and its released code · [S] arXiv 2508.18826 and its released code
 * [H] arXiv 1603.06560 · [M] docs/method.md, where the choice is argued · [E] found on HAM10000 (docs/method.md#search)
 */

const rate = z.number().min(0).max(1);

/** What a cell's mean is taken of in the disparity loss. */
export const SURROGATES = ['score', 'logit'] as const;
export type Surrogate = (typeof SURROGATES)[number];

const disparitySchema = z.strictObject({
  form: z.enum(['absolute', 'signed']),
  surrogate: z.enum(SURROGATES),
  smoothing: z.number().min(0).max(0.1),
  cellMinimum: z.int().min(1).max(1000),
  reduction: z.enum(GROUP_REDUCTIONS),
});

const maskSchema = z.strictObject({
  kind: z.enum(['hard', 'soft']),
  normalization: z.enum(['min-max', 'rank']),
  epsilon: z.number().positive().max(1),
  epsilonIsRelative: z.boolean(),
  constantTensors: z.enum(['leave-out', 'unscaled']),
  /** Percentiles of the ratio to try; the first is the default. */
  percentiles: z.array(z.number().min(0).max(100)).min(1).max(20),
});

const sgdShape = {
  learningRates: z.array(z.number().positive().max(10)).min(1).max(20),
  momentum: z.number().min(0).max(0.999),
  weightDecay: rate,
  epochs: z.int().min(1).max(1000),
  /** Random flips of whole batches along both image axes. */
  augment: z.boolean(),
};

const bodySchema = z.strictObject({
  ...sgdShape,
  optimizer: z.enum(['sgd', 'adam']),
  taskWeight: z.number().min(0).max(1000),
  disparityWeights: z.array(z.number().min(0).max(1000)).min(1).max(20),
  /** Whether the mask acts before the optimiser (on gradients) or after it (on updates). */
  maskActsOn: z.enum(['gradient', 'update']),
  batching: z.enum(['natural', 'balanced', 'stratified']),
  normalizationMoves: z.boolean(),
});

const epochsHeadSchema = z.strictObject({
  solver: z.literal('epochs'),
  ...sgdShape,
  reset: z.enum(['all', 'above-mean-mask']),
  taskWeight: z.number().min(0).max(1000),
  disparityWeight: z.number().min(0).max(1000),
  normalizationMoves: z.boolean(),
});

const convergedHeadSchema = z.strictObject({
  solver: z.literal('converged'),
  taskWeight: z.number().min(0).max(1000),
  disparityWeights: z.array(z.number().min(0).max(1000)).min(1).max(20),
  /** Pull of the standardised head weights towards 0. */
  ridge: z.number().min(0).max(100),
  iterations: z.int().min(1).max(10_000),
  /** Converged when the largest entry of the gradient is below this. */
  tolerance: z.number().positive().max(0.1),
});

const selectionSchema = z.strictObject({
  /** Share of the external set, by subject, on which candidates are judged. */
  selectShare: z.number().min(0.1).max(0.5),
  /** Epochs of stage 1 after which a candidate is judged. */
  checkpoints: z.array(z.int().min(1)).min(1).max(50),
  /** AUC may fall by at most this much below the original's. */
  maxAucDrop: rate,
  /** Nor may balanced accuracy: predicting one class for all would have no disparity. */
  maxBalancedAccuracyDrop: rate,
  /** No group's AUC may fall by more than this. */
  maxGroupAucDrop: rate,
  /** No group's TPR may fall by more than this. */
  maxGroupTprDrop: rate,
});

/** Lowest and highest value that is drawn. */
const rangeOf = (value: z.ZodNumber) =>
  z.tuple([value, value]).refine(([low, high]) => low <= high, 'must be the lowest value, then the highest');
const positive = z.number().positive().max(1000);

const searchSchema = z.strictObject({
  /** What it may take, the grid included. */
  budget: budgetSchema.default('2.5x'), // [M]
  /** Settings that enter a bracket. */
  settings: z.int().min(1).max(81).default(9), // [H]
  /** Of the settings that were judged at an epoch, one in so many goes on. */
  factor: z.int().min(2).max(9).default(3), // [H]
  percentiles: rangeOf(z.number().min(0).max(100)).default([30, 95]), // [M] around [B]
  /** Share of the settings whose mask is soft [S]. */
  softShare: rate.default(0.2), // [M]
  surrogates: z
    .array(z.enum(SURROGATES))
    .min(1)
    .max(2)
    .default([...SURROGATES]), // [M] [B]
  learningRates: rangeOf(positive).default([0.0025, 0.04]), // [E]
  disparityWeights: rangeOf(positive).default([0.25, 8]), // [E]
  headDisparityWeights: rangeOf(positive).default([0.03, 3]), // [B] is 0.1
});

export const mitigationOptionsSchema = z
  .strictObject({
    batchSize: z.int().min(2).max(4096),
    /** Batches of the importance: in file order of a shuffle, or with every cell present. */
    importanceBatching: z.enum(['natural', 'stratified']),
    metric: z.enum(METRIC_NAMES),
    disparity: disparitySchema,
    classWeights: z.enum(['batch', 'whole-set']),
    mask: maskSchema,
    body: bodySchema,
    head: z.discriminatedUnion('solver', [epochsHeadSchema, convergedHeadSchema]),
    /** Null: the settings are fixed, the whole external set trains and the last epoch is kept. */
    selection: selectionSchema.nullable(),
    /** Of an explanation, where one is asked for. */
    explain: explainSchema,
    /** Null: the grid alone. */
    search: searchSchema.nullable(),
  })
  .refine(({ head, selection }) => (head.solver === 'converged') === (selection !== null), {
    path: ['head', 'solver'],
    message: 'must be "converged" with a selection, and "epochs" without one',
  })
  .refine(({ search, selection }) => search === null || selection !== null, {
    path: ['search'],
    message: 'needs a selection, which the preset "robust" has',
  });

export type MitigationOptions = z.infer<typeof mitigationOptionsSchema>;
export type MaskOptions = MitigationOptions['mask'];
export type BodyOptions = MitigationOptions['body'];
export type EpochsHeadOptions = z.infer<typeof epochsHeadSchema>;
export type ConvergedHeadOptions = z.infer<typeof convergedHeadSchema>;
export type SelectionOptions = z.infer<typeof selectionSchema>;
export type SearchOptions = z.infer<typeof searchSchema>;

const RELEASED_DISPARITY = {
  form: 'signed', // [B] opposite gaps cancel
  surrogate: 'logit', // [B]
  smoothing: 0, // [B]
  cellMinimum: 1, // [B] an empty cell counts as 0
  reduction: 'mean', // two groups only, so never used
} as const;

const RELEASED_SGD = { momentum: 0.9, weightDecay: 5e-4, epochs: 10 } as const; // [B] [S]

const BMFT_RELEASED: MitigationOptions = {
  batchSize: 64, // [B]
  importanceBatching: 'natural', // [B]
  metric: 'equalizedOdds', // [B]
  disparity: RELEASED_DISPARITY,
  classWeights: 'batch', // [B]
  mask: {
    kind: 'hard', // [B]
    normalization: 'min-max', // [B]
    epsilon: 1e-10, // [B]
    epsilonIsRelative: false, // [B]
    constantTensors: 'leave-out', // [M] NaN in the released code
    percentiles: [50], // [B]
  },
  body: {
    ...RELEASED_SGD,
    optimizer: 'sgd', // [B]
    learningRates: [1e-4], // [B]
    taskWeight: 0, // [B] disparity only
    disparityWeights: [1], // [B]
    maskActsOn: 'gradient', // [B]
    batching: 'natural', // [B]
    augment: false, // [B]
    normalizationMoves: true, // [B]
  },
  head: {
    ...RELEASED_SGD,
    solver: 'epochs', // [B]
    learningRates: [1e-3], // [B]
    reset: 'all', // [B]
    taskWeight: 1, // [B]
    disparityWeight: 0.1, // [B]
    augment: true, // [B]
    normalizationMoves: true, // [B]
  },
  selection: null, // [B] last epoch kept
  explain: EXPLAIN,
  search: null, // [B]
};

const SWIFT_RELEASED: MitigationOptions = {
  ...BMFT_RELEASED,
  mask: { ...BMFT_RELEASED.mask, kind: 'soft', constantTensors: 'unscaled' }, // [S]
  body: {
    ...BMFT_RELEASED.body,
    taskWeight: 0.1, // [S]
    disparityWeights: [0.9], // [S]
    batching: 'balanced', // [S]
    augment: true, // [S]
  },
  head: {
    ...RELEASED_SGD,
    solver: 'epochs', // [S]
    learningRates: [1e-3], // [S]
    reset: 'above-mean-mask', // [S]
    taskWeight: 0.9, // [S]
    disparityWeight: 0.1, // [S]
    augment: true, // [S]
    normalizationMoves: true, // [S]
  },
};

const ROBUST: MitigationOptions = {
  batchSize: 64, // [B]
  importanceBatching: 'stratified', // [M]
  metric: 'equalizedOdds', // [B]
  disparity: {
    form: 'absolute', // [M] opposite gaps must not cancel
    surrogate: 'score', // [M]
    smoothing: 1e-6, // [M]
    cellMinimum: 2, // [M]
    reduction: 'mean', // [M]
  },
  classWeights: 'whole-set', // [M]
  mask: {
    kind: 'hard', // [B]
    normalization: 'rank', // [M]
    epsilon: 0.1, // [M] of the denominator's mean
    epsilonIsRelative: true, // [M]
    constantTensors: 'leave-out', // [M]
    percentiles: [50, 80], // [B] and a sparser one
  },
  body: {
    optimizer: 'sgd', // [B]
    learningRates: [0.01], // [E]
    momentum: 0.9, // [B]
    weightDecay: 0, // [M] nothing may pull at a frozen weight
    epochs: 5, // [E] half of [B]: later checkpoints were not chosen
    taskWeight: 1, // [M]
    disparityWeights: [1, 4], // [E]
    maskActsOn: 'update', // [M]
    batching: 'stratified', // [M]
    augment: false, // [B]
    normalizationMoves: false, // [M]
  },
  head: {
    solver: 'converged', // [M]
    taskWeight: 1, // [B]
    disparityWeights: [0.1, 1], // [B] and a stronger one
    ridge: 1e-3, // [E]
    iterations: 200, // [M]
    tolerance: 1e-4, // [M] about what float32 gradients resolve
  },
  selection: {
    selectShare: 1 / 3, // [M]
    checkpoints: [1, 3, 5], // [M]
    maxAucDrop: 0.01, // [M]
    maxBalancedAccuracyDrop: 0.01, // [M]
    maxGroupAucDrop: 0.05, // [M]
    maxGroupTprDrop: 0.1, // [M]
  },
  explain: EXPLAIN,
  search: null, // [M] the grid is what docs/evidence.md was measured with
};

export const PRESETS = {
  robust: ROBUST,
  'bmft-released': BMFT_RELEASED,
  'swift-released': SWIFT_RELEASED,
} as const satisfies Record<PresetName, MitigationOptions>;

interface Chosen {
  readonly preset: PresetName;
  readonly metric?: DisparityMetric | undefined;
  /** Budget of a search beyond the preset's grid; true for the default one. */
  readonly search?: string | true | undefined;
  readonly changes: unknown;
}

/**
 * Settings of a preset with changes over them: objects are merged key by key, anything else is replaced.
 *
 * @param where  what the changes come from, to begin a message with
 * @throws InvalidInputError naming each unknown key and each value out of range
 */
export function optionsOf({ preset, metric, search, changes }: Chosen, where: string): MitigationOptions {
  const base = { ...PRESETS[preset], ...(metric && { metric }) };
  const changed = merge(base, changes);
  if (search === undefined) return parseWith(mitigationOptionsSchema, changed, where);
  const wanted = { search: search === true ? {} : { budget: search } };
  return parseWith(mitigationOptionsSchema, merge(changed, wanted), where);
}

function merge(base: unknown, changes: unknown): unknown {
  if (!isPlainObject(base) || !isPlainObject(changes)) return changes;
  const merged = Object.entries(changes).map(([key, value]) => [key, merge(base[key], value)]);
  return { ...base, ...Object.fromEntries(merged) };
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
