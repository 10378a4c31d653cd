import { InvalidInputError } from '../core/errors.ts';
import type { DivideInput } from './parts.ts';

/** What a user asks to be mitigated. */
export interface MitigateChoice {
  /** Sensitive features of the data; the first of them when absent. */
  readonly sensitiveFeatures?: readonly string[] | undefined;
  /** Of these features, those that are combined at most; 1 for none. */
  readonly intersections: number;
}

interface Known {
  /** Sensitive features of the data, one at least. */
  readonly names: readonly string[];
  readonly cellMinimum: number;
}

/**
 * The features whose disparities are to be lowered.
 *
 * @throws InvalidInputError when one is not among those of the data or named twice, or more are to be combined than there are
 */
export function mitigatedFeatures(
  { sensitiveFeatures, intersections }: MitigateChoice,
  { names, cellMinimum }: Known,
): Pick<DivideInput, 'sensitiveFeature' | 'further'> {
  const chosen = sensitiveFeatures ?? names.slice(0, 1);
  for (const [place, name] of chosen.entries()) {
    if (names.includes(name) && chosen.indexOf(name) === place) continue;
    throw new InvalidInputError(
      `features to mitigate: expected sensitive features of the data (${names.join(', ')}), each once, received "${name}"${names.includes(name) ? ' twice' : ''}`,
      { feature: name },
    );
  }
  if (!Number.isInteger(intersections) || intersections < 1 || intersections > chosen.length) {
    throw new InvalidInputError(
      `intersections: expected a whole number from 1 to ${chosen.length}, the number of features to mitigate, received ${intersections}`,
      { where: 'intersections', received: intersections },
    );
  }
  const [sensitiveFeature, ...others] = chosen as [string, ...string[]];
  if (others.length === 0) return { sensitiveFeature };
  return { sensitiveFeature, further: { sensitiveFeatures: others, intersections, cellMinimum } };
}
