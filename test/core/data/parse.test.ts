import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { describeValue, parseWith } from '../../../core/data/parse.ts';

const schema = z.strictObject({
  name: z.string().min(2).max(3).optional(),
  size: z.number().int().min(1).max(9).optional(),
  rate: z.number().gt(0).lt(1).optional(),
  kind: z.enum(['hard', 'soft']).optional(),
  version: z.literal(1).optional(),
  list: z.array(z.string()).min(1).max(2).optional(),
  pair: z.tuple([z.number(), z.number()]).optional(),
  mean: z.union([z.number().positive(), z.array(z.number())]).optional(),
  limit: z.union([z.literal('auto'), z.number()]).optional(),
  isOn: z.boolean().optional(),
  inner: z.strictObject({ label: z.string() }).optional(),
  shape: z
    .discriminatedUnion('type', [z.object({ type: z.literal('disc') }), z.object({ type: z.literal('bar') })])
    .optional(),
  odd: z
    .number()
    .refine((value) => value % 2 === 1, 'must be odd')
    .optional(),
  map: z.record(z.string(), z.number()).optional(),
});

describe('parseWith', () => {
  it('returns the typed value', () => {
    expect(parseWith(schema, { size: 2 }, 'options')).toEqual({ size: 2 });
  });

  it.each<[unknown, string]>([
    [null, 'the content must be an object, received null'],
    [{ name: 5 }, '"name" must be text, received 5'],
    [{ name: 'a' }, '"name" must have at least 2 characters, received text of 1 character'],
    [{ name: 'abcd' }, '"name" must have at most 3 characters, received text of 4 characters'],
    [{ size: 1.5 }, '"size" must be a whole number, received 1.5'],
    [{ size: 0 }, '"size" must be at least 1, received 0'],
    [{ size: 10 }, '"size" must be at most 9, received 10'],
    [{ rate: 0 }, '"rate" must be above 0, received 0'],
    [{ rate: 1 }, '"rate" must be below 1, received 1'],
    [{ rate: Number.NaN }, '"rate" must be a number, received NaN'],
    [{ kind: 'hrad' }, '"kind" must be one of "hard", "soft", received "hrad"'],
    [{ kind: 'x'.repeat(41) }, '"kind" must be one of "hard", "soft", received text of 41 characters'],
    [{ version: 2 }, '"version" must be 1, received 2'],
    [{ list: 'a' }, '"list" must be a list, received text of 1 character'],
    [{ list: [] }, '"list" must have at least 1 entry, received a list of 0'],
    [{ list: ['a', 'b', 'c'] }, '"list" must have at most 2 entries, received a list of 3'],
    [{ list: ['a', {}] }, '"list[1]" must be text, received an object'],
    [{ pair: [1, 'x'] }, '"pair[1]" must be a number, received text of 1 character'],
    [{ mean: 'x' }, '"mean" must be a number or be a list, received text of 1 character'],
    [{ mean: 0 }, '"mean" must be above 0, received 0'],
    [{ mean: [1, 'x'] }, '"mean[1]" must be a number, received text of 1 character'],
    [{ limit: 'atuo' }, '"limit" must be "auto" or be a number, received "atuo"'],
    [{ isOn: 'yes' }, '"isOn" must be true or false, received text of 3 characters'],
    [{ inner: {} }, '"inner.label" is missing, it must be text'],
    [{ inner: { label: 'a', lable: 'b' } }, 'unknown key "inner.lable"'],
    [{ nmae: 1, sise: 2 }, 'unknown keys "nmae", "sise"'],
    [{ shape: { type: 'dics' } }, '"shape.type" must be one of "disc", "bar", received "dics"'],
    [{ odd: 2 }, '"odd" must be odd'],
    [{ map: { a: 'x' } }, '"map.a" must be a number, received text of 1 character'],
    [JSON.parse('{"__proto__": 1}'), 'unknown key "__proto__"'],
  ])('says what is wrong with %j', (value, sentence) => {
    expect(() => parseWith(schema, value, 'options')).toThrow(
      expect.objectContaining({ name: 'InvalidInputError', message: `options: ${sentence}` }),
    );
  });

  it('lists five problems and counts the rest', () => {
    const value = { name: 1, size: 'x', rate: 'x', kind: 1, list: 1, isOn: 1, odd: 'x' };
    expect(() => parseWith(schema, value, 'options')).toThrow(/"list" must .*; and 2 more$/);
    expect(() => parseWith(schema, value, 'options')).toThrow(
      expect.objectContaining({
        details: { where: 'options', issues: expect.objectContaining({ length: 7 }) },
      }),
    );
  });

  it('has words for a type that is not in its list, and for a field that a transform made', () => {
    expect(() => parseWith(z.date(), 1, 'since')).toThrow('since: the content must be date, received 1');
    const made = z.preprocess((a) => ({ a }), z.object({ a: z.number() }));
    expect(() => parseWith(made, 'x', 'value')).toThrow('value: "a" is missing, it must be a number');
  });

  it('names a union that no branch explains', () => {
    const strange = z.union([z.object({ a: z.number() }), z.strictObject({ b: z.number() })]);
    expect(() => parseWith(strange, { a: 'x', c: 1 }, 'value')).toThrow('value: "a" must be a number');
  });
});

describe('describeValue', () => {
  it.each([
    [undefined, 'nothing'],
    [' ', 'empty text'],
    [true, 'true'],
    [[1], 'a list of 1'],
  ])('describes %j', (value, words) => {
    expect(describeValue(value)).toBe(words);
  });
});
