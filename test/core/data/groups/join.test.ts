import { describe, expect, it } from 'vitest';
import { makeVocabulary } from '../../../../core/data/column-builder.ts';
import { type JoinRequest, loadJoin } from '../../../../core/data/groups/join.ts';
import { useTempFolder } from '../../../helpers/files.ts';

const folder = useTempFolder();
const AGE = { name: 'age', expected: 'a number', min: 0, max: 200, isOptional: true };

async function load(content: string, change: Partial<JoinRequest> = {}, name = 'people.csv') {
  const path = await folder.write(name, content);
  const sex = makeVocabulary();
  const features = { texts: [{ name: 'sex', vocabulary: sex }], numbers: [AGE] };
  const table = await loadJoin({ path, id: 'id', conflicts: 'refuse', ...change }, features);
  return {
    table,
    of: (id: string) => {
      const entry = table.ids.codeOf(id);
      return [sex.texts[table.texts[0]![entry]!], table.numbers[0]![entry]];
    },
  };
}

describe('loadJoin', () => {
  it('finds what the table says of an identifier, missing where it says nothing', async () => {
    const { of } = await load('id,sex,age\n7,f,30\n8,,\n 9 ,m,50\n');
    expect(of('7')).toEqual(['f', 30]);
    expect(of(' 9')).toEqual(['m', 50]);
    expect(of('8')).toEqual(['', Number.NaN]);
    expect(of('10')).toEqual(['', Number.NaN]);
    expect(of('')).toEqual(['', Number.NaN]);
  });

  it('counts matched, unmatched, duplicate and unused ones', async () => {
    const { table } = await load('person,sex,age\n7,f,30\n8,m,\n7,f,30\n8,m,\n9,m,1\n', {
      otherId: 'person',
    });
    table.match(Int32Array.from(['7', '7', '3', '8'], table.ids.codeOf));
    expect(table.counts()).toEqual({ matched: 3, unmatched: 1, duplicate: 2, conflicting: 0, unused: 1 });
  });

  it.each([
    ['first', ['f', 30]],
    ['missing', ['', Number.NaN]],
  ] as const)('takes the %s of conflicting rows when asked to', async (conflicts, expected) => {
    const { of, table } = await load('id,sex,age\n7,f,30\n7,m,30\n8,m,1\n', { conflicts });
    expect(of('7')).toEqual(expected);
    expect(table.counts()).toMatchObject({ duplicate: 0, conflicting: 1 });
  });

  it('has one identifier for 1, "1" and 1.0 of JSONL', async () => {
    const { of, table } = await load(
      '{"id":1,"sex":"f"}\n{"id":"1","sex":"f"}\n{"id":1.0,"sex":"f"}\n{"id":2,"age":1}\n',
      {},
      'p.jsonl',
    );
    expect(of('1')).toEqual(['f', Number.NaN]);
    expect(table.counts().duplicate).toBe(2);
  });

  it.each([
    ['id,sex,age\n7,f,30\n7,m,30\n', 'line 3, column "id": expected the same sensitive features in each row'],
    ['id,sex,age\n7,f,30\n7,f,31\n', 'line 3, column "id": expected the same sensitive features in each row'],
    ['id,sex,age\n,f,30\n', 'line 2, column "id": expected an identifier, received an empty cell'],
    ['id,sex,age\n7,f,old\n', 'line 2, column "age": expected a number, received text of 3 characters'],
    ['id,age\n7,1\n', 'expected a column "sex"'],
  ])('refuses %j', async (content, message) => {
    await expect(load(content)).rejects.toThrow(message);
  });

  it('refuses one number in two spellings, and repeats neither', async () => {
    const { of } = await load('id,sex,age\n70,f,30\n');
    expect(of('71.0')).toEqual(['', Number.NaN]);
    expect(() => of('70.0')).toThrow(
      /^column "id": expected identifiers spelled as in .*people.csv, received one number/,
    );
    expect(() => of('070')).toThrow('two spellings');
  });
});
