import type { FindMaskInput, FoundMask } from '../../worker/bmft/find-mask.ts';
import { masksOf, measureRatios } from '../../worker/bmft/find-mask.ts';

/** Ratios and masks in one go, as a run without checkpoints makes them. */
export async function findMask(input: FindMaskInput): Promise<(percentile: number) => FoundMask> {
  const ratios = await measureRatios(input);
  return masksOf(ratios.get(input.objective.disparity.surrogate)!, input.model, input.options);
}
