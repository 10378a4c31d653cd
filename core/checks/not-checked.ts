import type { NormalizationDistance } from './normalization-distance.ts';
import type { CheckedSet } from './sets.ts';

interface Looked {
  readonly parts: readonly CheckedSet[];
  readonly test: CheckedSet | null;
  readonly distance: NormalizationDistance | null;
}

/** What the data or the model did not allow to look at, a sentence each: not found is not the same as not there. */
export function notChecked({ parts, test, distance }: Looked): string[] {
  const hasSubjects = parts.every(({ samples }) => samples.subjects !== undefined);
  return [
    ...(test === null
      ? ['Test data: there is none, so nothing was compared with it, and figures of a run are optimistic.']
      : []),
    ...(hasSubjects
      ? []
      : ['Subjects: the table names none, so rows of one subject may lie in two parts, unnoticed.']),
    ...(distance === null
      ? [
          'Distance from training: the model has no batch normalisation that remembers its training, or there are too few rows.',
        ]
      : []),
  ];
}
