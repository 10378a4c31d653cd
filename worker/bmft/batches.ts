import type { Random } from '../random.ts';
import type { TrainingSet } from '../training/batch.ts';
import { balancedRows, sliceBatches, stratifiedBatches } from '../training/sampler.ts';
import type { MitigationOptions } from './options.ts';

type Batches = readonly (readonly number[])[];

/**
 * Rows of each batch, freshly shuffled each epoch. `natural` takes the set as it is; `balanced` draws one
 * group-balanced set and keeps it; `stratified` puts every (group, label) cell into every batch.
 */
export function batchesBy(
  batching: MitigationOptions['body']['batching'],
  set: TrainingSet,
  { options, random }: { options: MitigationOptions; random: Random },
): (epoch: number) => Batches {
  const { batchSize, disparity } = options;
  if (batching === 'stratified') {
    return () => stratifiedBatches(set, { batchSize, cellMinimum: disparity.cellMinimum, random });
  }
  const rows = batching === 'balanced' ? balancedRows(set, random, disparity.cellMinimum) : set.rows;
  return () => sliceBatches(random.shuffle(rows), batchSize);
}
