import { beforeAll, describe, expect, it } from 'vitest';
import { gate } from '../../../../core/fairness/policy/gate.ts';
import { policySchema } from '../../../../core/fairness/policy/schema.ts';
import { aiActChecklist } from '../../../../core/report/exports/ai-act.ts';
import { checklistText } from '../../../../core/report/exports/checklist.ts';
import { tripodAiChecklist } from '../../../../core/report/exports/tripod-ai.ts';
import { startBackend } from '../../../../worker/backend.ts';
import { classesAudit, measuredAudit } from '../../../helpers/measured-audits.ts';
import { FIVE_GROUPS, HOSTILE_AUDIT, TWO_GROUPS_BEFORE } from '../../../helpers/report-samples.ts';

const OPTIONS = { model: 'skin | CNN', source: 'scores.csv' };

beforeAll(async () => {
  await startBackend('cpu');
});

/** Cells of each row: item, topic, state, from the audit, open. */
function rowsOf(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(2)
    .map((line) =>
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

const itemOf = (text: string, number: string) => rowsOf(text).find(([item]) => item === number)!;

describe('checklistText', () => {
  it('tells apart what is filled, partly filled and open, and counts them', () => {
    const items = [
      { number: '1', topic: 'A', fill: () => 'all', open: null },
      { number: '2', topic: 'B', fill: () => 'some', open: 'rest' },
      { number: '3', topic: 'C', fill: () => null, open: null },
      { number: '4', topic: 'D', open: 'everything' },
    ];
    const text = checklistText({ title: 'T', note: 'N', items }, TWO_GROUPS_BEFORE, OPTIONS);
    expect(text).toContain('Items: 4, of which filled 1, partly 1, open 2');
    expect(rowsOf(text)).toEqual([
      ['1', 'A', 'filled', 'all', '–'],
      ['2', 'B', 'partly', 'some', 'rest'],
      ['3', 'C', 'open', '–', 'This audit has no such figure.'],
      ['4', 'D', 'open', '–', 'everything'],
    ]);
  });
});

describe('the checklists', () => {
  it.each([
    ['TRIPOD+AI', tripodAiChecklist, 52],
    ['Annex IV', aiActChecklist, 23],
  ] as const)('%s has every item once, in five cells, whatever the audit', (_, checklist, size) => {
    for (const audit of [TWO_GROUPS_BEFORE, FIVE_GROUPS, HOSTILE_AUDIT, measuredAudit(), classesAudit()]) {
      const rows = rowsOf(checklist(audit, OPTIONS));
      expect(rows).toHaveLength(size);
      expect(new Set(rows.map(([item]) => item)).size).toBe(size);
      expect(new Set(rows.map((cells) => cells.length))).toEqual(new Set([5]));
      expect(rows.flat().join()).not.toMatch(/NaN|undefined|null/);
    }
  });

  it('fill what the audit knows', () => {
    const audit = measuredAudit();
    const tripod = tripodAiChecklist(audit, OPTIONS);
    expect(itemOf(tripod, '11')[3]).toContain('skin tone in 3 rows');
    expect(itemOf(tripod, '7')[3]).toBe('skin tone cut at 2, 4 (edges).');
    expect(itemOf(tripod, '23a')).toEqual(expect.arrayContaining(['filled']));
    expect(itemOf(tripod, '23a')[3]).toContain(`AUC ${audit.overall.auc.value!.toFixed(3)} (`);
    expect(itemOf(aiActChecklist(audit, OPTIONS), '2(d)')[3]).toContain('912 rows read, 900 audited');
    expect(itemOf(tripodAiChecklist({ ...audit, clusters: 40 }, OPTIONS), '12d')[3]).toContain('40 subjects');
  });

  it('leave open what it does not', () => {
    const text = tripodAiChecklist(TWO_GROUPS_BEFORE, OPTIONS);
    for (const number of ['7', '11', '12d', '17', '22']) expect(itemOf(text, number)[2]).toBe('open');
    const whole = { ...TWO_GROUPS_BEFORE, features: [] };
    expect(itemOf(tripodAiChecklist(whole, OPTIONS), '23b')[2]).toBe('open');
    expect(itemOf(aiActChecklist(TWO_GROUPS_BEFORE, OPTIONS), '4')[2]).toBe('open');
  });

  it('have the limits that a policy set', () => {
    const policy = policySchema.parse({ name: 'release', rules: [{ metric: 'overallAuc', min: 0.9 }] });
    const options = { ...OPTIONS, gate: gate(TWO_GROUPS_BEFORE, policy) };
    expect(itemOf(aiActChecklist(TWO_GROUPS_BEFORE, options), '4')[3]).toContain(
      'AUC 0.72, at least 0.9: broken',
    );
  });

  it('say that no value is missing where none is', () => {
    const audit = measuredAudit();
    const input = { ...audit.input!, missing: [] };
    expect(itemOf(tripodAiChecklist({ ...audit, input }, OPTIONS), '11')[3]).toBe(
      'No sensitive feature lacks a value.',
    );
  });
});
