import { addChunk, startAccumulator } from './accumulator.ts';
import type { AuditInput } from './audit.ts';
import { codesOf, finishClasses } from './audit.ts';
import { attributeSets } from './groups/attribute-sets.ts';
import type { AuditReport } from './types.ts';

export interface ClassAuditInput extends Omit<AuditInput, 'decisions' | 'strata' | 'weights'> {
  /** Three or more; labels are indices into them. */
  readonly classNames: readonly string[];
  /** [N · K] sample by sample */
  readonly scores: ArrayLike<number>;
}

/**
 * The audit of several classes, each against the rest and as their mean; the class of the highest score is predicted.
 *
 * @throws as `audit`
 */
export function auditClasses(input: ClassAuditInput): AuditReport {
  const { labels, sensitiveFeatures, subjects, classNames, scores, intersections = 1 } = input;
  const predictions = highestClasses(scores, classNames.length);
  const features = attributeSets(sensitiveFeatures.length, intersections);
  const groups = sensitiveFeatures.map((feature) => feature.groups);
  const accumulators = classNames.map((_, place) => {
    const accumulator = startAccumulator({ threshold: null, features, exactRows: Number.POSITIVE_INFINITY });
    const isClass = (values: ArrayLike<number>) =>
      Int32Array.from(values, (value) => (value === place ? 1 : 0));
    addChunk(accumulator, {
      labels: isClass(labels),
      groups,
      scores: Float64Array.from(labels, (_, row) => scores[row * classNames.length + place]!),
      predictions: isClass(predictions),
      weights: null,
      subjects: subjects ? codesOf(subjects) : null,
      strata: null,
    });
    return accumulator;
  });
  return finishClasses(
    accumulators,
    { labels: classNames, vocabularies: { attributes: sensitiveFeatures } },
    input,
  );
}

/** [N] place of the highest of K scores, the first of equal ones. */
export function highestClasses(scores: ArrayLike<number>, classes: number): Uint8Array {
  return Uint8Array.from({ length: scores.length / classes }, (_, row) => {
    let best = 0;
    for (let k = 1; k < classes; k += 1) {
      if (scores[row * classes + k]! > scores[row * classes + best]!) best = k;
    }
    return best;
  });
}
