import { describe, expect, it } from 'vitest';
import type { CheckedSet } from '../../../core/checks/sets.ts';
import { cellSupports, supportFindings } from '../../../core/checks/supports.ts';

/** 40 rows of each group and label, without those of the groups that are named. */
function part(name: string, absent: readonly number[] = []): CheckedSet {
  const cells = [0, 1].flatMap((group) =>
    absent.includes(group) ? [] : [0, 1].map((label) => [group, label]),
  );
  const rows = cells.flatMap((cell) => Array.from({ length: 40 }, () => cell));
  return {
    name,
    isTest: name === 'test',
    samples: {
      size: rows.length,
      labels: Int32Array.from(rows, ([, label]) => label!),
      sensitiveFeatures: [
        { name: 'sex', groupNames: ['f', 'm'], groups: Int32Array.from(rows, ([group]) => group!) },
      ],
    },
    images: null,
    table: null,
    seen: null,
  };
}

function findingsOf(parts: readonly CheckedSet[]) {
  const data = { parts, reference: null, isBrief: true, withoutGroup: 0, mitigated: ['sex'] };
  return supportFindings(data, cellSupports(data));
}

describe('supportFindings', () => {
  it('finds nothing where every cell has rows', () => {
    expect(findingsOf([part('tune'), part('select'), part('test')])).toEqual([]);
  });

  it('names a group that the test has no row of: no gap to it can be measured', () => {
    const [finding, ...others] = findingsOf([part('tune'), part('select'), part('test', [1])]);
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ code: 'empty-cell', severity: 'care' });
    expect(finding!.reason).toMatch(/^In the test part, 2 cells .*"m" with label 0: 0; "m" with label 1: 0/);
  });
});
