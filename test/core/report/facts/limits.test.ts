import { describe, expect, it } from 'vitest';
import { auditLimits, auditWarnings, runLimits } from '../../../../core/report/facts/limits.ts';
import {
  FIVE_GROUPS,
  IMPROVED_RUN,
  NOT_IMPROVED_RUN,
  TWO_GROUPS_AFTER,
  TWO_GROUPS_BEFORE,
  textOf,
} from '../../../helpers/report-samples.ts';

function limitsOf(input: Parameters<typeof runLimits>[0]): string {
  return runLimits(input).map(textOf).join('\n');
}

describe('auditLimits', () => {
  const text = auditLimits(FIVE_GROUPS).map(textOf).join('\n');

  it('names empty and small cells with their support and what one sample is worth', () => {
    expect(text).toContain('hold no positives of 0–19 in age group');
    expect(text).toContain('positives of 80+ in age group (2)');
    expect(text).toContain('one sample moves a rate by 0.500');
    expect(text).not.toContain('(0)');
  });

  it('names groups that a gap leaves out', () => {
    expect(text).toContain('Some gaps by age group leave out 0–19');
    expect(text).not.toContain('Some gaps by skin tone');
  });

  it('says what intervals cover where there are some, and always that association is not cause', () => {
    const always = auditLimits(TWO_GROUPS_BEFORE).map(textOf).join('\n');
    expect(always).toContain('No intervals of uncertainty');
    expect(always).toContain('associated with group membership; nothing here shows that it is caused by it');
    expect(always).not.toContain('Fewer than 30');
    const { overall } = TWO_GROUPS_BEFORE;
    const accuracy = {
      ...overall.rates.accuracy,
      interval: { low: 0.7, high: 0.9, method: 'wilson' },
    } as const;
    const measured = { ...overall, rates: { ...overall.rates, accuracy } };
    const [intervals] = auditLimits({ ...TWO_GROUPS_BEFORE, overall: measured }).map(textOf);
    expect(intervals).toContain('Intervals (95%) cover chance in drawing these samples.');
  });

  it('says when the threshold is not known', () => {
    expect(
      auditLimits({ ...TWO_GROUPS_BEFORE, threshold: null })
        .map(textOf)
        .join(),
    ).toContain('predictions only');
  });
});

describe('runLimits', () => {
  it('puts a lack of independence first', () => {
    const limits = runLimits({ run: NOT_IMPROVED_RUN, before: TWO_GROUPS_BEFORE, after: null });
    expect(textOf(limits[0]!)).toContain('The audited part (select) also steered');
  });

  it('says when nothing looked at the data, which is not the same as finding nothing', () => {
    const input = { run: IMPROVED_RUN, before: TWO_GROUPS_BEFORE, after: null };
    expect(limitsOf(input)).toContain('The data was not checked before');
    const check = { verdict: 'fit', isOverruled: false, findings: [] } as const;
    expect(limitsOf({ ...input, run: { ...IMPROVED_RUN, check } })).not.toContain('was not checked');
  });

  it('names small cells of the parts that were not audited', () => {
    const text = limitsOf({ run: IMPROVED_RUN, before: TWO_GROUPS_BEFORE, after: null });
    expect(text).toContain('The select part has fewer than 30 samples in: positives of female (28)');
    expect(text).not.toContain('The tune part has');
    const parts = [{ name: 'tune', support: 7, cells: [{ group: 'M', label: 0, support: 7 }] }] as const;
    const run = { ...IMPROVED_RUN, data: { ...IMPROVED_RUN.data, parts } };
    expect(limitsOf({ run, before: TWO_GROUPS_BEFORE, after: null })).toContain('negatives of M (7)');
  });

  it('tells a shift of the threshold and of the head', () => {
    const run = { ...IMPROVED_RUN, threshold: { value: 0.437, biasShift: -0.25 } };
    const text = limitsOf({ run, before: TWO_GROUPS_BEFORE, after: TWO_GROUPS_AFTER });
    expect(text).toContain('different thresholds (0.500 and 0.437)');
    expect(text).toContain("−0.25 was added to the bias of the model's head");
  });

  it('tells no shift where there is none', () => {
    const text = limitsOf({ run: IMPROVED_RUN, before: TWO_GROUPS_BEFORE, after: TWO_GROUPS_BEFORE });
    expect(text).not.toMatch(/different thresholds|was added/);
  });

  it('names the features that did not steer the run', () => {
    const outcome = { ...IMPROVED_RUN.outcome, sensitiveFeature: 'skin tone' };
    const text = limitsOf({ run: { ...IMPROVED_RUN, outcome }, before: FIVE_GROUPS, after: null });
    expect(text).toContain('Only skin tone steered the run. Gaps by age group were measured');
  });

  it('tells what there is to know about how the model was read', () => {
    const model = { ...IMPROVED_RUN.model, notes: ['Batch norm is <folded>.'] };
    const text = limitsOf({ run: { ...IMPROVED_RUN, model }, before: TWO_GROUPS_BEFORE, after: null });
    expect(text).toContain('Batch norm is <folded>.');
  });

  it('says that all parts come from one set', () => {
    expect(limitsOf({ run: IMPROVED_RUN, before: TWO_GROUPS_BEFORE, after: null })).toContain(
      'one external set',
    );
  });
});

describe('auditWarnings', () => {
  it('gives each warning once', () => {
    const after = { ...FIVE_GROUPS, warnings: [...FIVE_GROUPS.warnings, 'another'] };
    expect(auditWarnings(FIVE_GROUPS, after)).toEqual([FIVE_GROUPS.warnings[0], 'another']);
    expect(auditWarnings(TWO_GROUPS_BEFORE, null)).toEqual([]);
  });
});
