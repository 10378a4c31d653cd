import type { LibraryReport } from '../../core/fairness/libraries/index.ts';
import type { LibraryNumber } from '../../core/fairness/libraries/types.ts';
import type { GateResult } from '../../core/fairness/policy/gate.ts';
import type { AuditReport, Disparity, FeatureAudit, GroupMetrics } from '../../core/fairness/types.ts';
import type { ControlsRecord } from '../../core/jobs/run-record.ts';
import { findingText } from '../../core/report/facts/finding-text.ts';
import { maskSentence } from '../../core/report/facts/mask-verdict.ts';
import type { MitigationResult } from '../run-job.ts';

const NOT_DEFINED = 'n/a';

/** An audit as plain text: one table per sensitive feature, then its disparities and the warnings. */
export function auditTable(report: AuditReport): string {
  const { overall, features, threshold, warnings } = report;
  const at = threshold === null ? 'predictions as given' : `predicted positive at score >= ${threshold}`;
  return [
    `${overall.support} samples, ${overall.positives} positive, ${at}`,
    ...features.map((feature) => featureTable(feature, overall)),
    ...(warnings.length > 0
      ? [['Limits', ...warnings.map((warning) => `  ${printable(warning)}`)].join('\n')]
      : []),
  ].join('\n\n');
}

function featureTable(
  { sensitiveFeature, groups, disparities }: FeatureAudit,
  overall: GroupMetrics,
): string {
  const rows = [...groups, overall].map((group) => [
    group.group,
    String(group.support),
    String(group.positives),
    number(group.rates.selectionRate.value),
    number(group.rates.truePositiveRate.value),
    number(group.rates.falsePositiveRate.value),
    number(group.rates.falseNegativeRate.value),
    number(group.rates.positivePredictiveValue.value),
    number(group.rates.accuracy.value),
    number(group.auc.value),
  ]);
  const header = [
    sensitiveFeature,
    'support',
    'positive',
    'selected',
    'TPR',
    'FPR',
    'FNR',
    'PPV',
    'accuracy',
    'AUC',
  ];
  const gaps = Object.entries(disparities).map(([name, disparity]) => [
    name,
    gapText(disparity),
    intervalText(disparity),
    pValueText(disparity),
  ]);
  return `${textTable([header, ...rows])}\n\n${textTable(gaps, 'left')}`;
}

function gapText({ value, amongSupported, unsupportedGroups, reason }: Disparity): string {
  if (value !== null) return number(value);
  const others =
    amongSupported === null ? '' : `; ${number(amongSupported)} without ${unsupportedGroups.join(', ')}`;
  return `${NOT_DEFINED} (${reason}${others})`;
}

function intervalText({ interval }: Pick<Disparity, 'interval'>): string {
  return interval === null ? '' : `${number(interval.low)} to ${number(interval.high)}`;
}

function pValueText({ test }: Pick<Disparity, 'test'>): string {
  if (test === null) return '';
  return test.adjustedPValue < 0.0001 ? 'p < 0.0001' : `p ${number(test.adjustedPValue)}`;
}

/** What a policy found: the verdict, then a line for each rule and feature. */
export function gateTable({ policy, verdict, findings }: GateResult): string {
  const lines = findings.map((finding) => `  ${printable(findingText(finding))}`);
  return [`${printable(policy)}: ${verdict}`, ...lines].join('\n');
}

/** Numbers under the names of a library, ours beside each. */
export function libraryTable({ title, version, features }: LibraryReport): string {
  const parts = features.map(({ sensitiveFeature, label, numbers }) => {
    const heading = `${sensitiveFeature}${label === undefined ? '' : `, ${label} against the rest`}`;
    const rows = [['name', 'group', title, 'counterweight'], ...numbers.map(libraryRow)];
    return `${printable(heading)}\n${textTable(rows, 'left')}`;
  });
  return [`as ${title} ${version} prints it`, ...parts].join('\n\n');
}

function libraryRow({ name, group, against, value, reason, ours }: LibraryNumber): string[] {
  const groups = [group, against].filter((each) => each !== null).join(' / ');
  const theirs = typeof value === 'number' ? number(value) : String(value ?? reason ?? NOT_DEFINED);
  if (ours === null) return [name, groups, theirs, ''];
  const { reason: why } = ours;
  return [
    name,
    groups,
    theirs,
    `${ours.name} ${ours.value === null ? `${NOT_DEFINED} (${why})` : number(ours.value)}`,
  ];
}

function changesByGroup(name: string, before: AuditReport, after: AuditReport | null): string {
  const groupsOf = ({ features }: AuditReport) =>
    features.find(({ sensitiveFeature }) => sensitiveFeature === name)!.groups;
  const later = after === null ? null : groupsOf(after);
  const rows = groupsOf(before).map((group, place) => {
    const next = later?.[place];
    const change = (pick: (group: GroupMetrics) => number | null) =>
      `${number(pick(group))} → ${next ? number(pick(next)) : '–'}`;
    return [
      group.group,
      String(group.support),
      change(({ rates }) => rates.truePositiveRate.value),
      change(({ rates }) => rates.falsePositiveRate.value),
      change(({ auc }) => auc.value),
    ];
  });
  return textTable([[name, 'support', 'TPR', 'FPR', 'AUC'], ...rows]);
}

/** Before and after of a mitigation, group by group. */
export function mitigationTable({
  outcome,
  before,
  after,
  data,
  candidates,
  controls,
}: Omit<MitigationResult, 'audited' | 'splits' | 'mask'>): string {
  const targets = outcome.features ?? [outcome];
  const chosen = candidates.find(({ isChosen }) => isChosen);
  const whole = [
    [outcome.metric, `${number(outcome.before)} → ${number(outcome.after)}`],
    ...(outcome.features ?? []).map((each) => [
      `  by ${each.sensitiveFeature}`,
      `${number(each.before)} → ${number(each.after)}`,
    ]),
    ['AUC', `${number(outcome.aucBefore)} → ${number(outcome.aucAfter)}`],
    ...(chosen ? [['candidate', `${chosen.id}, one of ${candidates.length}`]] : []),
  ];
  const where = data.isIndependent ? '' : ', which also steered the run, so these figures are optimistic';
  return [
    `${outcome.status} (audited on ${data.auditedOn} data${where})`,
    ...targets.map(({ sensitiveFeature }) => changesByGroup(sensitiveFeature, before, after)),
    textTable(whole, 'left'),
    ...(outcome.reasons.length > 0
      ? [outcome.reasons.map((reason) => `- ${printable(reason)}`).join('\n')]
      : []),
    ...(controls && outcome.status === 'improved' ? [maskText(controls)] : []),
  ].join('\n\n');
}

function maskText({ results, level }: ControlsRecord): string {
  const sentences = results.flatMap(({ control, difference }) =>
    difference ? [maskSentence({ method: 'the run', control, ...difference }, { level })] : [],
  );
  return sentences.map((sentence) => `- ${sentence}`).join('\n');
}

export function number(value: number | null): string {
  return value === null ? NOT_DEFINED : value.toFixed(4);
}

/** Group names are data: a control character in one must not reach the terminal. */
export function printable(text: string): string {
  return text.replace(/\p{C}/gu, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
}

/** Columns padded to their widest cell, the first aligned left, the others as asked. */
export function textTable(rows: readonly (readonly string[])[], align: 'left' | 'right' = 'right'): string {
  const cells = rows.map((row) => row.map(printable));
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  const pad = (cell: string, column: number) =>
    column === 0 || align === 'left' ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!);
  return cells.map((row) => row.map(pad).join('  ').trimEnd()).join('\n');
}
