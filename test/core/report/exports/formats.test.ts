import { describe, expect, it } from 'vitest';
import { EXPORT_FORMATS } from '../../../../core/report/exports/formats.ts';
import { FIVE_GROUPS } from '../../../helpers/report-samples.ts';

describe('EXPORT_FORMATS', () => {
  it.each(Object.entries(EXPORT_FORMATS))(
    '%s is one file, the same for the same audit',
    (_, { file, render }) => {
      const options = { model: 'model', source: 'scores.csv' };
      expect(file).toMatch(/^[a-z0-9-]+\.(md|xml|csv)$/);
      expect(render(FIVE_GROUPS, options)).toContain('age group');
      expect(render(FIVE_GROUPS, options)).toBe(render(structuredClone(FIVE_GROUPS), options));
    },
  );

  it('name files of their own', () => {
    const files = Object.values(EXPORT_FORMATS).map(({ file }) => file);
    expect(new Set(files).size).toBe(files.length);
  });
});
