import { NonFiniteError, ShapeMismatchError } from '../errors.ts';
import { disparities } from './disparity.ts';
import { NO_SCORES } from './figures.ts';
import { areaUnderRocCurve } from './ranking.ts';
import { balancedAccuracy, ratesOf } from './rates.ts';
import { tally } from './tally.ts';
import type {
  AuditReport,
  ConfusionCounts,
  FeatureAudit,
  GroupMetrics,
  MinSupport,
  SensitiveFeature,
  Statistic,
  WorstGroup,
} from './types.ts';

/** A cell below this many samples is named in the warnings: its rate moves by more than 3 points a sample. */
const SMALL_CELL = 30;
const MIN_SUPPORT: MinSupport = {
  group: SMALL_CELL,
  positives: SMALL_CELL,
  negatives: SMALL_CELL,
  action: 'mark',
};

/** Either scores with a threshold, or predictions made elsewhere. */
export type Decisions =
  | { readonly scores: ArrayLike<number>; readonly threshold: number }
  | { readonly predictions: Int32Array };

export interface AuditInput {
  /** [N] 0 or 1 */
  readonly labels: Int32Array;
  readonly sensitiveFeatures: readonly SensitiveFeature[];
  readonly decisions: Decisions;
}

/**
 * Rates, AUC and disparities of each group of each sensitive feature.
 *
 * A sample is predicted positive when score >= threshold.
 *
 * @throws ShapeMismatchError when arrays differ in length
 * @throws NonFiniteError when a score is NaN or infinite
 */
export function audit({ labels, sensitiveFeatures, decisions }: AuditInput): AuditReport {
  const predictions = predictionsOf(decisions);
  assertLengths(labels, predictions, sensitiveFeatures);
  const scores = 'scores' in decisions ? decisions.scores : null;
  const features = sensitiveFeatures.map((feature) => auditFeature({ labels, predictions, scores, feature }));
  const everyone = tally({ groups: new Int32Array(labels.length), labels, predictions, groupCount: 1 })[0]!;
  const overall = groupMetrics('(all)', everyone, aucOver({ labels, scores }));
  return {
    schemaVersion: 2,
    threshold: 'scores' in decisions ? decisions.threshold : null,
    level: 0.95,
    replicates: 0,
    seed: 0,
    minSupport: MIN_SUPPORT,
    ranks: scores === null ? null : 'exact',
    isWeighted: false,
    clusters: null,
    thresholds: [],
    overall,
    features,
    warnings: [...classWarnings(overall), ...features.flatMap(featureWarnings)],
  };
}

/** [N] 1 where score >= threshold */
export function predictionsOf(decisions: Decisions): Int32Array {
  if ('predictions' in decisions) return decisions.predictions;
  const { scores, threshold } = decisions;
  return Int32Array.from({ length: scores.length }, (_, index) => {
    const score = scores[index]!;
    if (!Number.isFinite(score)) {
      throw new NonFiniteError(
        `score ${index + 1} of ${scores.length} is ${score}, expected a finite number`,
        {
          where: 'scores',
          index,
        },
      );
    }
    return score >= threshold ? 1 : 0;
  });
}

interface FeatureInput {
  readonly labels: Int32Array;
  readonly predictions: Int32Array;
  readonly scores: ArrayLike<number> | null;
  readonly feature: SensitiveFeature;
}

function auditFeature({ labels, predictions, scores, feature }: FeatureInput): FeatureAudit {
  const { groups, groupNames } = feature;
  const counts = tally({ groups, labels, predictions, groupCount: groupNames.length });
  const rowsOf: number[][] = groupNames.map(() => []);
  groups.forEach((group, row) => {
    rowsOf[group]!.push(row);
  });
  const metrics = groupNames.map((name, group) =>
    groupMetrics(name, counts[group]!, aucOver({ labels, scores, rows: rowsOf[group]! })),
  );
  return {
    sensitiveFeature: feature.name,
    attributes: [feature.name],
    reference: null,
    groups: metrics,
    disparities: disparities(metrics),
    comparisons: [],
    crossAuc: [],
    strata: [],
    merged: [],
    worstGroups: [
      worstGroup('auc', metrics, (group) => group.auc.value),
      worstGroup('accuracy', metrics, (group) => group.rates.accuracy.value),
      worstGroup('balancedAccuracy', metrics, (group) => group.balancedAccuracy.value),
      worstGroup('truePositiveRate', metrics, (group) => group.rates.truePositiveRate.value),
    ],
  };
}

interface AucInput {
  readonly labels: Int32Array;
  readonly scores: ArrayLike<number> | null;
  /** Rows to rank; all when absent. */
  readonly rows?: readonly number[];
}

function aucOver({ labels, scores, rows }: AucInput): Statistic {
  if (scores === null) return { value: null, reason: NO_SCORES, interval: null };
  if (!rows) return areaUnderRocCurve(scores, labels);
  return areaUnderRocCurve(
    rows.map((row) => scores[row]!),
    rows.map((row) => labels[row]!),
  );
}

function groupMetrics(group: string, counts: ConfusionCounts, auc: Statistic): GroupMetrics {
  const rates = ratesOf(counts);
  return {
    group,
    support: rates.selectionRate.support,
    positives: rates.truePositiveRate.support,
    negatives: rates.falsePositiveRate.support,
    counts,
    rates,
    balancedAccuracy: balancedAccuracy(rates),
    auc,
    isSmall: false,
    brier: { value: null, reason: NO_SCORES, interval: null },
    specificityAtSensitivity: { value: null, reason: NO_SCORES, interval: null, sensitivity: 0.9 },
    calibration: null,
    sweep: null,
  };
}

function worstGroup(
  metric: WorstGroup['metric'],
  groups: readonly GroupMetrics[],
  pick: (group: GroupMetrics) => number | null,
): WorstGroup {
  const supported = groups.filter((group) => pick(group) !== null);
  const worst = supported.toSorted((a, b) => pick(a)! - pick(b)!)[0];
  return {
    metric,
    group: worst?.group ?? null,
    value: worst ? pick(worst) : null,
    unsupportedGroups: groups.filter((group) => pick(group) === null).map((group) => group.group),
  };
}

function classWarnings(overall: GroupMetrics): string[] {
  if (overall.support === 0) return ['no samples: nothing could be measured'];
  if (overall.positives === 0) return ['no positive labels: true positive rates and AUC are not defined'];
  if (overall.negatives === 0) return ['no negative labels: false positive rates and AUC are not defined'];
  return [];
}

function featureWarnings({ sensitiveFeature, groups }: FeatureAudit): string[] {
  if (groups.length < 2) return [`${sensitiveFeature}: one group only, so no disparity is defined`];
  return groups.flatMap(({ group, positives, negatives }) => {
    const small = [
      { label: 'positive', support: positives },
      { label: 'negative', support: negatives },
    ].filter(({ support }) => support < SMALL_CELL);
    return small.map(({ label, support }) =>
      support === 0
        ? `${sensitiveFeature} "${group}": no ${label} labels, so rates over them are not defined`
        : `${sensitiveFeature} "${group}": only ${support} ${label} ${support === 1 ? 'label' : 'labels'}, so rates over them are uncertain`,
    );
  });
}

function assertLengths(
  labels: Int32Array,
  predictions: Int32Array,
  features: readonly SensitiveFeature[],
): void {
  const lengths = [
    { where: 'predictions', length: predictions.length },
    ...features.map(({ name, groups }) => ({ where: `sensitive feature "${name}"`, length: groups.length })),
  ];
  for (const { where, length } of lengths) {
    if (length === labels.length) continue;
    throw new ShapeMismatchError(
      `${where}: expected ${labels.length} entries, one per label, received ${length}`,
      {
        where,
        expected: labels.length,
        received: length,
      },
    );
  }
}
