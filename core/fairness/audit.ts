import { InvalidInputError } from '../errors.ts';
import { type Accumulator, addChunk, startAccumulator } from './accumulator.ts';
import { AUDIT_DEFAULTS, type AuditOptions } from './audit-defaults.ts';
import { meanOfClasses } from './classes.ts';
import { auditFeatures, type CountedTable } from './feature-audit.ts';
import { featureTable } from './feature-table.ts';
import type { Vocabularies } from './grouping.ts';
import { attributeSets } from './groups/attribute-sets.ts';
import { BINS } from './histogram-scores.ts';
import { measureGroups } from './measure.ts';
import { assertReferences } from './reference-group.ts';
import { sweepThresholds } from './score-figures.ts';
import type { AuditReport, FeatureAudit, GroupMetrics, MinSupport, SensitiveFeature } from './types.ts';
import { classWarnings, mergerWarnings, warningsOf } from './warnings.ts';

/** Either scores with a threshold, or predictions made elsewhere. */
type Decisions =
  | { readonly scores: ArrayLike<number>; readonly threshold: number }
  | { readonly predictions: Int32Array };

const MOST_REPLICATES = 100_000;

export interface AuditInput extends AuditOptions {
  /** [N] 0 or 1 */
  readonly labels: Int32Array;
  readonly sensitiveFeatures: readonly SensitiveFeature[];
  readonly decisions: Decisions;
  /** [N] >= 0 */
  readonly weights?: ArrayLike<number> | undefined;
  /** [N] rows of one subject are not independent */
  readonly subjects?: readonly string[] | undefined;
  readonly strata?: { readonly names: readonly string[]; readonly codes: Int32Array } | undefined;
  /** Sensitive features that are combined at most; 1, the default, for none. */
  readonly intersections?: number | undefined;
}

/**
 * Rates, AUC, calibration and disparities of each group of each sensitive feature, with intervals and tests.
 *
 * A sample is predicted positive when score >= threshold. All scores are ranked exactly.
 *
 * @throws ShapeMismatchError when arrays differ in length
 * @throws NonFiniteError when a score or a weight is NaN or infinite
 * @throws InvalidInputError when an option is out of range
 */
export function audit(input: AuditInput): AuditReport {
  const { labels, sensitiveFeatures, decisions, weights, subjects, strata, intersections = 1 } = input;
  const hasScores = 'scores' in decisions;
  const accumulator = startAccumulator({
    threshold: hasScores ? decisions.threshold : null,
    features: attributeSets(sensitiveFeatures.length, intersections),
    exactRows: Number.POSITIVE_INFINITY,
  });
  addChunk(accumulator, {
    labels,
    groups: sensitiveFeatures.map(({ groups }) => groups),
    scores: hasScores ? Float64Array.from(decisions.scores) : null,
    predictions: hasScores ? null : decisions.predictions,
    weights: weights ? Float64Array.from(weights) : null,
    subjects: subjects ? codesOf(subjects) : null,
    strata: strata?.codes ?? null,
  });
  return finishAudit(
    accumulator,
    { attributes: sensitiveFeatures, ...(strata && { strata: strata.names }) },
    input,
  );
}

/** Numbers in the order of first appearance. */
export function codesOf(names: readonly string[]): Int32Array {
  const codes = new Map<string, number>();
  return Int32Array.from(names, (name) => {
    const code = codes.get(name) ?? codes.size;
    codes.set(name, code);
    return code;
  });
}

/**
 * The report of all rows that were counted.
 *
 * @throws EmptyGroupError when small groups are to be refused and there are some
 * @throws InvalidInputError when an option is out of range
 */
export function finishAudit(
  accumulator: Accumulator,
  vocabularies: Vocabularies,
  options: AuditOptions = {},
): AuditReport {
  const settings = settingsOf(options);
  const part = partOf(accumulator, vocabularies, settings);
  return reportOf(part, auditFeatures(part.counted, settings), settings);
}

/**
 * The report of several classes, each against the rest: one accumulator each, over the same rows.
 *
 * @param labels  names of the classes, in the order of `accumulators`
 * @throws as `finishAudit`
 */
export function finishClasses(
  accumulators: readonly Accumulator[],
  { labels, vocabularies }: { readonly labels: readonly string[]; readonly vocabularies: Vocabularies },
  options: AuditOptions = {},
): AuditReport {
  const settings = settingsOf(options);
  const parts = accumulators.map((accumulator) => partOf(accumulator, vocabularies, settings));
  const features = auditFeatures(
    parts.flatMap(({ counted }) => counted),
    settings,
  );
  const each = features.length / parts.length;
  const classes = parts.map(({ overall }, place) => ({
    label: labels[place]!,
    overall,
    features: features.slice(place * each, (place + 1) * each),
  }));
  const mean = meanOfClasses(classes);
  return {
    ...reportOf({ ...parts[0]!, overall: mean.overall }, mean.features, settings),
    threshold: null,
    thresholds: [],
    classes,
    warnings: [
      ...classes.flatMap((one) => classWarnings(one, settings.minSupport)),
      ...mergerWarnings(classes),
    ],
  };
}

interface Part {
  readonly accumulator: Accumulator;
  readonly overall: GroupMetrics;
  readonly counted: readonly CountedTable[];
  readonly clusters: number | null;
  readonly thresholds: readonly number[];
}

function partOf(accumulator: Accumulator, vocabularies: Vocabularies, settings: Settings): Part {
  const tables = accumulator.features.map((_, place) =>
    featureTable(accumulator, place, { vocabularies, minSupport: settings.minSupport }),
  );
  const whole = tables.at(-1)!;
  const pooled = whole.scores?.[0];
  const thresholds = pooled ? thresholdsOf(accumulator, sweepThresholds(pooled, accumulator.threshold)) : [];
  return {
    accumulator,
    overall: measureGroups(accumulator, whole, { ...settings, thresholds })[0]!.metrics,
    counted: tables.slice(0, -1).map((table) => ({ accumulator, table, thresholds })),
    clusters: whole.clusters?.subjects ?? null,
    thresholds,
  };
}

function reportOf(
  { accumulator, overall, clusters, thresholds }: Part,
  features: readonly FeatureAudit[],
  { level, replicates, seed, minSupport, reference }: Settings,
): AuditReport {
  assertReferences(
    reference,
    features.map(({ sensitiveFeature }) => sensitiveFeature),
  );
  return {
    schemaVersion: 2,
    threshold: accumulator.threshold,
    level,
    replicates,
    seed,
    minSupport,
    ranks: ranksOf(accumulator),
    isWeighted: accumulator.parts?.weights ?? false,
    clusters,
    thresholds,
    overall,
    features,
    warnings: warningsOf(overall, features, minSupport),
  };
}

/** Middles of bins stand for their lower edges, at which counts of bins are exact. */
function thresholdsOf({ histograms, threshold }: Accumulator, thresholds: number[]): number[] {
  if (histograms === null) return thresholds;
  const edges = thresholds.map((each) => (each === threshold ? each : each - 0.5 / BINS));
  return edges.sort((a, b) => a - b);
}

function ranksOf({ parts, histograms }: Accumulator): AuditReport['ranks'] {
  if (!parts?.scores) return null;
  return histograms ? 'histogram' : 'exact';
}

type Settings = Required<AuditOptions> & { readonly minSupport: MinSupport };

/**
 * Options with their defaults.
 *
 * @throws InvalidInputError when one is out of range
 */
export function settingsOf(options: AuditOptions): Settings {
  const { level, replicates, seed, sensitivity, reference } = { ...AUDIT_DEFAULTS, ...defined(options) };
  const minSupport: MinSupport = { ...AUDIT_DEFAULTS.minSupport, ...options.minSupport };
  assertRange(level > 0 && level < 1, 'level', { expected: 'a number between 0 and 1, exclusive', level });
  assertRange(
    Number.isInteger(replicates) && replicates >= 0 && replicates <= MOST_REPLICATES,
    'replicates',
    { expected: `an integer from 0 to ${MOST_REPLICATES}`, replicates },
  );
  assertRange(Number.isInteger(seed), 'seed', { expected: 'an integer', seed });
  assertRange(sensitivity > 0 && sensitivity <= 1, 'sensitivity', {
    expected: 'a number above 0, at most 1',
    sensitivity,
  });
  for (const name of ['group', 'positives', 'negatives'] as const) {
    assertRange(Number.isInteger(minSupport[name]) && minSupport[name] >= 0, `minSupport.${name}`, {
      expected: 'an integer >= 0',
      [`minSupport.${name}`]: minSupport[name],
    });
  }
  return { level, replicates, seed, sensitivity, reference, minSupport };
}

function defined(options: AuditOptions): Partial<Required<AuditOptions>> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

function assertRange(holds: boolean, name: string, details: Record<string, unknown>): void {
  if (holds) return;
  throw new InvalidInputError(`${name}: expected ${details.expected}, received ${details[name]}`, {
    where: name,
  });
}
