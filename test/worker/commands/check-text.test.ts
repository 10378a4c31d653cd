import { describe, expect, it } from 'vitest';
import type { DataCheck } from '../../../core/checks/types.ts';
import { checkText } from '../../../worker/commands/check-text.ts';

const CHECK: DataCheck = {
  schemaVersion: 1,
  verdict: 'fit',
  findings: [],
  cells: [],
  reach: [],
  distance: null,
  twoSets: [],
  histograms: null,
};

describe('checkText', () => {
  it('says what could not be checked beside a verdict of nothing found', () => {
    const lines = checkText({ ...CHECK, notChecked: ['Subjects: none.'] }).split('\n');
    expect(lines[0]).toBe('fit: nothing was found in what could be checked');
    expect(lines).toContain('NOT CHECKED');
    expect(lines).toContain('  Subjects: none.');
  });

  it('has no such part where all was checked', () => {
    const text = checkText({ ...CHECK, notChecked: [] });
    expect(text).toMatch(/^fit: nothing was found\n/);
    expect(text).not.toContain('NOT CHECKED');
  });

  it('does not call a gap that cannot be measured none', () => {
    const reach = {
      part: 'test',
      sensitiveFeature: 'sex',
      rate: 'truePositiveRate',
      groups: ['f', 'm'],
      gap: null,
    } as const;
    expect(checkText({ ...CHECK, reach: [reach] })).toMatch(/^test +sex +TPR +cannot be told +f, m$/m);
  });
});
