import type { AuditReport, Interval, Statistic } from '../../fairness/types.ts';
import { findingText } from '../facts/finding-text.ts';
import { ENGLISH } from '../language/language.ts';
import { shownDisparity, shownRate } from '../tables/figure-cells.ts';
import { count, thresholdText } from '../text/format.ts';
import { DISPARITY_WORDS } from '../text/words.ts';
import type { ExportOptions } from './markdown.ts';

/** An element with its text, or with the elements inside. */
type Element = readonly [name: string, content: string | readonly Element[]];

const OPEN = 'Not part of the audit: to be stated by the developer.';
const NAMESPACE = 'https://mc.chai.org/v0.2/schema.xsd';

/**
 * An Applied Model Card of the Coalition for Health AI, version 0.2 of its schema, with what an audit can say. The
 * schema knows whole cards only, so every other element is there too and says that it is open.
 *
 * @see docs/report.md#exports
 */
export function chaiModelCard(audit: AuditReport, options: ExportOptions): string {
  const card: readonly Element[] = [
    ['BasicInfo', open(['ModelName', options.model], ['ModelDeveloper'], ['DeveloperContact'])],
    ['ReleaseInfo', open(['ReleaseStage'], ['ReleaseDate'], ['ReleaseVersion'], ['GlobalAvailability'])],
    [
      'ModelSummary',
      [
        ['Summary', OPEN],
        ['Keywords', []],
      ],
    ],
    [
      'UsesAndDirections',
      open(
        ['IntendedUseAndWorkflow'],
        ['PrimaryIntendedUsers'],
        ['HowToUse'],
        ['TargetedPatientPopulation'],
        ['CautionedOutOfScopeSettings'],
      ),
    ],
    ['Warnings', warnings(audit, options)],
    ['TrustIngredients', trustIngredients(audit)],
    ['KeyMetrics', keyMetrics(audit, options)],
    ['Resources', open(['PeerReviewedPublications'], ['PatientConsentOrDisclosure'])],
    ['Bibliography', ''],
  ];
  return `<?xml version="1.0" encoding="UTF-8"?>
<AppliedModelCard xmlns="${NAMESPACE}">
${card.map((each) => elementText(each, 1)).join('')}</AppliedModelCard>
`;
}

function open(...elements: readonly (readonly [name: string, content?: string])[]): Element[] {
  return elements.map(([name, content = OPEN]) => [name, content]);
}

function elementText([name, content]: Element, depth: number): string {
  const indent = '\t'.repeat(depth);
  if (typeof content === 'string') return `${indent}<${name}>${xmlText(content)}</${name}>\n`;
  if (content.length === 0) return `${indent}<${name}/>\n`;
  return `${indent}<${name}>\n${content.map((each) => elementText(each, depth + 1)).join('')}${indent}</${name}>\n`;
}

/** Text as XML 1.0 can hold it. */
function xmlText(text: string): string {
  return text
    .replace(/(?![\t\n\r])[\p{Cc}\p{Cs}\ufffe\uffff]/gu, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}

function warnings(audit: AuditReport, { gate }: ExportOptions): Element[] {
  const { limits } = ENGLISH.t;
  const recorded = audit.warnings.map((warning) => `- ${warning}`);
  const findings = gate === undefined ? [] : gate.findings.map((finding) => `- ${findingText(finding)}`);
  return [
    [
      'KnownRisksAndLimitations',
      [...recorded, `- ${limits.intervals(ENGLISH.percent(audit.level))}`, `- ${OPEN}`].join('\n'),
    ],
    [
      'KnownBiasesOrEthicalConsiderations',
      [...gapLines(audit), ...findings, `- ${limits.notCause}`].join('\n'),
    ],
    ['ClinicalRiskLevel', OPEN],
  ];
}

function gapLines({ features }: AuditReport): string[] {
  return features.map(({ sensitiveFeature, disparities }) => {
    const { equalizedOddsDifference: gap } = disparities;
    const value = shownDisparity(gap);
    const found =
      value === null ? `not defined (${gap.reason ?? 'no reason recorded'})` : ENGLISH.rate(value);
    const within = value !== null && gap.interval ? ` (${ENGLISH.range(gap.interval)})` : '';
    return `- ${DISPARITY_WORDS.equalizedOddsDifference.label} by ${sensitiveFeature}: ${found}${within}`;
  });
}

function trustIngredients({ threshold }: AuditReport): Element[] {
  return [
    [
      'AISystemFacts',
      open(
        ['OutcomesAndOutputs', `Binary prediction; decision threshold: ${thresholdText(threshold)}. ${OPEN}`],
        ['ModelType'],
        ['InputDataSource'],
        ['OutputAndInputDataTypes'],
        ['DevelopmentDataCharacterization'],
        ['BiasMitigationApproaches'],
        ['OngoingMaintenance'],
      ),
    ],
    ['TransparencyInformation', open(['FundingSource'], ['StakeholdersConsulted'])],
  ];
}

/** A figure under its label; one that is not defined is named in the interpretation instead. */
interface Metric {
  readonly label: string;
  readonly figure: Statistic;
  /** Shown as a percentage. */
  readonly isShare?: boolean;
}

function keyMetrics(audit: AuditReport, { source }: ExportOptions): Element[] {
  const { overall } = audit;
  const data = `${source}: ${count(overall.support)} samples, ${count(overall.positives)} of them positive.`;
  const about = { audit, data };
  return [
    keyMetric('UsefulnessUsabilityEfficacy', 'Tell positives from negatives.', {
      ...about,
      metrics: quality(audit),
    }),
    keyMetric('FairnessEquity', 'Equal figures for all groups.', { ...about, metrics: equity(audit) }),
    keyMetric('SafetyReliability', 'Scores that can be read as probabilities.', {
      ...about,
      metrics: reliability(audit),
    }),
  ];
}

interface KeyMetric {
  readonly audit: AuditReport;
  readonly data: string;
  readonly metrics: readonly Metric[];
}

function keyMetric(name: string, goal: string, { audit, data, metrics }: KeyMetric): Element {
  const { overall, level } = audit;
  const samples = { kind: 'single', value: overall.support, unit: 'samples' };
  const results: Element[] = [
    metricResult('Samples audited', samples),
    ...metrics.flatMap((metric) => resultOf(metric, level)),
  ];
  const lacking = metrics.filter(({ figure }) => figure.value === null);
  const undefinedText = lacking.map(
    ({ label, figure }) => `${label} is not defined: ${figure.reason ?? 'no samples to divide by'}.`,
  );
  return [
    name,
    [
      ['MetricGoal', goal],
      ['Results', results],
      ['Interpretation', [...undefinedText, OPEN].join('\n')],
      ['TestType', 'Audit of predictions against labels, by group.'],
      ['TestingDataDescription', `${data} ${OPEN}`],
      ['ValidationProcessAndJustification', OPEN],
    ],
  ];
}

function metricResult(label: string, value: object): Element {
  return [
    'MetricResult',
    [
      ['Label', label],
      ['ValueJson', JSON.stringify(value)],
    ],
  ];
}

function resultOf({ label, figure, isShare = false }: Metric, level: number): Element[] {
  const { value, interval } = figure;
  if (value === null) return [];
  const scaled = (each: number) => Number((isShare ? each * 100 : each).toPrecision(4));
  const unit = isShare ? '%' : '';
  return [
    metricResult(
      label,
      interval === null
        ? { kind: 'single', value: scaled(value), unit }
        : {
            kind: 'estimate_ci',
            estimate: scaled(value),
            ...endsOf(interval, scaled),
            level: Number((level * 100).toPrecision(6)),
            unit,
          },
    ),
  ];
}

function endsOf({ low, high }: Interval, scaled: (value: number) => number) {
  return { lower: scaled(low), upper: scaled(high) };
}

function quality({ overall }: AuditReport): Metric[] {
  const { rates, auc, balancedAccuracy } = overall;
  return [
    { label: 'AUC', figure: auc },
    { label: 'Sensitivity', figure: rates.truePositiveRate, isShare: true },
    { label: 'Specificity', figure: rates.trueNegativeRate, isShare: true },
    { label: 'Positive predictive value', figure: rates.positivePredictiveValue, isShare: true },
    { label: 'Balanced accuracy', figure: balancedAccuracy, isShare: true },
  ];
}

const GAPS = [
  'demographicParityRatio',
  'equalOpportunityDifference',
  'equalizedOddsDifference',
  'aucDifference',
] as const;

function equity({ features }: AuditReport): Metric[] {
  return features.flatMap(({ sensitiveFeature, disparities, groups }) => [
    ...GAPS.map((name) => ({
      label: `${DISPARITY_WORDS[name].label} by ${sensitiveFeature}`,
      figure: { ...disparities[name], value: shownDisparity(disparities[name]) },
    })),
    ...groups.flatMap(({ group, rates, auc }): Metric[] => {
      const { truePositiveRate, trueNegativeRate } = rates;
      const where = `${sensitiveFeature}: ${group}`;
      return [
        {
          label: `Sensitivity, ${where}`,
          figure: { ...truePositiveRate, value: shownRate(truePositiveRate) },
          isShare: true,
        },
        {
          label: `Specificity, ${where}`,
          figure: { ...trueNegativeRate, value: shownRate(trueNegativeRate) },
          isShare: true,
        },
        { label: `AUC, ${where}`, figure: auc },
      ];
    }),
  ]);
}

function reliability({ overall }: AuditReport): Metric[] {
  const { calibration, brier } = overall;
  const { error = brier, slope = brier, intercept = brier } = calibration ?? {};
  return [
    { label: 'Expected calibration error', figure: error },
    { label: 'Calibration slope', figure: slope },
    { label: 'Calibration in the large', figure: intercept },
    { label: 'Brier score', figure: brier },
  ];
}
