import { describe, expect, it } from 'vitest';
import type { Columns } from '../../../core/data/columns.ts';
import { makeSampleReader } from '../../../core/data/samples.ts';
import { MISSING_GROUP, type Samples } from '../../../core/data/types.ts';

const columns: Columns = { label: 'y', sensitiveFeatures: ['sex'] };

/** Reads rows of cells whose first line is 2, as below a header. */
function collect(rows: readonly (readonly string[])[], given = columns): Samples {
  const reader = makeSampleReader('t.csv', given);
  rows.forEach((cells, index) => {
    reader.add({ line: index + 2, cells });
  });
  return reader.finish();
}

const groupsOf = (cells: readonly string[]) => {
  const feature = collect(cells.map((cell) => ['0', cell])).sensitiveFeatures[0]!;
  return { names: feature.groupNames, groups: [...feature.groups] };
};

describe('makeSampleReader', () => {
  it('collects every part that the columns name', () => {
    const reader = makeSampleReader('t.csv', {
      label: 'y',
      positiveLabel: 'ill',
      sensitiveFeatures: ['sex', 'site'],
      subject: 'patient',
      split: 'part',
    });
    expect(reader.columns).toEqual(['y', 'sex', 'site', 'patient', 'part']);
    reader.add({ line: 2, cells: ['ill', 'f', 'b', 'p1', 'train'] });
    reader.add({ line: 3, cells: ['well', 'm', 'a', 'p2', 'test'] });
    reader.add({ line: 4, cells: [' ill', 'f', 'a', 'p1 ', 'train'] });
    expect(reader.labelVocabulary).toEqual(['ill', 'well']);
    expect(reader.finish()).toEqual({
      size: 3,
      labels: Int32Array.of(1, 0, 1),
      sensitiveFeatures: [
        { name: 'sex', groupNames: ['f', 'm'], groups: Int32Array.of(0, 1, 0) },
        { name: 'site', groupNames: ['a', 'b'], groups: Int32Array.of(1, 0, 0) },
      ],
      subjects: ['p1', 'p2', 'p1'],
      splits: ['train', 'test', 'train'],
    });
  });

  it('leaves out what the columns do not name', () => {
    expect(Object.keys(collect([['1', 'f']]))).toEqual(['size', 'labels', 'sensitiveFeatures']);
  });

  it('takes a table of one class', () => {
    expect(
      collect([
        ['1', 'f'],
        ['1', 'm'],
      ]).labels,
    ).toEqual(Int32Array.of(1, 1));
  });

  it('sorts groups by code unit and puts missing values last', () => {
    expect(groupsOf(['b', '', 'é', 'B', ' b ', '  ', '~'])).toEqual({
      names: ['B', 'b', '~', 'é', MISSING_GROUP],
      groups: [1, 4, 3, 0, 1, 4, 2],
    });
  });

  it('keeps a feature without any value as one group', () => {
    expect(groupsOf(['', ''])).toEqual({ names: [MISSING_GROUP], groups: [0, 0] });
  });

  it('keeps groups apart that only look like one number as float64', () => {
    expect(groupsOf(['9007199254740993', '9007199254740992']).names).toHaveLength(2);
    expect(groupsOf(['1', '-1', '10', '0.1']).names).toHaveLength(4);
    expect(groupsOf(['0-29', '30-44', 'v1', 'v1.0']).names).toHaveLength(4);
  });

  it.each([
    ['1', '1.0'],
    ['01', '1'],
    ['+1', '1'],
    ['-0', '0'],
    ['.5', '0.50'],
    ['1000', '1e3'],
  ])('refuses %j and %j as two groups', (one, other) => {
    expect(() => groupsOf([one, other])).toThrow(
      expect.objectContaining({
        name: 'InvalidInputError',
        message: `t.csv, column "sex": expected one spelling per group, received ${[one, other]
          .sort()
          .map((text) => JSON.stringify(text))
          .join(' and ')} for one number`,
      }),
    );
  });

  it('takes a thousand groups and refuses one more', () => {
    const rows = Array.from({ length: 1000 }, (_, index) => ['0', `g${index}`]);
    expect(collect(rows).sensitiveFeatures[0]!.groupNames).toHaveLength(1000);
    expect(() => collect([...rows, ['0', 'more']])).toThrow(
      't.csv, column "sex": expected at most 1000 distinct values, received more (an identifier or a measurement?)',
    );
  });

  it('refuses a label column of identifiers before it is read to the end', () => {
    const rows = Array.from({ length: 1001 }, (_, index) => [`id${index}`, 'f']);
    expect(() => collect(rows)).toThrow(
      't.csv, column "y": expected at most 1000 distinct values, received more',
    );
  });

  it.each<[string, string[], string]>([
    ['an empty label', ['', 'f', 'p', 's'], 'column "y": expected a value, received an empty cell'],
    ['an empty subject', ['1', 'f', ' ', 's'], 'column "patient": expected a value, received an empty cell'],
    ['an empty split', ['1', 'f', 'p', ''], 'column "part": expected a value, received an empty cell'],
    [
      'a group called as the missing one',
      ['1', ' (missing)', 'p', 's'],
      'column "sex": expected a group, received "(missing)", which names the rows without one; leave the cell empty',
    ],
  ])('names the line of %s', (_, cells, sentence) => {
    const given = { ...columns, subject: 'patient', split: 'part' };
    expect(() => collect([['1', 'f', 'p', 's'], cells], given)).toThrow(
      expect.objectContaining({ name: 'InvalidInputError', message: `t.csv, line 3, ${sentence}` }),
    );
  });

  it('names the label column when its values need a positive label', () => {
    expect(() =>
      collect([
        ['no', 'f'],
        ['yes', 'm'],
      ]),
    ).toThrow(/^t\.csv, column "y": .* \(positiveLabel, --positive-label\)$/);
  });
});
