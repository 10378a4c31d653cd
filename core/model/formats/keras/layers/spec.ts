import type { layers } from '@tensorflow/tfjs-layers';
import { z } from 'zod';
import { parseWith } from '../../../../data/parse.ts';
import { UnsupportedModelError } from '../../../../errors.ts';
import type { KerasLayer, Operand } from '../config.ts';
import type { WeightQueue } from '../weights.ts';

/** What a layer is made of. */
export interface LayerSpec extends Pick<KerasLayer, 'kind' | 'config'> {
  /** Unique within the outer model. */
  readonly name: string;
  readonly weights: WeightQueue;
  /** Of its first use, with the numbers among them. */
  readonly operands: readonly Operand[];
}

export type MakeLayer = (spec: LayerSpec) => layers.Layer;

/** @throws InvalidInputError naming the layer and what its configuration must be */
export function readConfig<T>({ name, kind, config }: LayerSpec, schema: z.ZodType<T>): T {
  return parseWith(schema, config, `model layer "${name}" (${kind})`);
}

export function unsupported(
  { name, kind }: Pick<LayerSpec, 'name' | 'kind'>,
  what: string,
): UnsupportedModelError {
  return new UnsupportedModelError(`model layer "${name}" (${kind}): ${what}`, { layer: name, kind });
}

/** Against sizes that a damaged file makes up. */
const MOST = 2 ** 24;
export const extent = z.int().min(1).max(MOST);
export const pair = z.tuple([extent, extent]);
const offset = z.int().min(0).max(MOST);
/** `[[top, bottom], [left, right]]` */
export const margins = z.tuple([z.tuple([offset, offset]), z.tuple([offset, offset])]);
/** Images in other orders of axes are trained on GPUs only. */
export const channelsLast = z.literal('channels_last').nullish();
/** One axis, which old files put into a list. */
export const axis = z.union([z.int(), z.tuple([z.int()]).transform(([only]) => only)]);
export const numbers = z.union([z.number(), z.array(z.number()).nonempty()]);
