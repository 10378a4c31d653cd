import type { Accumulator } from './accumulator.ts';
import { clusteredVariances } from './cluster-variance.ts';
import { balancedAccuracyEstimator, drawnEstimator, waldEstimator } from './estimators.ts';
import type { FeatureTable } from './feature-table.ts';
import { NO_SCORES } from './figures.ts';
import { isBelow } from './grouping.ts';
import { BINS } from './histogram-scores.ts';
import { lackOfClass, specificityAtSensitivity, tieBound } from './ranking.ts';
import { balancedAccuracy, everyRate, type GroupCells, measureRate } from './rates.ts';
import type { ScoreTable } from './score-column.ts';
import { brierOf, calibrationOf, type Moment, sweepOf, whyNoCalibration } from './score-figures.ts';
import { type AucEstimate, aucEstimator, aucOf } from './statistics/delong.ts';
import type { Estimator } from './statistics/mover.ts';
import { effectiveSupport, type Proportion } from './statistics/rate-intervals.ts';
import { seededUniform } from './statistics/sampling.ts';
import { confusionOf } from './tally.ts';
import type { GroupMetrics, Interval, IntervalMethod, MinSupport, RateName, Statistic } from './types.ts';

/** Groups of a feature beyond which the counts at each threshold are left out. */
const MOST_SWEPT_GROUPS = 50;

export interface MeasureOptions {
  readonly level: number;
  readonly replicates: number;
  readonly seed: number;
  readonly sensitivity: number;
  readonly minSupport: MinSupport;
  /** Of the sweeps. */
  readonly thresholds: readonly number[];
}

/** A group of a report, with what its gaps rest on. */
export interface MeasuredGroup {
  readonly metrics: GroupMetrics;
  /** Each rate in effective rows. */
  readonly proportions: Readonly<Record<RateName, Proportion>>;
  /** [4] effective rows */
  readonly cells: ArrayLike<number>;
  readonly auc: AucEstimate | null;
  readonly brier: Moment | null;
  readonly estimators: ScoreEstimators;
}

/** null where there is no value or no interval */
type ScoreEstimators = Readonly<Record<'auc' | 'brier' | 'specificityAtSensitivity', Estimator | null>>;

/** Every group of a feature, or the whole set as one group. */
export function measureGroups(
  accumulator: Accumulator,
  feature: FeatureTable,
  options: MeasureOptions,
): MeasuredGroup[] {
  const scored = scoredGroups(accumulator, feature);
  return feature.groupNames.map((name, group) =>
    measureGroup(name, feature.cells[group]!, {
      ...options,
      thresholds: feature.groupNames.length > MOST_SWEPT_GROUPS ? null : options.thresholds,
      isBinned: accumulator.histograms !== null,
      hasScores: accumulator.parts?.scores ?? false,
      isClustered: feature.clusters !== null,
      threshold: accumulator.threshold,
      scored: scored?.[group] ?? null,
    }),
  );
}

/** Scores of each group, with variances between subjects where rows come in clusters; null without scores. */
function scoredGroups(
  { exact }: Accumulator,
  { scores, clusters, place, groupOf }: FeatureTable,
): Scored[] | null {
  if (scores === null) return null;
  const groups = scores.map((table): Scored => ({ table, auc: aucOf(table), brier: brierOf(table) }));
  if (clusters === null) return groups;
  const variances = exact && clusteredVariances(exact, place, { groupOf, groups });
  return groups.map(({ table, auc, brier }, group) => ({
    table,
    auc: auc && { ...auc, variance: variances?.[group]?.auc ?? null, degrees: clusters.subjects - 1 },
    brier: brier && { ...brier, variance: variances?.[group]?.brier ?? null },
  }));
}

interface Scored {
  readonly table: ScoreTable;
  readonly auc: AucEstimate | null;
  readonly brier: Moment | null;
}

interface GroupOptions extends Omit<MeasureOptions, 'thresholds'> {
  readonly thresholds: readonly number[] | null;
  readonly threshold: number | null;
  readonly isBinned: boolean;
  readonly isClustered: boolean;
  /** True where there are scores, though perhaps no ranks of them are kept. */
  readonly hasScores: boolean;
  readonly scored: Scored | null;
}

function measureGroup(group: string, cells: GroupCells, options: GroupOptions): MeasuredGroup {
  const { level, minSupport } = options;
  const measured = everyRate((name) => measureRate(cells, name, level));
  const rates = everyRate((name) => measured[name].rate);
  const proportions = everyRate((name) => measured[name].proportion);
  const mean = balancedAccuracy(rates);
  const bounds = mean.value === null ? null : balancedAccuracyEstimator(mean.value, proportions)(level);
  const interval: Interval | null = bounds && { low: bounds.low, high: bounds.high, method: 'newcombe' };
  const support = rates.selectionRate.support;
  const positives = rates.truePositiveRate.support;
  const estimators = scoreEstimators(options, proportions);
  return {
    metrics: {
      group,
      support,
      positives,
      negatives: support - positives,
      isSmall: isBelow(cells.rows, minSupport),
      counts: confusionOf(cells.rows, 0),
      rates,
      balancedAccuracy: { ...mean, interval },
      ...scoreMetrics(options, { positives, estimators, cells }),
    },
    proportions,
    cells: effectiveCells(cells),
    auc: options.scored?.auc ?? null,
    brier: options.scored?.brier ?? null,
    estimators,
  };
}

/** Rows as they are; sums of weights scaled to the number of rows that would vary as much. */
function effectiveCells({ rows, weights }: GroupCells): ArrayLike<number> {
  if (!weights) return rows;
  const sum = total(weights.sums);
  const scale = sum === 0 ? 0 : effectiveSupport(sum, total(weights.squares)) / sum;
  return Array.from(weights.sums, (weight) => weight * scale);
}

const total = (values: ArrayLike<number>) => Array.from(values).reduce((sum, value) => sum + value, 0);

type ScoreMetrics = Pick<
  GroupMetrics,
  'auc' | 'brier' | 'specificityAtSensitivity' | 'calibration' | 'sweep'
>;

interface GroupParts {
  readonly positives: number;
  readonly estimators: ScoreEstimators & { readonly specificity: number | null };
  readonly cells: GroupCells;
}

function scoreEstimators(
  { scored, sensitivity, replicates, seed, isClustered }: GroupOptions,
  proportions: MeasuredGroup['proportions'],
): GroupParts['estimators'] {
  const auc = scored?.auc ?? null;
  const brier = scored?.brier ?? null;
  const drawn =
    auc &&
    specificityAtSensitivity({
      table: scored!.table,
      sensitivity,
      positives: proportions.truePositiveRate.support,
      negatives: proportions.falsePositiveRate.support,
      replicates,
      uniform: seededUniform(seed),
    });
  // Rows in clusters whose variance is not known show no spread that could be trusted.
  const isUnknown = isClustered && auc?.variance === null;
  return {
    auc: auc && !isUnknown ? aucEstimator(auc) : null,
    brier: brier && waldEstimator(brier),
    specificityAtSensitivity: drawn && drawnEstimator(drawn.value, drawn.draws),
    specificity: drawn?.value ?? null,
  };
}

function scoreMetrics(options: GroupOptions, { positives, estimators, cells }: GroupParts): ScoreMetrics {
  const { scored, sensitivity, level, thresholds, isClustered } = options;
  if (scored === null) return withoutScores(options);
  const { table, auc, brier } = scored;
  const none = undefinedFor(lackOfClass(positives));
  const intervalOf = (figure: keyof ScoreEstimators, method: IntervalMethod): Interval | null => {
    const estimate = estimators[figure]?.(level);
    return estimate ? { low: estimate.low, high: estimate.high, method } : null;
  };
  return {
    auc: auc
      ? { value: auc.auc, interval: intervalOf('auc', 'delong'), ...boundOf(options, tieBound(table)) }
      : none,
    brier: brier
      ? { value: brier.value, interval: intervalOf('brier', 'wald'), ...boundOf(options, 1 / BINS) }
      : undefinedFor(whyNoCalibration(table)!),
    specificityAtSensitivity: {
      ...(auc
        ? {
            value: estimators.specificity,
            interval: intervalOf('specificityAtSensitivity', 'bootstrap'),
          }
        : none),
      sensitivity,
    },
    calibration: calibrationOf(table, isClustered ? null : level),
    sweep: thresholds && sweepAt(table, thresholds, { options, cells }),
  };
}

function boundOf({ isBinned }: GroupOptions, errorBound: number): { errorBound?: number } {
  return isBinned ? { errorBound } : {};
}

/** In bins the counts at the report's threshold, which is no edge of a bin, are those that were counted exactly. */
function sweepAt(
  table: ScoreTable,
  thresholds: readonly number[],
  { options, cells }: { readonly options: GroupOptions; readonly cells: GroupCells },
) {
  const sweep = sweepOf(table, thresholds);
  const place = options.threshold === null ? -1 : thresholds.indexOf(options.threshold);
  if (!options.isBinned || place < 0) return sweep;
  const { truePositives, falsePositives } = confusionOf(cells.rows, 0);
  return {
    truePositives: sweep.truePositives.with(place, truePositives),
    falsePositives: sweep.falsePositives.with(place, falsePositives),
  };
}

function withoutScores({ sensitivity, hasScores }: GroupOptions): ScoreMetrics {
  const none = undefinedFor(hasScores ? TOO_MANY_GROUPS : NO_SCORES);
  return {
    auc: none,
    brier: none,
    specificityAtSensitivity: { ...none, sensitivity },
    calibration: null,
    sweep: null,
  };
}

const TOO_MANY_GROUPS = 'too many groups to count their scores in bins';

const undefinedFor = (reason: string): Statistic => ({ value: null, reason, interval: null });
