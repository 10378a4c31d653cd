import { z } from 'zod';

/*
 * How much an explanation looks at: each number bounds a cost (docs/explain.md#cost).
 */

export const explainSchema = z.strictObject({
  /** Further draws of the batches, each with a pass of the importance over the tune part. */
  draws: z.int().min(0).max(20),
  /** Further batch sizes, as multiples of the run's; a pass of the importance each. */
  batchSizeFactors: z.array(z.number().min(0.1).max(10)).max(10),
  /** Channels that are listed for each layer. */
  channels: z.int().min(1).max(100),
  /** Images in which a channel fires most that are counted by group. */
  firingImages: z.int().min(2).max(200),
  /** Layers whose activations are read, spread evenly over the depth. */
  layers: z.int().min(1).max(100),
  /** Rows that a probe is trained on, and rows that it is measured on. */
  probeRows: z.int().min(20).max(20_000),
  /** Pull of the standardised weights of a probe towards 0. */
  probeRidge: z.number().min(1e-6).max(100),
  /** Images of each group that are covered. */
  occlusionImages: z.int().min(1).max(500),
  /** Places of the patch along each side of an image. */
  occlusionPlaces: z.int().min(2).max(64),
  /** Side of the patch as a share of the image's. */
  occlusionPatch: z.number().min(0.02).max(0.5),
});

export type ExplainOptions = z.infer<typeof explainSchema>;

export const EXPLAIN: ExplainOptions = {
  draws: 2,
  batchSizeFactors: [0.5, 2],
  channels: 5,
  firingImages: 20,
  layers: 12,
  probeRows: 1000,
  probeRidge: 0.01, // as scikit-learn's C = 100 / rows
  occlusionImages: 24,
  occlusionPlaces: 12,
  occlusionPatch: 0.2, // as Zeiler and Fergus: 50 of 224 pixels
};
