import { describe, expect, it } from 'vitest';
import { columnsSchema, mergeColumns } from '../../../core/data/columns.ts';

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
  it('takes names as they are in a header, outer white space and Unicode form aside', () => {
    expect(columnsSchema.parse({ label: ' e\u0301tat ', sensitiveFeatures: ['sex at birth'] })).toEqual({
      label: '\u00e9tat',
      sensitiveFeatures: ['sex at birth'],
    });
  });
});
