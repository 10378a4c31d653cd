import { plural } from '../data/cells.ts';
import { MISSING_GROUP } from '../data/types.ts';
import { type CheckedSet, joinSets } from './sets.ts';
import type { Finding } from './types.ts';
import { isAre } from './words.ts';

/** Where more subjects than this share change their group, it is one that changes from row to row (view, age). */
const MOST_MISTAKES = 0.2;

/** Subjects in more than one part, and subjects with more than one group. */
export function subjectFindings(parts: readonly CheckedSet[]): Finding[] {
  if (parts.some(({ samples }) => samples.subjects === undefined)) return [];
  return [...overlapFindings(parts), ...conflictFindings(joinSets('all', parts))];
}

function overlapFindings(parts: readonly CheckedSet[]): Finding[] {
  return parts.flatMap((part, index) =>
    // two test sets may share subjects: neither teaches the model anything
    parts.slice(index + 1).flatMap((other) => {
      if (part.isTest && other.isTest) return [];
      const own = new Set(part.samples.subjects);
      const shared = new Set(other.samples.subjects!.filter((subject) => own.has(subject)));
      if (shared.size === 0) return [];
      return [
        {
          code: 'subject-overlap',
          severity: 'unfit' as const,
          reason: `${plural(shared.size, 'subject')} ${isAre(shared.size)} in both the ${part.name} and the ${other.name} part: figures on ${other.name} would be those of rows that were learnt.`,
          repair: 'Split by subject: all rows of one subject belong into one split.',
        },
      ];
    }),
  );
}

function conflictFindings({ samples }: CheckedSet): Finding[] {
  return samples.sensitiveFeatures.flatMap(({ name, groupNames, groups }) => {
    const groupsOf = new Map<string, number[]>();
    samples.subjects!.forEach((subject, row) => {
      if (groupNames[groups[row]!] === MISSING_GROUP) return;
      groupsOf.set(subject, [...(groupsOf.get(subject) ?? []), groups[row]!]);
    });
    const repeated = [...groupsOf.values()].filter((own) => own.length > 1);
    const torn = repeated.filter((own) => new Set(own).size > 1).length;
    if (torn === 0 || torn > repeated.length * MOST_MISTAKES) return [];
    return [
      {
        code: 'subject-groups',
        severity: 'care' as const,
        reason: `${plural(torn, 'subject')} of ${repeated.length} with more than one row ${torn === 1 ? 'has' : 'have'} more than one value of ${name}.`,
        repair: `Find out which value of ${name} is right.`,
      },
    ];
  });
}
