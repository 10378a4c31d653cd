import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { audit } from '../../../../core/fairness/audit.ts';
import { localLaw144Csv, localLaw144Markdown } from '../../../../core/report/exports/local-law-144.ts';
import { startBackend } from '../../../../worker/backend.ts';
import { classesAudit, decidedAudit } from '../../../helpers/measured-audits.ts';
import { auditOf, featureOf, groupOf } from '../../../helpers/report-audits.ts';

const OPTIONS = { model: 'screen', source: 'applicants.csv' };

beforeAll(async () => {
  await startBackend('cpu');
});

/** Each row as text by column. */
function rowsOf(csv: string): Record<string, string>[] {
  const [head, ...lines] = csv.trim().split('\r\n');
  const names = head!.split(',');
  return lines.map((line) => Object.fromEntries(line.split(',').map((cell, at) => [names[at]!, cell])));
}

function auditScores(scores: readonly number[], groups: readonly number[], names: readonly string[]) {
  return audit({
    labels: Int32Array.from(scores, (_, row) => row % 2),
    sensitiveFeatures: [{ name: 'sex', groupNames: names, groups: Int32Array.from(groups) }],
    decisions: { scores, threshold: 0.5 },
    replicates: 0,
  });
}

describe('rates and impact ratios of Local Law 144', () => {
  // Women 0.1, 0.2, 0.4, 0.6 and men 0.3, 0.5, 0.7, 0.8, 0.9, 0.95: the median of all ten is 0.55.
  const scores = [0.1, 0.2, 0.4, 0.6, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95];
  const groups = [0, 0, 0, 0, 1, 1, 1, 1, 1, 1];

  it('are those of the worked table', () => {
    const [women, men] = rowsOf(localLaw144Csv(auditScores(scores, groups, ['F', 'M'])));
    expect(women).toMatchObject({
      individuals: '4',
      selected: '1',
      selection_rate: '0.25',
      above_median: '1',
    });
    expect(Number(women!.selection_impact_ratio)).toBeCloseTo(0.25 / (5 / 6), 12);
    expect(Number(women!.scoring_impact_ratio)).toBeCloseTo(0.25 / (4 / 6), 12);
    expect(men).toMatchObject({ above_median: '4', selection_impact_ratio: '1', scoring_impact_ratio: '1' });
  });

  it('count those of unknown category and leave them out', () => {
    const unknown = [...groups.slice(0, 8), 2, 2];
    const rows = rowsOf(localLaw144Csv(auditScores(scores, unknown, ['F', 'M', '(missing)'])));
    expect(rows.map(({ category, individuals }) => [category, individuals])).toEqual([
      ['F', '4'],
      ['M', '4'],
      ['(unknown)', '2'],
    ]);
    expect(rows[0]!.share).toBe('0.5');
  });

  it('score those above the median of all, whatever ties there are', () => {
    const people = fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 1 })), {
      minLength: 3,
      maxLength: 40,
    });
    fc.assert(
      fc.property(people, (rows) => {
        const values = rows.map(([tenths]) => tenths / 10);
        const sorted = values.toSorted((a, b) => a - b);
        const [low, high] = [
          sorted[Math.ceil(sorted.length / 2) - 1]!,
          sorted[Math.floor(sorted.length / 2)]!,
        ];
        const table = rowsOf(
          localLaw144Csv(
            auditScores(
              values,
              rows.map(([, group]) => group),
              ['F', 'M'],
            ),
          ),
        );
        for (const [group, name] of ['F', 'M'].entries()) {
          const above = rows.filter(
            ([tenths, own]) => own === group && tenths / 10 > (low + high) / 2,
          ).length;
          const row = table.find(({ category }) => category === name);
          if (row !== undefined && row.individuals !== '0') expect(row.above_median).toBe(String(above));
        }
      }),
      { numRuns: 30 },
    );
  });

  it('score nobody where all have the score of the median', () => {
    const rows = rowsOf(localLaw144Csv(auditScores([0.9, 0.9, 0.9], [0, 1, 1], ['F', 'M'])));
    expect(rows[0]).toMatchObject({ above_median: '0', scoring_rate: '0', scoring_impact_ratio: '' });
  });

  it('have no impact ratio where nobody is selected, and no scoring rate without scores', () => {
    const nobody = auditOf([
      featureOf('sex', [groupOf('F', [0, 0, 3, 1], null), groupOf('M', [0, 0, 2, 2], null)]),
    ]);
    expect(rowsOf(localLaw144Csv(nobody))[0]).toMatchObject({
      selection_rate: '0',
      selection_impact_ratio: '',
      scoring_rate: '',
    });
    expect(localLaw144Markdown(decidedAudit(), OPTIONS)).not.toContain('Above the median');
  });

  it('mark categories below 2 % of the data, and quote names as CSV does', () => {
    const groupsOfSizes = [groupOf('a,"b"', [1, 0, 0, 0], null), groupOf('M', [50, 0, 49, 0], null)];
    const small = auditOf([featureOf('sex', groupsOfSizes)]);
    expect(localLaw144Markdown(small, OPTIONS)).toContain('| a,"b" (below 2.0\u00a0%) | 1 | 1.0\u00a0% |');
    expect(localLaw144Csv(small)).toContain('sex,"a,""b""",1,0.01,1,1,1,,,\r\n');
  });

  it('are refused for several classes, which select nobody', () => {
    expect(() => localLaw144Csv(classesAudit())).toThrow('received one of 3 classes');
  });
});
