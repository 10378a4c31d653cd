import { InvalidInputError } from '../errors.ts';
import type { GroupMetrics, ReferenceGroup } from './types.ts';

/**
 * Which group the others are compared with: the largest, the one with the highest selection rate, or one by name.
 * Features that are not named have their largest group.
 */
export type ReferenceChoice = 'largest' | 'best' | Readonly<Record<string, string>>;

/** @throws InvalidInputError when a group was named of a feature that is not audited */
export function assertReferences(choice: ReferenceChoice, features: readonly string[]): void {
  const unknown = typeof choice === 'object' && Object.keys(choice).find((name) => !features.includes(name));
  if (typeof unknown !== 'string') return;
  throw new InvalidInputError(
    `reference: expected a feature of the audit (${features.map((name) => `"${name}"`).join(', ')}), received "${unknown}"`,
    { where: 'reference', sensitiveFeature: unknown },
  );
}

/**
 * @returns null where no group has rows
 * @throws InvalidInputError when the group that was named is not there
 */
export function referenceOf(
  sensitiveFeature: string,
  groups: readonly GroupMetrics[],
  choice: ReferenceChoice,
): ReferenceGroup | null {
  const named =
    typeof choice === 'object' && Object.hasOwn(choice, sensitiveFeature)
      ? choice[sensitiveFeature]
      : undefined;
  if (named !== undefined) {
    if (groups.some(({ group }) => group === named)) return { group: named, rule: 'named' };
    throw new InvalidInputError(
      `reference group of ${sensitiveFeature}: expected one of its ${groups.length} groups, received "${named}"`,
      { where: 'reference', sensitiveFeature },
    );
  }
  const rule = choice === 'best' ? 'best' : 'largest';
  const sizeOf = (group: GroupMetrics) =>
    rule === 'best' ? (group.rates.selectionRate.value ?? -1) : group.support;
  const withRows = groups.filter(({ support }) => support > 0);
  const first = withRows.reduce<GroupMetrics | null>(
    (best, group) => (best === null || sizeOf(group) > sizeOf(best) ? group : best),
    null,
  );
  return first && { group: first.group, rule };
}
