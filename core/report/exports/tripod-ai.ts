import type { AuditReport } from '../../fairness/types.ts';
import { count } from '../text/format.ts';
import {
  dataText,
  gapsText,
  groupPerformanceText,
  groupsText,
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
    number: '1',
    topic: 'Title',
    fill: (_, { model }) => `Evaluation of ${markdownText(model)}.`,
    open: 'Target population and outcome.',
  },
  { number: '2', topic: 'Abstract', open: 'See TRIPOD+AI for abstracts.' },
  { number: '3a', topic: 'Healthcare context and rationale', open: 'Context, existing models.' },
  {
    number: '3b',
    topic: 'Target population and intended use',
    open: 'Population, place in the care pathway, users.',
  },
  {
    number: '3c',
    topic: 'Known health inequalities between groups',
    open: 'Inequalities known before the study.',
  },
  { number: '4', topic: 'Objectives', fill: () => 'Evaluation of an existing model.', open: 'Aims.' },
  {
    number: '5a',
    topic: 'Sources of data',
    fill: (_, { source }) => markdownText(source),
    open: 'Design, how far the data stand for the target population.',
  },
  { number: '5b', topic: 'Dates of data', open: 'Start and end of accrual and of follow-up.' },
  { number: '6a', topic: 'Setting', open: 'Kind, number and place of centres.' },
  { number: '6b', topic: 'Eligibility of participants', open: 'Criteria.' },
  { number: '6c', topic: 'Treatments received', open: 'If relevant.' },
  {
    number: '7',
    topic: 'Preparation of data',
    fill: binsText,
    open: 'Preparation before the audit, and whether it was alike for all groups.',
  },
  {
    number: '8a',
    topic: 'Outcome',
    fill: (audit) => `Binary label: ${count(audit.overall.positives)} positive.`,
    open: 'Definition, time horizon, assessment, whether alike for all groups.',
  },
  { number: '8b', topic: 'Assessors of the outcome', open: 'If assessment is subjective.' },
  { number: '8c', topic: 'Blinding to the outcome', open: 'Any blinding.' },
  { number: '9a', topic: 'Choice of predictors', open: 'Of the development study.' },
  { number: '9b', topic: 'Definition of predictors', open: 'How and when measured.' },
  { number: '9c', topic: 'Assessors of predictors', open: 'If assessment is subjective.' },
  { number: '10', topic: 'Sample size', fill: sizeText, open: 'How the size was arrived at.' },
  { number: '11', topic: 'Missing data', fill: missingText, open: 'Missing predictors and outcomes.' },
  {
    number: '12a',
    topic: 'Use of data in the analysis',
    fill: dataText,
    open: 'Partition of the data by the study.',
  },
  { number: '12b', topic: 'Handling of predictors', open: 'Of the development study.' },
  { number: '12c', topic: 'Type of model and its building', open: 'Of the development study.' },
  {
    number: '12d',
    topic: 'Heterogeneity between clusters',
    fill: clusterText,
    open: 'Heterogeneity between centres.',
  },
  { number: '12e', topic: 'Measures of performance', fill: measuresText, open: 'Clinical utility.' },
  { number: '12f', topic: 'Updating of the model', open: 'If it was updated.' },
  { number: '12g', topic: 'How predictions were made', open: 'Code, formula or interface.' },
  {
    number: '13',
    topic: 'Class imbalance',
    fill: imbalanceText,
    open: 'Methods used against it, and recalibration after.',
  },
  {
    number: '14',
    topic: 'Approaches to fairness',
    fill: () => 'Gaps between groups were measured, with intervals and tests.',
    open: 'Approaches in development, and why.',
  },
  { number: '15', topic: 'Output of the model', fill: outputText, open: 'How the threshold was chosen.' },
  {
    number: '16',
    topic: 'Development against evaluation data',
    open: 'Differences in setting, criteria, outcome, predictors.',
  },
  { number: '17', topic: 'Ethical approval', open: 'Approval and consent.' },
  { number: '18a', topic: 'Funding', open: 'Sources and role of funders.' },
  { number: '18b', topic: 'Conflicts of interest', open: 'Of all authors.' },
  { number: '18c', topic: 'Protocol', open: 'Where it can be found.' },
  { number: '18d', topic: 'Registration', open: 'Register and number.' },
  { number: '18e', topic: 'Data sharing', open: 'Availability of data.' },
  {
    number: '18f',
    topic: 'Code sharing',
    fill: () => 'Audit by counterweight; settings and seed are in audit.json.',
    open: 'Code of the study.',
  },
  { number: '19', topic: 'Patient and public involvement', open: 'Involvement, or that there was none.' },
  { number: '20a', topic: 'Flow of participants', fill: dataText, open: 'Diagram, follow-up.' },
  {
    number: '20b',
    topic: 'Characteristics by setting and group',
    fill: groupsText,
    open: 'Dates, predictors, missing data by group.',
  },
  {
    number: '20c',
    topic: 'Comparison with development data',
    open: 'Distribution of predictors and outcome.',
  },
  { number: '21', topic: 'Participants and events in each analysis', fill: eventsText, open: null },
  {
    number: '22',
    topic: 'Specification of the full model',
    open: 'To allow predictions for new individuals.',
  },
  {
    number: '23a',
    topic: 'Performance with intervals, also of key subgroups',
    fill: (audit) =>
      [performanceText(audit), groupPerformanceText(audit)].filter((each) => each !== null).join(' '),
    open: null,
  },
  {
    number: '23b',
    topic: 'Heterogeneity of performance',
    fill: gapsText,
    open: 'Between centres and over time.',
  },
  { number: '24', topic: 'Results of updating', open: 'If it was updated.' },
  { number: '25', topic: 'Interpretation, fairness included', open: 'For people to judge.' },
  { number: '26', topic: 'Limitations', fill: limitsText, open: 'Of the study.' },
  { number: '27a', topic: 'Use with poor or missing input', open: 'Handling in use.' },
  { number: '27b', topic: 'Interaction and expertise of users', open: 'What users need.' },
  { number: '27c', topic: 'Next steps', open: 'Applicability, generalisability.' },
];

const NOTE =
  'TRIPOD+AI: Collins et al., BMJ 2024;385:e078378. Topics are named in short words; the published checklist holds. Filled is what this audit of a model can say, partly is what people have to complete.';

/** The 27 items of TRIPOD+AI (52 with their parts), with what an audit fills and what is open. */
export function tripodAiChecklist(audit: AuditReport, options: ExportOptions): string {
  return checklistText({ title: 'TRIPOD+AI checklist', note: NOTE, items: ITEMS }, audit, options);
}

function binsText({ input }: AuditReport): string | null {
  if (input === undefined || input.bins.length === 0) return null;
  const each = input.bins.map(
    ({ sensitiveFeature, rule, edges }) =>
      `${markdownText(sensitiveFeature)} cut at ${edges.join(', ')} (${rule})`,
  );
  return `${each.join('; ')}.`;
}

function sizeText({ overall, features }: AuditReport): string {
  const gaps = features.flatMap(({ sensitiveFeature, disparities }) => {
    const least = disparities.equalOpportunityDifference.smallestDetectable;
    return least === null ? [] : [`${markdownText(sensitiveFeature)} ${least.toFixed(3)}`];
  });
  const power =
    gaps.length === 0 ? '' : ` Smallest gap in sensitivity that it could show: ${gaps.join(', ')}.`;
  return `${count(overall.support)} samples.${power}`;
}

function clusterText({ clusters }: AuditReport): string | null {
  return clusters === null ? null : `Rows of ${count(clusters)} subjects; intervals by subject.`;
}

function imbalanceText({ overall }: AuditReport): string {
  return `${count(overall.positives)} positive, ${count(overall.negatives)} negative.`;
}

function eventsText({ overall, features }: AuditReport): string {
  const each = features.flatMap(({ sensitiveFeature, groups }) =>
    groups.map(
      ({ group, support, positives }) =>
        `${markdownText(sensitiveFeature)} ${markdownText(group)}: ${count(support)}, ${count(positives)} positive`,
    ),
  );
  return [`All: ${count(overall.support)}, ${count(overall.positives)} positive`, ...each]
    .join('; ')
    .concat('.');
}
