import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { AUDIT_DEFAULTS } from '../../../core/fairness/audit-defaults.ts';
import {
  type AuditOptionFlags,
  addGroupOptions,
  addTableOptions,
  auditOptions,
  columnChoices,
  joinRequest,
  tableFlags,
} from '../../../worker/commands/audit-options.ts';

function flagsOf(...args: string[]): AuditOptionFlags {
  const command = addTableOptions(addGroupOptions(new Command().exitOverride()));
  return command.parse(args, { from: 'user' }).opts<AuditOptionFlags>();
}

describe('the options of an audit', () => {
  it('are those of the library when no flag is given', () => {
    const { reference, ...defaults } = AUDIT_DEFAULTS;
    expect(auditOptions(flagsOf())).toEqual(defaults);
    expect(tableFlags(flagsOf())).toEqual([]);
    expect(joinRequest(flagsOf())).toBeUndefined();
  });

  it('take what the flags say', () => {
    const flags = flagsOf(
      ...['--level', '0.9', '--replicates', '0', '--seed', '7', '--sensitivity', '0.95'],
      ...['--min-group', '5', '--min-positives', '6', '--min-negatives', '7', '--small-groups', 'merge'],
    );
    expect(auditOptions(flags)).toEqual({
      level: 0.9,
      replicates: 0,
      seed: 7,
      sensitivity: 0.95,
      minSupport: { group: 5, positives: 6, negatives: 7, action: 'merge' },
    });
  });

  it.each([
    [['best'], 'best'],
    [['largest'], 'largest'],
    [['sex=f', 'race=A=B'], { sex: 'f', 'race=A': 'B' }],
  ])('compare with the reference %j', (choice, reference) => {
    expect(auditOptions(flagsOf('--reference', ...choice)).reference).toEqual(reference);
  });

  it('name columns', () => {
    const flags = flagsOf('--weight', 'w', '--class-scores', 'a=pa', 'b=pb', '--bins', 'age:18,65');
    expect(columnChoices(flags)).toMatchObject({
      weight: 'w',
      classScores: { a: 'pa', b: 'pb' },
      bins: { age: { edges: [18, 65] } },
    });
    expect(tableFlags(flags)).toEqual(['--weight', '--class-scores', '--bins']);
  });

  it('join a second table', () => {
    const flags = flagsOf(
      '--join',
      'people.csv',
      '--id',
      'case',
      '--other-id',
      'no',
      '--join-conflicts',
      'first',
    );
    expect(joinRequest(flags)).toEqual({ path: 'people.csv', id: 'case', otherId: 'no', conflicts: 'first' });
  });

  it.each<[string[], RegExp]>([
    [['--level', '1'], /--level.*: expected a number above 0 and below 1/],
    [['--level', 'NaN'], /--level/],
    [['--replicates', '-1'], /--replicates.*: expected a whole number/],
    [['--intersections', '1.5'], /--intersections/],
    [['--reference', 'sex='], /--reference: expected name=value/],
    [['--class-scores', 'pa'], /--class-scores: expected name=value/],
    [['--join', 'people.csv'], /--join: expected --id as well/],
    [['--id', 'case'], /--id: expected --join as well/],
    [['--other-id', 'no'], /--other-id: expected --join as well/],
    [['--join', 'people.csv', '--other-id', 'no'], /--join: expected --id as well/],
  ])('refuse %j', (args, message) => {
    expect(() => {
      const flags = flagsOf(...args);
      auditOptions(flags);
      columnChoices(flags);
      joinRequest(flags);
    }).toThrow(message);
  });
});
