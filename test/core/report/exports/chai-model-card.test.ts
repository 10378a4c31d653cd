import { beforeAll, describe, expect, it } from 'vitest';
import { chaiModelCard } from '../../../../core/report/exports/chai-model-card.ts';
import { startBackend } from '../../../../worker/backend.ts';
import { measuredAudit } from '../../../helpers/measured-audits.ts';
import { FIVE_GROUPS, HOSTILE_AUDIT } from '../../../helpers/report-samples.ts';

const OPTIONS = { model: 'skin <CNN> & co.', source: 'scores.csv' };

/** What version 0.2 of the schema asks for: elements in this order, `?` those that may be absent. */
const SCHEMA: Readonly<Record<string, readonly string[]>> = {
  AppliedModelCard: [
    'BasicInfo',
    'ReleaseInfo',
    'ModelSummary',
    'UsesAndDirections',
    'Warnings',
    'TrustIngredients',
    'KeyMetrics',
    'Resources',
    'Bibliography',
  ],
  BasicInfo: ['ModelName', 'ModelDeveloper', 'DeveloperContact'],
  ReleaseInfo: ['ReleaseStage', 'ReleaseDate', 'ReleaseVersion', 'GlobalAvailability', 'RegulatoryApproval?'],
  ModelSummary: ['Summary', 'Keywords'],
  UsesAndDirections: [
    'IntendedUseAndWorkflow',
    'PrimaryIntendedUsers',
    'HowToUse',
    'TargetedPatientPopulation',
    'CautionedOutOfScopeSettings',
  ],
  Warnings: ['KnownRisksAndLimitations', 'KnownBiasesOrEthicalConsiderations', 'ClinicalRiskLevel'],
  TrustIngredients: ['AISystemFacts', 'TransparencyInformation'],
  AISystemFacts: [
    'OutcomesAndOutputs',
    'ModelType',
    'FoundationModels?',
    'InputDataSource',
    'OutputAndInputDataTypes',
    'DevelopmentDataCharacterization',
    'BiasMitigationApproaches',
    'OngoingMaintenance',
    'Security?',
    'Transparency?',
  ],
  TransparencyInformation: ['FundingSource', 'ThirdPartyInformation?', 'StakeholdersConsulted'],
  KeyMetrics: ['UsefulnessUsabilityEfficacy', 'FairnessEquity', 'SafetyReliability'],
  Results: ['MetricResult'],
  MetricResult: ['Label', 'ValueJson'],
  Resources: ['EvaluationReferences?', 'PeerReviewedPublications', 'PatientConsentOrDisclosure'],
};
const METRIC = [
  'MetricGoal',
  'Results',
  'Interpretation',
  'TestType',
  'TestingDataDescription',
  'ValidationProcessAndJustification',
];

interface Node {
  readonly name: string;
  readonly children: Node[];
}

/** Elements of a document without attributes but for the root's; throws where tags do not match. */
function parse(xml: string): Node {
  const root: Node = { name: '', children: [] };
  const open = [root];
  for (const [, slash, name, end] of xml.matchAll(/<(\/?)([A-Za-z]+)[^>]*?(\/?)>/g)) {
    if (slash) {
      if (open.pop()!.name !== name) throw new Error(`${name} closes another element`);
      continue;
    }
    const node = { name: name!, children: [] };
    open.at(-1)!.children.push(node);
    if (!end) open.push(node);
  }
  if (open.length !== 1) throw new Error('an element stays open');
  return root.children[0]!;
}

function expectValid({ name, children }: Node): void {
  const asked = SCHEMA[name] ?? (SCHEMA.KeyMetrics!.includes(name) ? METRIC : []);
  const names = children.map((child) => child.name);
  if (name === 'Results') expect(new Set(names)).toEqual(new Set(asked));
  else
    expect(names, name).toEqual(
      asked.filter((each) => !each.endsWith('?') || names.includes(each.slice(0, -1))),
    );
  children.forEach(expectValid);
}

describe('chaiModelCard', () => {
  beforeAll(async () => {
    await startBackend('cpu');
  });

  it('has the elements that the schema asks for, in its order, whatever the audit', () => {
    for (const audit of [measuredAudit(), FIVE_GROUPS, HOSTILE_AUDIT]) {
      expectValid(parse(chaiModelCard(audit, OPTIONS)));
    }
  });

  it('holds any text as text', () => {
    const card = chaiModelCard(HOSTILE_AUDIT, OPTIONS);
    expect(card).toContain('<ModelName>skin &lt;CNN&gt; &amp; co.</ModelName>');
    expect(card).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: XML 1.0 has none
    expect(card).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/);
  });

  it('gives figures with their intervals, and names those that are not defined', () => {
    const audit = measuredAudit();
    const card = chaiModelCard(audit, OPTIONS);
    const { value, interval } = audit.overall.auc;
    const figures = JSON.stringify({
      kind: 'estimate_ci',
      estimate: Number(value!.toPrecision(4)),
      lower: Number(interval!.low.toPrecision(4)),
      upper: Number(interval!.high.toPrecision(4)),
      level: 95,
      unit: '',
    });
    expect(card).toContain(`<Label>AUC</Label>\n\t\t\t\t\t<ValueJson>${figures}</ValueJson>`);
    const other = chaiModelCard(FIVE_GROUPS, OPTIONS);
    expect(other).toContain('Sensitivity, age group: 0–19 is not defined: no samples to divide by.');
    expect(other).toContain('{"kind":"single","value":93.19,"unit":"%"}'); // specificity of 20–39: 301 of 323
  });
});
