import { describe, expect, it } from 'vitest';
import { ENGLISH } from '../../../../core/report/language/language.ts';
import { auditLimitsSection, runLimitsSection } from '../../../../core/report/sections/limits.ts';
import { FIVE_GROUPS, IMPROVED_RUN, TWO_GROUPS_BEFORE, textOf } from '../../../helpers/report-samples.ts';

describe('limits sections', () => {
  it('lists the limits and the warnings that the audit recorded', () => {
    const text = textOf(auditLimitsSection(FIVE_GROUPS, ENGLISH).body);
    expect(text).toContain('Fewer than 30 audited samples');
    expect(text).toContain('Warnings that the audit recorded (1)');
  });

  it('has no list of warnings where there are none', () => {
    const text = textOf(runLimitsSection({ run: IMPROVED_RUN, before: TWO_GROUPS_BEFORE, after: null }).body);
    expect(text).toContain('one external set');
    expect(text).not.toContain('Warnings');
  });
});
