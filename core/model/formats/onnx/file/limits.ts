import { InvalidInputError } from '../../../../errors.ts';
import { MAX_MODEL_FILE_BYTES } from '../../../model-file.ts';

/** What a file may ask for, against sizes that a damaged or hostile one makes up. */
export const LIMITS = {
  fileBytes: MAX_MODEL_FILE_BYTES,
  nodes: 100_000,
  /** Axes of a tensor. */
  rank: 8,
  /** Entries of one tensor, stored or computed for one batch. */
  tensorEntries: 2 ** 28,
  /** Entries of all constants that are computed at load. */
  foldedEntries: 2 ** 24,
} as const;

/**
 * Number of entries of a shape.
 *
 * @throws InvalidInputError when an extent is no size, or the product is beyond the limit
 */
export function entriesOf(shape: readonly number[], where: string): number {
  const entries = shape.reduce((product, extent) => product * extent, 1);
  const isFit =
    shape.length <= LIMITS.rank &&
    shape.every((extent) => Number.isInteger(extent) && extent >= 0) &&
    entries <= LIMITS.tensorEntries;
  if (isFit) return entries;
  throw new InvalidInputError(
    `${where}: expected a shape of at most ${LIMITS.rank} axes and ${LIMITS.tensorEntries} entries, received [${shape.slice(0, 16).join(', ')}]`,
    { where, received: shape.slice(0, 16) },
  );
}
