import type { Scalar, Tensor1D } from '@tensorflow/tfjs-core';
import { prepareDisparityLoss, prepareTaskLoss } from '../../worker/bmft/losses.ts';

/** The losses of one set of logits. */
export const taskLoss = (logits: Tensor1D, ...about: Parameters<typeof prepareTaskLoss>): Scalar =>
  prepareTaskLoss(...about)(logits);

export const disparityLoss = (logits: Tensor1D, ...about: Parameters<typeof prepareDisparityLoss>): Scalar =>
  prepareDisparityLoss(...about)(logits);
