import { describe, expect, it } from 'vitest';
import { assertGroupCount, columnsSchema, mergeColumns } from '../../../core/data/columns.ts';

describe('mergeColumns', () => {
  it('lets flags override the file', () => {
    const file = { label: 'y', sensitiveFeatures: ['sex', 'age'], split: 'part' };
    const flags = { label: undefined, sensitiveFeatures: ['race'], split: 'fold', subject: undefined };
    expect(mergeColumns(file, flags)).toEqual({ label: 'y', sensitiveFeatures: ['race'], split: 'fold' });
  });

  it('keeps the list of the file when the flags give none', () => {
    expect(mergeColumns({ sensitiveFeatures: ['sex'] }, { label: ' y ', sensitiveFeatures: [] })).toEqual({
      label: 'y',
      sensitiveFeatures: ['sex'],
    });
  });

  it.each([
    [{}, '"label" is missing, it must be text; "sensitiveFeatures" is missing, it must be a list'],
    [{ label: 'y', sensitiveFeatures: ['sex', 'sex'] }, '"sensitiveFeatures[1]" names a feature twice'],
    [{ label: 'y', sensitiveFeatures: ['y'] }, '"sensitiveFeatures[0]" is the label column as well'],
    [{ label: 'y', sensitiveFeatures: ['sex'], score: 'y' }, '"score" is the label column as well'],
    [{ label: 'y', sensitiveFeatures: ['sex'], prediction: 'y' }, '"prediction" is the label column as well'],
    [{ label: 'y', sensitiveFeatures: ['sex'], image: 'y' }, '"image" is the label column as well'],
  ])('refuses %j', (flags, sentence) => {
    expect(() => mergeColumns({}, flags)).toThrow(
      expect.objectContaining({ name: 'InvalidInputError', message: `columns: ${sentence}` }),
    );
  });
});

describe('columnsSchema', () => {
  const features = (count: number) => Array.from({ length: count }, (_, index) => `f${index}`);

  it.each([
    ['50 sensitive features', { sensitiveFeatures: features(50) }, { sensitiveFeatures: features(51) }],
    [
      '1000 characters in the name of one',
      { sensitiveFeatures: ['f'.repeat(1000)] },
      { sensitiveFeatures: ['f'.repeat(1001)] },
    ],
    ['1000 characters in any name', { label: ` ${'y'.repeat(1000)} ` }, { label: 'y'.repeat(1001) }],
  ])('takes %s and no more', (_, largest, larger) => {
    const rest = { label: 'y', sensitiveFeatures: ['sex'] };
    expect(columnsSchema.safeParse({ ...rest, ...largest }).success).toBe(true);
    expect(columnsSchema.safeParse({ ...rest, ...larger }).success).toBe(false);
  });

  it.each([
    [{ bins: { age: { quantiles: 4 } } }, '"bins.age" is none of the sensitive features'],
    [{ positiveLabel: 'a', labelThreshold: 3 }, '"labelThreshold" is given beside "positiveLabel"'],
    [{ classScores: { a: 'p' } }, '"classScores" must have 2 to 100 classes, received 1'],
    [{ weight: 'y' }, '"weight" is the label column as well'],
  ])('refuses %j', (columns, sentence) => {
    expect(() => mergeColumns({ label: 'y', sensitiveFeatures: ['sex'] }, columns)).toThrow(sentence);
  });

  it('refuses a megabyte of names in no time', () => {
    const start = performance.now();
    expect(columnsSchema.safeParse({ label: 'y', sensitiveFeatures: features(150_000) }).success).toBe(false);
    expect(performance.now() - start).toBeLessThan(2000);
  });

  it('takes names as they are in a header, outer white space and Unicode form aside', () => {
    expect(columnsSchema.parse({ label: ' e\u0301tat ', sensitiveFeatures: ['sex at birth'] })).toEqual({
      label: '\u00e9tat',
      sensitiveFeatures: ['sex at birth'],
    });
  });
});

describe('assertGroupCount', () => {
  const feature = (count: number) => ({
    name: 'f',
    groupNames: Array.from({ length: count }, (_, index) => `g${index}`),
    groups: new Int32Array(0),
  });

  it('lets 10,000 groups of all features together through, and one more not', () => {
    expect(() => assertGroupCount([feature(9000), feature(1000)], 'predictions')).not.toThrow();
    expect(() => assertGroupCount([feature(9000), feature(1001)], 'predictions')).toThrow(
      expect.objectContaining({
        code: 'INVALID_INPUT',
        message:
          'predictions: expected at most 10000 groups in all sensitive features together, received 10001',
      }),
    );
  });
});
