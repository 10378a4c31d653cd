import type { AuditReport } from '../../fairness/types.ts';
import type { MitigationInput } from '../facts/headline.ts';
import { auditLimits, auditWarnings, runLimits } from '../facts/limits.ts';
import { bulletList, disclosure, type Section } from '../page/layout.ts';
import { type Content, html, NOTHING } from '../text/html.ts';

export function auditLimitsSection(audit: AuditReport): Section {
  return limitsSection(auditLimits(audit), auditWarnings(audit, null));
}

export function runLimitsSection(input: MitigationInput): Section {
  return limitsSection(runLimits(input), auditWarnings(input.before, input.after));
}

function limitsSection(limits: readonly Content[], warnings: readonly string[]): Section {
  const ofAudit = disclosure(`Warnings that the audit recorded (${warnings.length})`, bulletList(warnings));
  return {
    id: 'limits',
    title: 'Limits of these figures',
    body: html`${bulletList(limits)}${warnings.length === 0 ? NOTHING : ofAudit}`,
  };
}
