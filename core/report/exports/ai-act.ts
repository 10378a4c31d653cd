import type { AuditReport } from '../../fairness/types.ts';
import { findingText } from '../facts/finding-text.ts';
import {
  dataText,
  gapsText,
  groupPerformanceText,
  limitsText,
  measuresText,
  missingText,
  outputText,
  performanceText,
} from './audit-facts.ts';
import { type ChecklistItem, checklistText } from './checklist.ts';
import { type ExportOptions, markdownText } from './markdown.ts';

const ITEMS: readonly ChecklistItem[] = [
  {
    number: '1(a)',
    topic: 'Intended purpose, provider, version',
    fill: (_, { model }) => `System audited: ${markdownText(model)}.`,
    open: 'Purpose, provider, version and its relation to earlier ones.',
  },
  {
    number: '1(b)',
    topic: 'Interaction with other hardware and software',
    open: 'Other AI systems included.',
  },
  { number: '1(c)', topic: 'Versions of software and firmware', open: 'Requirements on updates.' },
  { number: '1(d)', topic: 'Forms of placing on the market', open: 'Packages, downloads, interfaces.' },
  { number: '1(e)', topic: 'Hardware to run on', open: 'Description.' },
  {
    number: '1(f)',
    topic: 'Product that it is a component of',
    open: 'Photographs or drawings, where it is one.',
  },
  { number: '1(g)', topic: 'User interface for the deployer', open: 'Basic description.' },
  { number: '1(h)', topic: 'Instructions for use', open: 'For the deployer.' },
  {
    number: '2(a)',
    topic: 'Methods and steps of development',
    open: 'Pre-trained systems and tools of others.',
  },
  {
    number: '2(b)',
    topic: 'Design specifications',
    fill: outputText,
    open: 'General logic, key choices, what is optimised for, trade-offs.',
  },
  {
    number: '2(c)',
    topic: 'Architecture and computing resources',
    open: 'Of development, training, testing, validation.',
  },
  {
    number: '2(d)',
    topic: 'Data requirements',
    fill: (audit, { source }) =>
      [`Test data: ${markdownText(source)}.`, dataText(audit), missingText(audit)]
        .filter((each) => each !== null)
        .join(' '),
    open: 'Training data, their provenance, scope, selection, labelling and cleaning.',
  },
  { number: '2(e)', topic: 'Human oversight (Article 14)', open: 'Measures needed.' },
  { number: '2(f)', topic: 'Changes determined beforehand', open: 'If there are any.' },
  {
    number: '2(g)',
    topic: 'Validation and testing: procedures, data, metrics, discriminatory impact',
    fill: (audit) =>
      [measuresText(audit), performanceText(audit), gapsText(audit)]
        .filter((each) => each !== null)
        .join(' '),
    open: 'Robustness; test logs and reports, dated and signed by the persons responsible.',
  },
  { number: '2(h)', topic: 'Cybersecurity measures', open: 'Put in place.' },
  {
    number: '3',
    topic:
      'Capabilities and limitations, accuracy for groups of persons, unintended outcomes, oversight, input',
    fill: (audit) =>
      [groupPerformanceText(audit), limitsText(audit)].filter((each) => each !== null).join(' '),
    open: 'Foreseeable unintended outcomes, sources of risk, oversight, specifications of input.',
  },
  {
    number: '4',
    topic: 'Why the metrics of performance are appropriate',
    fill: policyText,
    open: 'Why these metrics fit this system.',
  },
  { number: '5', topic: 'Risk management (Article 9)', open: 'Description of the system.' },
  { number: '6', topic: 'Changes over the lifecycle', open: 'Made by the provider.' },
  { number: '7', topic: 'Harmonised standards', open: 'Applied in full or in part, or other solutions.' },
  { number: '8', topic: 'EU declaration of conformity (Article 47)', open: 'A copy.' },
  { number: '9', topic: 'Post-market monitoring (Article 72)', open: 'System and plan.' },
];

const NOTE =
  'Annex IV of Regulation (EU) 2024/1689, technical documentation under Article 11(1). Points are named in short words; the text of the Regulation holds. Filled is what this audit can say, partly is what the provider has to complete; whether the documentation suffices is for the provider and the authorities to judge.';

/** The points of Annex IV of the EU AI Act, with what an audit fills and what is open. */
export function aiActChecklist(audit: AuditReport, options: ExportOptions): string {
  return checklistText(
    { title: 'EU AI Act, Annex IV: technical documentation', note: NOTE, items: ITEMS },
    audit,
    options,
  );
}

function policyText(_: AuditReport, { gate }: ExportOptions): string | null {
  if (gate === undefined) return null;
  const rules = gate.findings.map((finding) => markdownText(findingText(finding)));
  return `Limits set beforehand by the policy ${markdownText(gate.policy)}: ${rules.join('; ')}.`;
}
