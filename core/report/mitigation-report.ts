import type { AuditReport } from '../fairness/types.ts';
import { classesSection } from './audit/classes.ts';
import type { MitigationInput } from './facts/headline.ts';
import { ENGLISH } from './language/language.ts';
import type { Section } from './page/layout.ts';
import { page } from './page/page.ts';
import { auditedSetsSection } from './sections/audited-sets.ts';
import { checkSections } from './sections/check.ts';
import { controlsSection } from './sections/controls.ts';
import { curvesSection } from './sections/curves.ts';
import { dataSection } from './sections/data.ts';
import { decisionSection } from './sections/decision.ts';
import { frontierSection } from './sections/frontier.ts';
import { groupsSection } from './sections/groups.ts';
import { runLimitsSection } from './sections/limits.ts';
import { maskSection } from './sections/mask.ts';
import { maskExplainedSection } from './sections/mask-explained.ts';
import { reproduceSection } from './sections/reproduce.ts';
import { verdict } from './sections/verdict.ts';
import { html } from './text/html.ts';
import { nameHtml } from './text/names.ts';

/**
 * The report of a mitigation run as one HTML file that needs nothing else: no script, no request.
 *
 * @param input.after  null where no changed model was audited
 * @returns a whole document; same input, same bytes
 */
export function renderMitigationReport(input: MitigationInput): string {
  const { run } = input;
  return page({
    title: `Mitigation report: ${run.model.name}`,
    heading: html`Mitigation of ${nameHtml(run.model.name)}`,
    lead: verdict(input),
    sections: sectionsOf(input),
    colophon: `${run.tool.name} ${run.tool.version}, preset ${run.preset}, seed ${run.seed}`,
  });
}

/** Each class against the rest, where there are more than two: of the model as it is in the end. */
function classesOf(before: AuditReport, after: AuditReport | null): Section[] {
  const section = classesSection(after ?? before, ENGLISH);
  if (section === null) return [];
  const title = `${section.title}, ${after === null ? 'before' : 'after'}`;
  return [{ ...section, title }];
}

/** A rejected run trained nothing, so it has no mask, no curves and no candidates to show. */
function sectionsOf(input: MitigationInput): Section[] {
  const { run, before, after, decision, explanation } = input;
  const training =
    run.outcome.status === 'rejected'
      ? []
      : [
          maskSection(run.mask),
          ...(explanation ? [maskExplainedSection(explanation)] : []),
          curvesSection(run),
          frontierSection(run),
          ...(run.controls ? [controlsSection(run, run.controls)] : []),
        ];
  return [
    groupsSection({ before, after, target: run.outcome }),
    ...classesOf(before, after),
    ...(run.audited.length > 1 ? [auditedSetsSection(run)] : []),
    ...(decision === undefined ? [] : [decisionSection(decision)]),
    ...training,
    ...checkSections(run),
    dataSection(run.data, run.outcome.sensitiveFeature),
    runLimitsSection(input),
    reproduceSection(run),
  ];
}
