import { isAbsolute, join } from 'node:path';
import * as z from 'zod';
import { InvalidInputError, ShapeMismatchError, StorageError } from '../errors.ts';
import { cleanText } from './cells.ts';
import { parseWith } from './parse.ts';
import { readJson } from './read-json.ts';

/** Largest side of a model's input in pixels. */
const MAX_SIDE = 8192;

const CHANNEL_COUNT = { RGB: 3, BGR: 3, grey: 1 } as const;
export type Channels = keyof typeof CHANNEL_COUNT;

const side = z.number().int().min(1).max(MAX_SIDE);
const deviation = z.number().positive();
const perChannel = <T extends z.ZodType>(number: T) => z.union([number, z.array(number).min(1).max(3)]);
const output = z.enum(['logit', 'score']).optional();

/** x = (pixel · scale − mean) / std, with pixel in [0, 255]. */
const imageSchema = z
  .strictObject({
    /** [height, width]; the model's own when absent */
    size: z.tuple([side, side]).optional(),
    /** How an image of another shape fits: stretch both axes, cut off what sticks out, or pad with black. */
    resize: z.enum(['stretch', 'cover', 'contain']).default('stretch'),
    scale: z.number().refine((scale) => scale !== 0, 'must not be 0'),
    /** One for all channels, or one each in the order of `channels`. */
    mean: perChannel(z.number()),
    std: perChannel(deviation),
    /** RGB or grey, as the model's channel count says, when absent. */
    channels: z.enum(['RGB', 'BGR', 'grey']).optional(),
    /** As the model's shape says when absent; NHWC where both fit. */
    layout: z.enum(['NHWC', 'NCHW']).optional(),
    output,
  })
  .superRefine(({ channels, mean, std }, context) => {
    if (channels === undefined) return;
    const expected = CHANNEL_COUNT[channels];
    for (const [key, value] of Object.entries({ mean, std })) {
      if (!Array.isArray(value) || value.length === expected) continue;
      const message = `must have ${expected} for ${channels}, received a list of ${value.length}`;
      context.addIssue({ code: 'custom', path: [key], message });
    }
  });

const column = z.string().transform(cleanText).pipe(z.string().min(1));
const numericFeature = z.strictObject({
  column,
  mean: z.number().default(0),
  std: deviation.default(1),
  /** Value of an empty cell, before mean and std; without it an empty cell is an error. */
  missing: z.number().optional(),
});
const categoricalFeature = z.strictObject({
  column,
  /** Order of the one-hot inputs. */
  categories: z.array(z.string().transform(cleanText)).min(1).refine(isDistinct, 'must be distinct'),
  /** What a value outside `categories` becomes: an error, or zeros only. */
  unknown: z.enum(['error', 'zeros']).default('error'),
});

const tableSchema = z.strictObject({ features: z.array(z.unknown()).min(1), output });

/** A feature column: numeric (standardised), or categorical (one-hot) when it has `categories`. */
export type TableFeature = z.output<typeof numericFeature> | z.output<typeof categoricalFeature>;
type ImagePreprocess = z.output<typeof imageSchema>;
export interface TablePreprocess {
  readonly features: readonly TableFeature[];
  readonly output?: 'logit' | 'score' | undefined;
}
/** How a model's inputs are made from what the user brings. */
export type Preprocess = ImagePreprocess | TablePreprocess;

/** An image preprocess with every choice made for one model. */
export interface ImageSpec {
  readonly kind: 'image';
  readonly height: number;
  readonly width: number;
  readonly channels: Channels;
  readonly layout: 'NHWC' | 'NCHW';
  readonly resize: 'stretch' | 'cover' | 'contain';
  readonly scale: number;
  /** [C] in the order of `channels` */
  readonly mean: readonly number[];
  /** [C] each > 0 */
  readonly std: readonly number[];
  readonly output?: 'logit' | 'score';
}

/** A table preprocess with the count of inputs that it makes. */
export interface TableSpec {
  readonly kind: 'table';
  readonly features: readonly TableFeature[];
  readonly width: number;
  readonly output?: 'logit' | 'score';
}

export type InputSpec = ImageSpec | TableSpec;

/** A model's input without the batch axis; null where any size will do. */
type Shape = readonly (number | null)[];

const PRESETS = {
  /** As torchvision's pretrained models expect. */
  imagenet: { scale: 1 / 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], channels: 'RGB' },
  /** [0, 1] */
  unit: { scale: 1 / 255, mean: 0, std: 1 },
  /** [0, 255] */
  none: { scale: 1, mean: 0, std: 1 },
} as const;

/**
 * @param where  file or option that the value comes from
 * @throws InvalidInputError naming each wrong field
 */
export function parsePreprocess(value: unknown, where: string): Preprocess {
  if (typeof value !== 'object' || value === null || !('features' in value)) {
    return parseWith(imageSchema, value, where);
  }
  const { features, ...rest } = parseWith(tableSchema, value, where);
  return {
    ...rest,
    features: features.map((feature, index) => parseFeature(feature, `${where}, features[${index}]`)),
  };
}

function parseFeature(value: unknown, where: string): TableFeature {
  const isCategorical = typeof value === 'object' && value !== null && 'categories' in value;
  return isCategorical
    ? parseWith(categoricalFeature, value, where)
    : parseWith(numericFeature, value, where);
}

/** Is this the name of a preset? A file of that name in the working folder does not matter. */
export function isPreset(name: string): name is keyof typeof PRESETS {
  return Object.hasOwn(PRESETS, name);
}

/**
 * A preset by name (`imagenet`, `unit`, `none`), else the preprocess file of that path.
 *
 * @param folder  that a relative path starts from; the working directory when absent
 * @throws InvalidInputError naming each wrong field, StorageError when there is neither
 */
export async function loadPreprocess(nameOrPath: string, folder = ''): Promise<Preprocess> {
  if (isPreset(nameOrPath)) return parsePreprocess(PRESETS[nameOrPath], nameOrPath);
  const path = isAbsolute(nameOrPath) ? nameOrPath : join(folder, nameOrPath);
  const value = await readJson(path).catch((cause) => {
    if (!(cause instanceof StorageError)) throw cause;
    const presets = Object.keys(PRESETS).join(', ');
    throw new StorageError(`${cause.message}; it is no preset either (${presets})`, cause.details, { cause });
  });
  return parsePreprocess(value, path);
}

/**
 * Makes every open choice from the model's input shape and checks the rest against it.
 *
 * @param inputShape  of one sample: [H, W, C], [C, H, W] or [F]; null where the model takes any size
 * @throws ShapeMismatchError when shape and preprocess disagree
 * @throws InvalidInputError when the model takes any size and the preprocess gives none
 */
export function resolvePreprocess(preprocess: Preprocess, inputShape: Shape): InputSpec {
  return 'features' in preprocess
    ? resolveTable(preprocess, inputShape)
    : resolveImage(preprocess, inputShape);
}

/** The preprocess with what a model's shape decided, so that it says all when it lies beside a saved model. */
export function completePreprocess(preprocess: Preprocess, spec: InputSpec): Preprocess {
  if (spec.kind === 'table' || 'features' in preprocess) return preprocess;
  const { height, width, channels, layout } = spec;
  return { ...preprocess, size: [height, width], channels, layout };
}

function resolveTable({ features, output }: TablePreprocess, inputShape: Shape): TableSpec {
  const width = features.reduce((sum, feature) => sum + featureWidth(feature), 0);
  if (inputShape.length !== 1 || (inputShape[0] ?? width) !== width) throw mismatch([width], inputShape);
  return { kind: 'table', features, width, ...(output === undefined ? {} : { output }) };
}

/** Inputs that a feature makes: one per category, or one. */
export function featureWidth(feature: TableFeature): number {
  return 'categories' in feature ? feature.categories.length : 1;
}

function resolveImage(preprocess: ImagePreprocess, inputShape: Shape): ImageSpec {
  if (inputShape.length !== 3) {
    throw new ShapeMismatchError(
      `preprocess: expected a model of images [H, W, C] or [C, H, W], received ${spell(inputShape)}`,
      { where: 'preprocess', expected: ['H', 'W', 'C'], received: inputShape },
    );
  }
  const layout = preprocess.layout ?? guessLayout(preprocess, inputShape);
  const [rows, columns, depth] = layout === 'NHWC' ? ([0, 1, 2] as const) : ([1, 2, 0] as const);
  const channels = preprocess.channels ?? guessChannels(inputShape[depth]!);
  const [height, width] = preprocess.size ?? [inputShape[rows], inputShape[columns]];
  if (typeof height !== 'number' || typeof width !== 'number') {
    throw new InvalidInputError(
      'preprocess: the model takes images of any size, expected "size": [height, width], received none',
      { where: 'preprocess', received: inputShape },
    );
  }
  const sample = sampleShape({ height, width, channels, layout });
  if (sample.some((size, axis) => (inputShape[axis] ?? size) !== size)) throw mismatch(sample, inputShape);
  const { resize, scale, output } = preprocess;
  const mean = spread('mean', preprocess.mean, channels);
  const std = spread('std', preprocess.std, channels);
  const chosen = output === undefined ? {} : { output };
  return { kind: 'image', height, width, channels, layout, resize, scale, mean, std, ...chosen };
}

/** Shape of one sample, without the batch axis. */
export function sampleShape(spec: Pick<ImageSpec, 'height' | 'width' | 'channels' | 'layout'>): number[] {
  const { height, width, channels, layout } = spec;
  const depth = CHANNEL_COUNT[channels];
  return layout === 'NHWC' ? [height, width, depth] : [depth, height, width];
}

function guessLayout({ channels }: ImagePreprocess, inputShape: Shape): ImageSpec['layout'] {
  const isDepth = (size: number | null | undefined) =>
    channels === undefined ? size === 1 || size === 3 : size === CHANNEL_COUNT[channels];
  return !isDepth(inputShape[2]) && isDepth(inputShape[0]) ? 'NCHW' : 'NHWC';
}

function guessChannels(depth: number | null): Channels {
  if (depth === 3) return 'RGB';
  if (depth === 1) return 'grey';
  const received = depth === null ? 'any number' : String(depth);
  throw new ShapeMismatchError(
    `preprocess: expected a model of 1 or 3 channels, or "channels" to be given, received ${received}`,
    { where: 'preprocess', expected: [1, 3], received: depth },
  );
}

function spread(key: string, value: number | readonly number[], channels: Channels): readonly number[] {
  const depth = CHANNEL_COUNT[channels];
  if (typeof value === 'number') return new Array<number>(depth).fill(value);
  if (value.length === depth) return value;
  throw new InvalidInputError(
    `preprocess: "${key}" must have ${depth} for ${channels}, received a list of ${value.length}`,
    { where: 'preprocess', expected: depth, received: value.length },
  );
}

function mismatch(inputs: readonly number[], inputShape: Shape): ShapeMismatchError {
  return new ShapeMismatchError(
    `preprocess: expected inputs of the model's shape ${spell(inputShape)}, received ${spell(inputs)}`,
    { where: 'preprocess', expected: inputShape, received: inputs },
  );
}

function spell(shape: Shape): string {
  return `[${shape.map((size) => size ?? 'any').join(', ')}]`;
}

function isDistinct(values: readonly string[]): boolean {
  return new Set(values).size === values.length;
}
