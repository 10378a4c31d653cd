import { describe, expect, it } from 'vitest';
import { dataSection } from '../../../../core/report/sections/data.ts';
import { IMPROVED_RUN, REJECTED_RUN, textOf } from '../../../helpers/report-samples.ts';

const { data } = IMPROVED_RUN;

function dataText(overrides: Partial<typeof data> = {}): string {
  return textOf(dataSection({ ...data, ...overrides }, 'sex').body);
}

describe('dataSection', () => {
  it('gives rows, parts, cells and exclusions', () => {
    const text = dataText();
    expect(text).toContain('The manifest has 2,650 rows.');
    expect(text).toContain('test audited audit only 877');
    expect(text).toContain(
      'Samples of the tune part by sex Group Positives Negatives female 104 522 male 131 417',
    );
    expect(text).toContain('no value for sex 14 image cannot be decoded 3');
  });

  it('says which cells are small and which are empty', () => {
    expect(dataText()).toContain('female 28 small 282');
    expect(textOf(dataSection(REJECTED_RUN.data, 'sex').body)).toContain('female 0 empty 1,390');
  });

  it('warns when rows are not accounted for, and only then', () => {
    expect(dataText()).not.toContain('Warning');
    expect(dataText({ rows: 3000 })).toContain('add up to 2,650, the manifest has 3,000 rows');
  });

  it('does not take a cell that is not recorded for an empty one', () => {
    const parts = [{ name: 'test', support: 5, cells: [{ group: 'F', label: 1, support: 5 }] }] as const;
    expect(dataText({ rows: 22, parts })).toContain('F 5 small not recorded');
  });

  it('says when nothing was used or excluded', () => {
    const text = dataText({ parts: [], excluded: [], rows: 0 });
    expect(text).toContain('No part of the data was used.');
    expect(text).toContain('No row was excluded.');
    expect(dataText({ parts: [{ name: 'test', support: 0, cells: [] }] })).not.toContain('Samples of');
  });
});
