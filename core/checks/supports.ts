import { plural } from '../data/cells.ts';
import { cellCounts } from '../data/split.ts';
import { MISSING_GROUP } from '../data/types.ts';
import { smallestDetectable } from '../fairness/statistics/power.ts';
import type { SensitiveFeature } from '../fairness/types.ts';
import type { CheckedData, CheckedSet } from './sets.ts';
import type { Finding } from './types.ts';
import { groupText, isAre, percentText } from './words.ts';

/** Rows of a cell below which a rate is too coarse to be judged: one row moves it by more than 0.033. */
const SMALL_AUDITED_CELL = 30;
/** Rows of a cell below which a gap in training or selection is mostly noise. */
const SMALL_TRAINING_CELL = 10;
/** Cells that one sentence names. */
const MOST_NAMED = 6;
/** Share of rows without a group from which they may hold another picture than the rest. */
const MANY_MISSING = 0.05;
const POWER = { level: 0.95, power: 0.8 } as const;

/** Support of one (group, label) cell of one part. */
export interface CellSupport {
  readonly part: string;
  readonly isTest: boolean;
  readonly sensitiveFeature: string;
  readonly group: string;
  readonly label: 0 | 1;
  readonly support: number;
}

/** Smallest gap of a rate between two groups that a part can show with power 0.8 at level 0.95. */
export interface Reach {
  readonly part: string;
  readonly sensitiveFeature: string;
  readonly rate: 'truePositiveRate' | 'falsePositiveRate';
  /** The two groups that it is largest for. */
  readonly groups: readonly [string, string];
  /** Null when no gap at all could be shown. */
  readonly gap: number | null;
}

export function cellSupports({ parts }: CheckedData): CellSupport[] {
  return parts.flatMap((part) => part.samples.sensitiveFeatures.flatMap((feature) => cellsOf(part, feature)));
}

function cellsOf({ name, isTest, samples }: CheckedSet, feature: SensitiveFeature): CellSupport[] {
  const counts = cellCounts(samples.labels, feature.groups, {
    groupCount: feature.groupNames.length,
    labelCount: 2,
  });
  return feature.groupNames.flatMap((group, index) =>
    ([0, 1] as const).map((label) => ({
      part: name,
      isTest,
      sensitiveFeature: feature.name,
      group,
      label,
      support: counts[index * 2 + label]!,
    })),
  );
}

/** At rates of one half, where rates vary most: at others, smaller gaps show. */
export function reachOf(cells: readonly CellSupport[]): Reach[] {
  const named = cells.filter(({ group }) => group !== MISSING_GROUP);
  const keys = [
    ...new Set(named.map(({ part, sensitiveFeature }) => JSON.stringify([part, sensitiveFeature]))),
  ];
  return keys.flatMap((key) =>
    ([1, 0] as const).flatMap((label) => {
      const own = named.filter(
        (cell) => cell.label === label && JSON.stringify([cell.part, cell.sensitiveFeature]) === key,
      );
      const [smallest, second] = [...own].sort((a, b) => a.support - b.support);
      if (smallest === undefined || second === undefined) return [];
      const [first, other] = [smallest, second].map(({ support }) => ({ numerator: support / 2, support }));
      const gap = smallestDetectable(first!, other!, POWER);
      const { part, sensitiveFeature } = smallest;
      const rate = label === 1 ? ('truePositiveRate' as const) : ('falsePositiveRate' as const);
      return [{ part, sensitiveFeature, rate, groups: [smallest.group, second.group] as const, gap }];
    }),
  );
}

/**
 * Groups, classes and cells that are absent or small, and rows without a group.
 *
 * Unfit: fewer than two groups that have both labels where weights are tuned and where they are chosen. Further groups
 * that lack one are left out of what is lowered, which is a reason for care.
 */
export function supportFindings(data: CheckedData, cells: readonly CellSupport[]): Finding[] {
  return data.parts[0]!.samples.sensitiveFeatures.flatMap(({ name }) => {
    const own = cells.filter(({ sensitiveFeature }) => sensitiveFeature === name);
    const named = own.filter(({ group }) => group !== MISSING_GROUP);
    const isMitigated = data.mitigated.includes(name);
    const parts = data.parts.map((part) => named.filter((cell) => cell.part === part.name));
    const groups = groupFindings(name, named, isMitigated);
    return [
      ...groups,
      ...missingFindings(name, own, isMitigated ? data.withoutGroup : 0),
      ...parts.flatMap((part) => cellFindings(part, isMitigated)),
    ];
  });
}

const sum = (cells: readonly CellSupport[]): number => cells.reduce((all, { support }) => all + support, 0);

/** Groups that have rows of both labels, in each of the parts. */
function wholeGroups(cells: readonly CellSupport[]): string[] {
  const groups = [...new Set(cells.map(({ group }) => group))];
  return groups.filter((group) => cells.every((cell) => cell.group !== group || cell.support > 0));
}

function groupFindings(feature: string, cells: readonly CellSupport[], isMitigated: boolean): Finding[] {
  const groups = [...new Set(cells.map(({ group }) => group))];
  if (groups.length < 2) {
    return [
      {
        code: 'one-group',
        severity: isMitigated ? 'unfit' : 'care',
        reason: `The feature ${feature} has ${groups.length === 0 ? 'no group' : 'one group only'} among ${plural(sum(cells), 'row')}: a disparity needs two.`,
        repair: 'Collect rows of a second group, or name another sensitive feature.',
      },
    ];
  }
  const labelsOf = (group: string) => cells.filter((cell) => cell.group === group && cell.support > 0);
  const torn = groups.filter((group) => new Set(labelsOf(group).map(({ label }) => label)).size === 1);
  const isUnfit = isMitigated && groups.length - torn.length < 2;
  return torn.map((group) => {
    const { label } = labelsOf(group)[0]!;
    return {
      code: 'one-class-group',
      severity: isUnfit ? 'unfit' : 'care',
      reason: `All ${sum(labelsOf(group))} rows of ${groupText(feature, group)} have label ${label}: its ${label === 1 ? 'false' : 'true'} positive rate does not exist.`,
      repair: `Collect rows of ${groupText(feature, group)} with label ${1 - label}, or leave the group out.`,
    };
  });
}

function missingFindings(feature: string, cells: readonly CellSupport[], left: number): Finding[] {
  const missing = left + sum(cells.filter(({ group }) => group === MISSING_GROUP));
  const share = missing / Math.max(1, left + sum(cells));
  if (share < MANY_MISSING) return [];
  return [
    {
      code: 'missing-groups',
      severity: 'care',
      reason: `${missing} rows (${percentText(share)}) have no value of ${feature}: they train nothing, and a gap that they are part of stays unseen.`,
      repair: `Fill in ${feature} for these rows, or find out why it is absent: values are seldom missing by chance.`,
    },
  ];
}

/** Empty and small cells of one part and feature, each kind in one finding. */
function cellFindings(cells: readonly CellSupport[], isMitigated: boolean): Finding[] {
  const [first] = cells;
  if (first === undefined) return [];
  const { isTest } = first;
  const least = isTest ? SMALL_AUDITED_CELL : SMALL_TRAINING_CELL;
  const small = cells.filter((cell) => cell.support < least);
  const empty = small.filter(({ support }) => support === 0);
  const isUnfit = isMitigated && !isTest && wholeGroups(cells).length < 2;
  return [
    ...cellFinding('empty-cell', isUnfit ? 'unfit' : 'care', { cells: empty, least }),
    ...cellFinding('small-cell', 'care', { cells: small.filter(({ support }) => support > 0), least }),
  ];
}

function cellFinding(
  code: 'empty-cell' | 'small-cell',
  severity: Finding['severity'],
  { cells, least }: { readonly cells: readonly CellSupport[]; readonly least: number },
): Finding[] {
  const [first] = cells;
  if (first === undefined) return [];
  const named = cells
    .slice(0, MOST_NAMED)
    .map(({ group, label, support }) => `"${group}" with label ${label}: ${support}`);
  const more = cells.length > MOST_NAMED ? `; and ${cells.length - MOST_NAMED} more` : '';
  const need = first.isTest ? 'to judge a rate' : 'to learn from its gap';
  return [
    {
      code,
      severity,
      reason: `In the ${first.part} part, ${plural(cells.length, 'cell')} of ${first.sensitiveFeature} and label ${isAre(cells.length)} ${code === 'empty-cell' ? 'empty' : 'small'} (rows of ${named.join('; ')}${more}), where ${least} are needed ${need}.`,
      repair: `Collect at least ${cells.map(({ support }) => least - support).reduce((a, b) => Math.max(a, b))} more rows of each of these cells.`,
    },
  ];
}
