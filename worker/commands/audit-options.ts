import type { Command } from 'commander';
import { Option } from 'commander';
import type { ColumnChoices } from '../../core/data/columns.ts';
import { parseBins } from '../../core/data/groups/bins.ts';
import type { JoinRequest } from '../../core/data/groups/join.ts';
import { InvalidInputError } from '../../core/errors.ts';
import { AUDIT_DEFAULTS, type AuditOptions } from '../../core/fairness/audit-defaults.ts';
import type { ReferenceChoice } from '../../core/fairness/reference-group.ts';
import type { MinSupport } from '../../core/fairness/types.ts';
import { setFlags } from './data-options.ts';

/** Flags that say how groups are formed and how sure the figures are to be. */
export interface AuditOptionFlags {
  readonly weight?: string;
  readonly stratum?: string;
  readonly classes?: string[];
  readonly classScores?: string[];
  readonly bins?: string[];
  readonly join?: string;
  readonly id?: string;
  readonly otherId?: string;
  readonly joinConflicts: JoinRequest['conflicts'];
  readonly intersections: number;
  readonly reference?: string[];
  readonly minGroup?: number;
  readonly minPositives?: number;
  readonly minNegatives?: number;
  readonly smallGroups: MinSupport['action'];
  readonly level: number;
  readonly replicates: number;
  readonly seed: number;
  readonly sensitivity: number;
}

/** Columns that only a table of predictions has. */
export function addTableOptions(command: Command): Command {
  return command
    .option('--weight <column>', 'column with how much a row counts')
    .option('--stratum <column>', 'column within which rows are compared as well (department, site)')
    .option('--classes <label...>', 'more than two classes: their labels (with --prediction)')
    .option('--class-scores <class=column...>', 'more than two classes: the column with the score of each')
    .option('--join <table>', 'second table that holds sensitive features')
    .option('--id <column>', 'column that identifies a row in both tables (with --join)')
    .option('--other-id <column>', 'its name in the second table, where it is another one')
    .addOption(
      new Option('--join-conflicts <action>', 'what becomes of an id with several values')
        .choices(['refuse', 'first', 'missing'] satisfies JoinRequest['conflicts'][])
        .default('refuse'),
    )
    .option('--bins <column:rule...>', 'groups of a number: edges (age:18,40,65) or quantiles (age:q4)');
}

export function addGroupOptions(command: Command): Command {
  const { minSupport, level, replicates, seed, sensitivity } = AUDIT_DEFAULTS;
  const count = (flags: string, words: string, usual: number) => {
    const option = new Option(flags, words).default(usual);
    return option.argParser(wholeNumber(option.long!));
  };
  return command
    .optionsGroup('Groups:')
    .addOption(count('--intersections <depth>', 'sensitive features that are combined at most', 1))
    .option(
      '--reference <choice...>',
      'group that others are compared with: largest (default), best, or feature=group',
    )
    .addOption(count('--min-group <rows>', 'fewer rows make a group small', minSupport.group))
    .addOption(count('--min-positives <rows>', 'fewer positives make a group small', minSupport.positives))
    .addOption(count('--min-negatives <rows>', 'fewer negatives make a group small', minSupport.negatives))
    .addOption(
      new Option('--small-groups <action>', 'what becomes of small groups')
        .choices(['mark', 'merge', 'refuse'])
        .default('mark'),
    )
    .optionsGroup('Uncertainty:')
    .addOption(new Option('--level <share>', 'of every interval').argParser(share('--level')).default(level))
    .addOption(count('--replicates <number>', 'draws of every bootstrap, 0 for none', replicates))
    .addOption(count('--seed <number>', 'of all draws', seed))
    .addOption(
      new Option('--sensitivity <share>', 'at which specificity is measured')
        .argParser(share('--sensitivity'))
        .default(sensitivity),
    );
}

function wholeNumber(flag: string): (text: string) => number {
  return (text) => {
    if (/^\d{1,9}$/.test(text)) return Number(text);
    throw new InvalidInputError(`${flag}: expected a whole number from 0, received "${text}"`, { flag });
  };
}

function share(flag: string): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (value > 0 && value < 1) return value;
    throw new InvalidInputError(`${flag}: expected a number above 0 and below 1, received "${text}"`, {
      flag,
    });
  };
}

/** Flags of `addTableOptions` that are set, to refuse them where there is no table of predictions. */
export function tableFlags(flags: AuditOptionFlags): string[] {
  const { weight, stratum, classes, classScores, bins, join, id, otherId } = flags;
  return setFlags({
    weight,
    stratum,
    classes,
    'class-scores': classScores,
    bins,
    join,
    id,
    'other-id': otherId,
  });
}

export function columnChoices({
  weight,
  stratum,
  classes,
  classScores,
  bins,
}: AuditOptionFlags): ColumnChoices {
  return {
    weight,
    stratum,
    classes,
    ...(classScores && { classScores: pairs('--class-scores', classScores) }),
    ...(bins && { bins: parseBins(bins) }),
  };
}

/** @throws InvalidInputError when one of `--join` and `--id` is missing */
export function joinRequest({ join, id, otherId, joinConflicts }: AuditOptionFlags): JoinRequest | undefined {
  if (join === undefined && id === undefined && otherId === undefined) return undefined;
  if (join === undefined || id === undefined) {
    const given = id === undefined ? '--other-id' : '--id';
    const [there, missing] = join === undefined ? [given, '--join'] : ['--join', '--id'];
    throw new InvalidInputError(`${there}: expected ${missing} as well, received none`, { flag: missing });
  }
  return { path: join, id, conflicts: joinConflicts, ...(otherId !== undefined && { otherId }) };
}

export function auditOptions(flags: AuditOptionFlags): AuditOptions {
  const { level, replicates, seed, sensitivity, reference } = flags;
  const { minGroup, minPositives, minNegatives, smallGroups: action } = flags;
  return {
    level,
    replicates,
    seed,
    sensitivity,
    minSupport: { group: minGroup!, positives: minPositives!, negatives: minNegatives!, action },
    ...(reference && { reference: referenceChoice(reference) }),
  };
}

function referenceChoice(choices: readonly string[]): ReferenceChoice {
  const [only] = choices;
  if (choices.length === 1 && (only === 'largest' || only === 'best')) return only;
  return pairs('--reference', choices);
}

/** `a=b c=d`; a name may hold an equals sign, a value may not. */
function pairs(flag: string, texts: readonly string[]): Record<string, string> {
  const entries = texts.map((text) => {
    const at = text.lastIndexOf('=');
    if (at > 0 && at < text.length - 1) return [text.slice(0, at), text.slice(at + 1)] as const;
    throw new InvalidInputError(`${flag}: expected name=value, received "${text}"`, { flag });
  });
  return Object.fromEntries(entries);
}
