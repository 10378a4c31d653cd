import { isDeepStrictEqual } from 'node:util';
import { meanOfClasses } from './classes.ts';
import { disparity } from './disparity.ts';
import { worstGroups } from './feature-audit.ts';
import { balancedAccuracy, measureRate } from './rates.ts';
import type { AuditReport, ClassAudit, FeatureAudit, GroupMetrics, Interval } from './types.ts';
import { DISPARITY_NAMES, RATE_NAMES } from './types.ts';

/** Rounding that a second computation of one figure may differ by. */
const ROUNDING = 1e-9;

/**
 * What in an audit does not follow from its own counts, a sentence each; empty for one that is whole. What needs
 * the scores (AUC, calibration, tests) is held against its interval and against what rests on it only.
 */
export function auditInconsistencies(audit: AuditReport): string[] {
  if (audit.classes !== undefined) return classProblems(audit, audit.classes);
  return ownProblems(audit);
}

/** Each class has counts of its own; the rest are means over them. */
function classProblems(audit: AuditReport, classes: readonly ClassAudit[]): string[] {
  const mean = meanOfClasses(classes);
  const isMean = isDeepStrictEqual(
    JSON.parse(JSON.stringify(mean)),
    JSON.parse(JSON.stringify({ overall: audit.overall, features: audit.features })),
  );
  return [
    ...(isMean ? [] : ['the figures of all classes are not the means of those of each']),
    ...classes.flatMap(({ label, overall, features }) =>
      ownProblems({ ...audit, overall, features }).map((problem) => `class "${label}": ${problem}`),
    ),
  ];
}

function ownProblems(audit: AuditReport): string[] {
  return [
    ...groupProblems('all samples', audit.overall, audit),
    ...audit.features.flatMap((feature) => featureProblems(feature, audit)),
  ];
}

function featureProblems(feature: FeatureAudit, audit: AuditReport): string[] {
  const { sensitiveFeature: name, groups, attributes } = feature;
  const sums = (['support', 'positives', 'negatives'] as const).flatMap((field) => {
    const sum = groups.reduce((total, group) => total + group[field], 0);
    return sum === audit.overall[field] || attributes.length > 1
      ? []
      : [`${name}: ${field} of the groups add up to ${sum}, all samples have ${audit.overall[field]}`];
  });
  return [
    ...sums,
    ...groups.flatMap((group) => groupProblems(`${name} "${group.group}"`, group, audit)),
    ...disparityProblems(feature),
    ...worstProblems(feature),
  ];
}

function groupProblems(where: string, group: GroupMetrics, audit: AuditReport): string[] {
  const { counts, support, positives, negatives } = group;
  const { truePositives: tp, falsePositives: fp, trueNegatives: tn, falseNegatives: fn } = counts;
  const sums = [
    ['support', support, positives + negatives],
    ['positives', positives, tp + fn],
    ['negatives', negatives, tn + fp],
  ] as const;
  return [
    ...sums
      .filter(([, has, expected]) => has !== expected)
      .map(([field, has, expected]) => `${where}: ${field} is ${has}, its counts give ${expected}`),
    ...RATE_NAMES.flatMap((name) =>
      rateProblem(`${where}: ${name}`, [tn, fp, fn, tp], { group, audit, name }),
    ),
    ...statisticProblems(where, group),
    ...sweepProblems(where, group, audit),
  ];
}

interface RateOf {
  readonly group: GroupMetrics;
  readonly audit: AuditReport;
  readonly name: (typeof RATE_NAMES)[number];
}

function rateProblem(where: string, rows: readonly number[], { group, audit, name }: RateOf): string[] {
  const has = group.rates[name];
  const { rate } = measureRate({ rows, weights: null, effective: null }, name, audit.level);
  const isPlain = !audit.isWeighted && audit.clusters === null;
  if (has.numerator !== rate.numerator || has.support !== rate.support) {
    return [
      `${where} is ${has.numerator} of ${has.support}, its counts give ${rate.numerator} of ${rate.support}`,
    ];
  }
  if (!audit.isWeighted && !isSame(has.value, rate.value)) {
    return [`${where} is ${has.value}, its counts give ${rate.value}`];
  }
  const isOther = isPlain && has.interval !== null && !sameInterval(has.interval, rate.interval);
  return isOther ? [`${where}: its interval does not follow from its counts`] : [];
}

function statisticProblems(where: string, group: GroupMetrics): string[] {
  const { value } = balancedAccuracy(group.rates);
  const balanced = isSame(group.balancedAccuracy.value, value)
    ? []
    : [`${where}: balancedAccuracy is ${group.balancedAccuracy.value}, its rates give ${value}`];
  const outside = (['auc', 'brier'] as const)
    .filter((name) => !isInside(group[name].value, group[name].interval))
    .map((name) => `${where}: ${name} is ${group[name].value}, outside of its own interval or of 0 to 1`);
  return [...balanced, ...outside];
}

function isInside(value: number | null, interval: Interval | null): boolean {
  if (value === null) return true;
  const { low, high } = interval ?? { low: 0, high: 1 };
  return value >= 0 && value <= 1 && value >= low - ROUNDING && value <= high + ROUNDING;
}

/** The sweep at the audit's threshold is the confusion table. */
function sweepProblems(where: string, { sweep, counts }: GroupMetrics, audit: AuditReport): string[] {
  const place = audit.threshold === null ? -1 : audit.thresholds.indexOf(audit.threshold);
  if (sweep === null || place === -1) return [];
  const isEqual =
    sweep.truePositives[place] === counts.truePositives &&
    sweep.falsePositives[place] === counts.falsePositives;
  return isEqual ? [] : [`${where}: its counts are not those of the sweep at the threshold`];
}

function disparityProblems({ sensitiveFeature, groups, disparities, ...context }: FeatureAudit): string[] {
  return DISPARITY_NAMES.flatMap((name) => {
    const has = disparities[name];
    const found = disparity(name, groups, context);
    const where = `${sensitiveFeature}: ${name}`;
    if (!isSame(has.value, found.value)) return [`${where} is ${has.value}, its groups give ${found.value}`];
    if (!isSame(has.amongSupported, found.amongSupported)) {
      return [`${where} among supported groups is ${has.amongSupported}, they give ${found.amongSupported}`];
    }
    const [first, second] = [has, found].map(({ unsupportedGroups }) => unsupportedGroups.join('\n'));
    return first === second ? [] : [`${where}: the groups without support are not those that lack it`];
  });
}

function worstProblems({ sensitiveFeature, groups, worstGroups: has }: FeatureAudit): string[] {
  return worstGroups(groups)
    .filter(({ metric, group, value }) => {
      const own = has.find((each) => each.metric === metric);
      return own === undefined || own.group !== group || !isSame(own.value, value);
    })
    .map(
      ({ metric }) => `${sensitiveFeature}: the worst group by ${metric} is not the one that its groups give`,
    );
}

function isSame(first: number | null, second: number | null): boolean {
  if (first === null || second === null) return first === second;
  return Math.abs(first - second) <= ROUNDING;
}

function sameInterval(first: Interval, second: Interval | null): boolean {
  return second !== null && isSame(first.low, second.low) && isSame(first.high, second.high);
}
