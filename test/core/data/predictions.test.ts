import { describe, expect, it } from 'vitest';
import { isTooLong, openPredictions, type PredictionsRequest } from '../../../core/data/predictions.ts';
import { InvalidInputError } from '../../../core/errors.ts';
import type { AuditChunk } from '../../../core/fairness/accumulator.ts';
import { useTempFolder } from '../../helpers/files.ts';

const folder = useTempFolder();
const base = { label: 'y', sensitiveFeatures: ['sex'] };

/** All rows as one chunk, or one of each class, groups by name. */
async function read(content: string, columns: object, change: Partial<PredictionsRequest> = {}) {
  const path = await folder.write('table.csv', content);
  const source = await openPredictions({ path, columns: { ...base, ...columns }, ...change });
  const chunks: AuditChunk[][] = [];
  for await (const each of source.chunks()) {
    each.forEach((chunk, place) => {
      chunks[place] ??= [];
      chunks[place].push(chunk);
    });
  }
  const { vocabularies, input } = source.finish();
  const joined = chunks.map((parts) => ({
    labels: parts.flatMap(({ labels }) => [...labels]),
    predictions: parts.flatMap(({ predictions }) => [...(predictions ?? [])]),
    scores: parts.flatMap(({ scores }) => [...(scores ?? [])]),
    weights: parts.flatMap(({ weights }) => [...(weights ?? [])]),
    subjects: parts.flatMap(({ subjects }) => [...(subjects ?? [])]),
    strata: parts.flatMap(({ strata }) => [...(strata ?? [])]),
    groups: vocabularies.attributes.map(({ groupNames }, place) =>
      parts.flatMap(({ groups }) => Array.from(groups[place]!, (code) => groupNames[code])),
    ),
  }));
  const order = vocabularies.attributes.map(({ groupNames, order: codes }) =>
    codes!.map((code) => groupNames[code]),
  );
  return { path, all: joined[0]!, perClass: joined, classes: source.classes, order, vocabularies, input };
}

describe('openPredictions', () => {
  it('reads labels, scores and groups; rows without a group are one of their own, the last', async () => {
    const { all, order, input } = await read('id,y,sex,p\n7,1,m,0.25\n8,0,,1\n9,1,f,1e-3\n', { score: 'p' });
    expect(all).toEqual({
      labels: [1, 0, 1],
      scores: [0.25, 1, 1e-3],
      predictions: [],
      weights: [],
      subjects: [],
      strata: [],
      groups: [['m', '(missing)', 'f']],
    });
    expect(order).toEqual([['f', 'm', '(missing)']]);
    expect(input).toEqual({
      rows: 3,
      audited: 3,
      missing: [{ sensitiveFeature: 'sex', rows: 1 }],
      bins: [],
    });
  });

  it('reads weights, subjects and strata', async () => {
    const columns = { score: 'p', weight: 'w', subject: 's', stratum: 'd' };
    const { all, vocabularies } = await read(
      'y,sex,p,w,s,d\n1,f,0,2,a,x\n0,m,1,0.5,b,y\n1,m,1,0,a,x\n',
      columns,
    );
    expect(all).toMatchObject({ weights: [2, 0.5, 0], subjects: [0, 1, 0], strata: [0, 1, 0] });
    expect(vocabularies.strata).toEqual(['x', 'y']);
  });

  it('checks each of many subjects', async () => {
    const rows = Array.from({ length: 200 }, (_, row) => `1,f,1,s${row}\n`);
    const columns = { prediction: 'p', subject: 's' };
    const { all } = await read(`y,sex,p,s\n${rows.join('')}`, columns);
    expect(all!.subjects.at(-1)).toBe(199);
    rows[150] = '1,f,1, \n';
    await expect(read(`y,sex,p,s\n${rows.join('')}`, columns)).rejects.toThrow('line 152, column "s"');
  });

  it('keeps the rows of one split, and the groups of all', async () => {
    const table = 'y,sex,p,part,w,s,d\n1,f,0,a,1,u,x\n0,m,1,b,2,v,x\n1,f,1,a,3,w,x\n';
    const columns = { score: 'p', split: 'part', weight: 'w', subject: 's', stratum: 'd' };
    const { all, order, input } = await read(table, columns, { only: 'a' });
    expect(all).toMatchObject({
      labels: [1, 1],
      scores: [0, 1],
      weights: [1, 3],
      subjects: [0, 2],
      strata: [0, 0],
    });
    expect(order).toEqual([['f', 'm']]);
    expect(input).toMatchObject({ rows: 3, audited: 2 });
    await expect(read(table, columns, { only: 'c' })).rejects.toThrow(
      'only "c": expected a split with rows, received none among 3',
    );
    await expect(read(table, { score: 'p' }, { only: 'a' })).rejects.toThrow(
      'only: expected a column of splits',
    );
  });

  it('divides numbers by edges and by quantiles, and says where', async () => {
    const rows = [10, 20, 30, 40, '', 60].map((age, row) => `${row % 2},0.5,${age},${row}\n`);
    const columns = {
      score: 'p',
      sensitiveFeatures: ['age', 'n'],
      bins: { age: { edges: [18, 40] }, n: { quantiles: 2 } },
    };
    const { all, order, input } = await read(`y,p,age,n\n${rows.join('')}`, columns);
    expect(all.groups).toEqual([
      ['< 18', '18 to < 40', '18 to < 40', '>= 40', '(missing)', '>= 40'],
      ['< 3', '< 3', '< 3', '>= 3', '>= 3', '>= 3'],
    ]);
    expect(order[0]).toEqual(['< 18', '18 to < 40', '>= 40', '(missing)']);
    expect(input.bins).toEqual([
      { sensitiveFeature: 'age', rule: 'edges', edges: [18, 40], isExact: true },
      { sensitiveFeature: 'n', rule: 'quantiles', edges: [3], isExact: true },
    ]);
    expect(input.missing).toEqual([{ sensitiveFeature: 'age', rows: 1 }]);
  });

  it('takes sensitive features from a second table, whose unused groups do not count', async () => {
    const path = await folder.write('people.csv', 'id,race,age\n1,a,20\n2,b,60\n3,c,70\n');
    const columns = {
      score: 'p',
      sensitiveFeatures: ['race', 'sex', 'age'],
      bins: { age: { quantiles: 2 } },
    };
    const join = { path, id: 'id', conflicts: 'refuse' } as const;
    const { all, order, input } = await read('id,y,sex,p\n2,1,f,0\n1,0,m,1\n2,0,f,1\n4,0,f,1\n', columns, {
      join,
    });
    expect(all.groups).toEqual([
      ['b', 'a', 'b', '(missing)'],
      ['f', 'm', 'f', 'f'],
      ['< 70', '< 70', '< 70', '(missing)'],
    ]);
    expect(order[0]).toEqual(['a', 'b', '(missing)']);
    expect(input.join).toEqual({
      id: 'id',
      matched: 3,
      unmatched: 1,
      duplicate: 0,
      conflicting: 0,
      unused: 1,
    });
    expect(input.missing).toEqual([
      { sensitiveFeature: 'race', rows: 1 },
      { sensitiveFeature: 'age', rows: 1 },
    ]);
    const twice = await folder.write('both.csv', 'id,sex\n1,f\n');
    await expect(read('id,y,sex,p\n1,1,f,0\n', columns, { join: { ...join, path: twice } })).rejects.toThrow(
      'expected each sensitive feature in one of the two tables, received column "sex" in both',
    );
    const none = await folder.write('none.csv', 'id,x\n1,f\n');
    await expect(read('id,y,sex,p\n1,1,f,0\n', columns, { join: { ...join, path: none } })).rejects.toThrow(
      'expected a column of a sensitive feature, received none of "race", "sex", "age"',
    );
  });

  it.each([
    ['as numbers', 'id,age\n1,30\n1.0,40\n', 'people.csv, column "id": expected one spelling per identifier'],
    ['as numbers of no plain spelling', 'id,age\n01,30\n1.0,40\n', 'expected one spelling per identifier'],
    ['from all of the first table', 'id,age\n8,30\n9,40\n', 'received none of those of 1 rows'],
  ])('refuses identifiers of the second table that differ %s', async (_, people, message) => {
    const path = await folder.write('people.csv', people);
    const columns = { prediction: 'p', sensitiveFeatures: ['age'] };
    const join = { path, id: 'id', conflicts: 'refuse' } as const;
    await expect(read('id,y,p\n1,1,1\n', columns, { join })).rejects.toThrow(message);
  });

  it('matches names and identifiers whatever blanks are around them', async () => {
    const path = await folder.write('people.csv', ' id , age\n1 ,30\n 2,40\n');
    const columns = { prediction: 'p', sensitiveFeatures: ['age'] };
    const join = { path, id: 'id', conflicts: 'refuse' } as const;
    const { all } = await read('id,y,p\n1,1,1\n2,0,1\n', columns, { join });
    expect(all.groups).toEqual([['30', '40']]);
  });

  it('tells of each pass over a table how far it is, and stops when asked to', async () => {
    const people = await folder.write('people.csv', 'id,age\n1,30\n2,40\n');
    const passes: [string, number[]][] = [];
    const stop = new AbortController();
    const onPass = (path: string) => {
      const shares: number[] = [];
      passes.push([path, shares]);
      return (share: number) => shares.push(share);
    };
    const table = 'id,y,sex,p\n1,1,f,1\n2,0,m,0\n';
    const columns = {
      prediction: 'p',
      sensitiveFeatures: ['sex', 'age'],
      bins: { age: { quantiles: 2 } },
    };
    const change = { join: { path: people, id: 'id', conflicts: 'refuse' } as const };
    const { path } = await read(table, columns, { ...change, hooks: { onPass } });
    // of the second table quantiles, then the features
    expect(passes).toEqual([
      [people, [1]],
      [people, [1]],
      [path, [1]],
    ]);
    stop.abort();
    await expect(read(table, columns, { ...change, hooks: { signal: stop.signal } })).rejects.toThrow(
      'reading a table was stopped',
    );
  });

  it('stops at more rows than were asked for', async () => {
    const error = await read('y,sex,p\n1,f,0\n0,m,1\n', { score: 'p' }, { mostRows: 1 }).catch((e) => e);
    expect(error).toBeInstanceOf(InvalidInputError);
    expect(isTooLong(error)).toBe(true);
    expect(isTooLong(new InvalidInputError('x'))).toBe(false);
  });

  it.each([
    ['', 'an empty cell'],
    ['nan', 'NaN'],
    ['inf', 'an infinity'],
    ['1.01', 'a number above 1'],
    ['-0.01', 'a number below 0'],
    ['high', 'text of 4 characters'],
  ])('refuses the score %j', async (cell, received) => {
    await expect(read(`y,sex,p\n1,f,0.5\n0,m,${cell}\n`, { score: 'p' })).rejects.toThrow(
      `table.csv, line 3, column "p": expected a score in [0, 1], received ${received}`,
    );
  });

  it.each<[string, string, object, string]>([
    [
      'an empty label',
      'y,sex,p\n1,f,1\n,m,1\n',
      {},
      'line 3, column "y": expected a value, received an empty cell',
    ],
    ['three labels', 'y,sex,p\n1,f,1\n0,f,1\n2,m,1\n', {}, 'expected two labels'],
    ['a group of the missing', 'y,sex,p\n1,(missing),1\n', {}, 'line 2, column "sex": expected a group'],
    ['two spellings', 'y,sex,p\n1,1,1\n1,1.0,1\n', {}, 'column "sex": expected one spelling per group'],
    ...[
      ['-1', 'a number below 0'],
      ['1e101', 'a number above 1e+100'],
      ['1e-101', 'a number below 1e-100'],
    ].map(([weight, received]): [string, string, object, string] => [
      `the weight ${weight}`,
      `y,sex,p,w\n1,f,1,0\n1,f,1,1e100\n1,f,1,${weight}\n`,
      { weight: 'w' },
      `line 4, column "w": expected a weight, 0 or a number from 1e-100 to 1e+100, received ${received}`,
    ]),
    ['an empty subject', 'y,sex,p,s\n1,f,1,\n', { subject: 's' }, 'line 2, column "s": expected a value'],
    [
      'too many groups',
      `y,sex,p\n${Array.from({ length: 1001 }, (_, row) => `1,g${row},1\n`).join('')}`,
      {},
      'expected at most 1000 distinct values, received more',
    ],
    [
      'one value to divide',
      'y,sex,p\n1,5,1\n0,5,1\n',
      { bins: { sex: { quantiles: 2 } } },
      'expected two distinct numbers at least, to divide by quantiles, received fewer',
    ],
    [
      'text to divide',
      'y,sex,p\n1,f,1\n',
      { bins: { sex: { edges: [1] } } },
      'line 2, column "sex": expected a number, since the column has bins, received text of 1 character',
    ],
  ])('refuses %s', async (_, content, columns, message) => {
    await expect(read(content, { prediction: 'p', ...columns })).rejects.toThrow(message);
  });
});
