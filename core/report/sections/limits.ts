import type { AuditReport } from '../../fairness/types.ts';
import type { MitigationInput } from '../facts/headline.ts';
import { auditLimits, auditWarnings, runLimits } from '../facts/limits.ts';
import { ENGLISH, type Language } from '../language/language.ts';
import { bulletList, disclosure, type Section } from '../page/layout.ts';
import { type Content, html, NOTHING } from '../text/html.ts';

export function auditLimitsSection(audit: AuditReport, language: Language): Section {
  return limitsSection(auditLimits(audit, language), auditWarnings(audit, null), language);
}

export function runLimitsSection(input: MitigationInput): Section {
  return limitsSection(runLimits(input), auditWarnings(input.before, input.after), ENGLISH);
}

function limitsSection(limits: readonly Content[], warnings: readonly string[], { t }: Language): Section {
  const ofAudit = disclosure(t.limits.warnings(warnings.length), bulletList(warnings.map(t.sentence)));
  return {
    id: 'limits',
    title: t.limits.title,
    body: html`${bulletList(limits)}${warnings.length === 0 ? NOTHING : ofAudit}`,
  };
}
