import { conditionalByGroup, selectionOf } from './conditional.ts';
import type { MeasuredPair } from './cross-auc.ts';
import { METRICS } from './disparity.ts';
import { estimatorOf } from './estimators.ts';
import { detectable, differenceInterval, type Evidence, MOST_COMPARED_GROUPS, methodOf } from './evidence.ts';
import { type Figure, figureOf } from './figures.ts';
import { forEachTable, percentileInterval } from './statistics/bootstrap.ts';
import {
  type Bounds,
  differenceOf,
  type Estimator,
  largestDifference,
  largestOf,
  meanOf,
  smallestOf,
  smallestRatio,
  smallestRatioTo,
} from './statistics/mover.ts';
import type { Disparity, DisparityName, GapTest, Interval, StratumCounts } from './types.ts';

/** A disparity with its interval, its test, and the smallest gap that would have been found. */
export function withUncertainty(name: DisparityName, disparity: Disparity, evidence: Evidence): Disparity {
  const { value } = disparity;
  if (value === null || evidence.groups.length > MOST_COMPARED_GROUPS) return disparity;
  const bounds = intervalOf(name, evidence);
  return {
    ...disparity,
    // An interval of a gap holds the gap, whatever rule its ends came from.
    interval: bounds && { ...bounds, low: Math.min(bounds.low, value), high: Math.max(bounds.high, value) },
    test: testOf(name, evidence),
    smallestDetectable: detectableGap(name, disparity, evidence),
  };
}

const figuresOf = (name: DisparityName): readonly Figure[] =>
  name in METRICS ? METRICS[name as keyof typeof METRICS].figures : [];

/** Gaps that are no hypothesis on a model: a signed sum that cancels, a bias-laden error, a property of the data. */
const UNTESTED: readonly DisparityName[] = [
  'bmftEqualizedOdds',
  'calibrationErrorDifference',
  'classImbalance',
];

/** Odds are equalised when both rates are: its test rejects when either does, at twice the p-value. */
function testOf(name: DisparityName, evidence: Evidence): GapTest | null {
  if (UNTESTED.includes(name)) return null;
  const tests = figuresOf(name).map((figure) => evidence.testOf(figure));
  if (tests.length === 0 || tests.some((test) => test === null)) return null;
  const [first, second] = tests as GapTest[];
  if (second === undefined) return first!;
  const clearer = second.pValue < first!.pValue ? second : first!;
  return {
    name: clearer.name,
    pValue: Math.min(1, 2 * clearer.pValue),
    adjustedPValue: Math.max(clearer.adjustedPValue, Math.min(1, 2 * clearer.pValue)),
  };
}

/** Between the two groups that span the gap. */
function detectableGap(name: DisparityName, { between }: Disparity, evidence: Evidence): number | null {
  const [figure] = figuresOf(name);
  if (!between || figure === undefined || name.endsWith('Ratio')) return null;
  const places = between.map((wanted) =>
    evidence.groups.findIndex(({ metrics }) => metrics.group === wanted),
  );
  return detectable(evidence, figure, [places[0]!, places[1]!]);
}

function intervalOf(name: DisparityName, evidence: Evidence): Interval | null {
  if (name === 'bmftEqualizedOdds') return signedOdds(evidence);
  if (name === 'disparateImpactRatio') return impactInterval(evidence);
  const figures = figuresOf(name);
  const alike = areAlike(evidence, figures);
  const gaps = figures.map((figure) =>
    name.endsWith('Ratio') ? ratioGap(evidence, figure, alike) : differenceGap(evidence, figure, alike),
  );
  if (gaps.length === 0 || gaps.some((gap) => gap === null)) return null;
  if (gaps.length === 1) return gaps[0]!;
  return { ...joined(name, gaps as Interval[], evidence), method: gaps[0]!.method };
}

/**
 * No test of these figures together rejects at the level of the intervals. Decided for each of two rates alone, one
 * of them would seem to differ twice as often as 1 - level says.
 */
function areAlike({ testOf: test, level }: Evidence, figures: readonly Figure[]): boolean {
  const pValues = figures.map((figure) => test(figure)?.pValue ?? 0);
  return figures.length * Math.min(...pValues) > 1 - level;
}

/** Equalised odds: the worse of two gaps, or their mean, TPR and FPR being of different rows. */
function joined(name: DisparityName, gaps: readonly Interval[], evidence: Evidence): Bounds {
  if (name === 'equalizedOddsDifference') return largestOf(gaps);
  if (name === 'equalizedOddsRatio') return smallestOf(gaps);
  const isRatio = name.endsWith('Ratio');
  const mean = meanOf(
    gaps.map((gap, place) => {
      const values = valuesOf(evidence, figuresOf(name)[place]!);
      const [low, high] = [Math.min(...values), Math.max(...values)];
      return { ...gap, value: isRatio ? low / high : high - low };
    }),
  );
  // Two gaps that may both be none may have none for their mean.
  const mayBeNone = gaps.every(({ low, high }) => (isRatio ? high === 1 : low === 0));
  return {
    low: mayBeNone && !isRatio ? 0 : mean.low,
    high: mayBeNone && isRatio ? 1 : mean.high,
  };
}

const valuesOf = ({ groups }: Evidence, figure: Figure) =>
  groups.map(({ metrics }) => figureOf(metrics, figure)!);

function estimatorsOf({ groups }: Evidence, figure: Figure): Estimator[] | null {
  const estimators = groups.map((group) => estimatorOf(group, figure));
  return estimators.some((estimator) => estimator === null) ? null : (estimators as Estimator[]);
}

function differenceGap(evidence: Evidence, figure: Figure, alike: boolean): Interval | null {
  if (evidence.groups.length === 2) {
    const signed = differenceInterval(evidence, figure, [0, 1]);
    return signed && { ...folded(signed), ...(alike && { low: 0 }) };
  }
  const estimators = estimatorsOf(evidence, figure);
  if (estimators === null) return null;
  const bounds = largestDifference(estimators, { level: evidence.level, areAlike: alike });
  return { ...bounds, method: methodOf(figure) };
}

function ratioGap(evidence: Evidence, figure: Figure, alike: boolean): Interval | null {
  const estimators = estimatorsOf(evidence, figure);
  if (estimators === null) return null;
  const bounds = smallestRatio(estimators, { level: evidence.level, areAlike: alike });
  return bounds && { ...bounds, method: 'ratio' };
}

/** Interval of |d| from that of d: from 0 where both signs are in it. */
export function folded<T extends Bounds>(signed: T): T {
  const [low, high] = [Math.abs(signed.low), Math.abs(signed.high)];
  const holdsNone = signed.low <= 0 && signed.high >= 0;
  return { ...signed, low: holdsNone ? 0 : Math.min(low, high), high: Math.max(low, high) };
}

/** Lowest selection rate over that of the reference group. */
function impactInterval(evidence: Evidence): Interval | null {
  const estimators = estimatorsOf(evidence, 'selectionRate');
  const reference = estimators?.[evidence.reference];
  if (!estimators || !reference) return null;
  const bounds = smallestRatioTo(
    reference,
    estimators.filter((estimator) => estimator !== reference),
    evidence.level,
  );
  return bounds && { ...bounds, method: 'ratio' };
}

/** |(TPR_0 - TPR_1) + (FPR_0 - FPR_1)| / 2 over two groups. */
function signedOdds(evidence: Evidence): Interval | null {
  const gaps = figuresOf('bmftEqualizedOdds').map((figure) => {
    const [first, second] = valuesOf(evidence, figure);
    const interval = differenceInterval(evidence, figure, [0, 1]);
    return interval && { ...interval, value: first! - second! };
  });
  if (gaps.some((gap) => gap === null)) return null;
  const [one, two] = gaps as [Interval & { value: number }, Interval & { value: number }];
  return folded({ ...meanOf([one, two]), method: one.method });
}

/**
 * Interval of the xAUC disparity: of the pairs of groups, each figure of which is of rows that no other has. There is
 * no test of all pairs, so lower ends have Bonferroni's level.
 */
export function crossAucInterval(pairs: readonly MeasuredPair[], level: number): Interval | null {
  const both = pairs.flatMap((pair) => {
    if (pair.positives > pair.negatives) return [];
    const other = pairs.find(
      (each) => each.positives === pair.negatives && each.negatives === pair.positives,
    )!;
    return [[pair.estimator, other.estimator] as const];
  });
  const signed = (at: number) =>
    both.flatMap(([one, two]) => (one && two ? [differenceOf(one(at), two(at))] : []));
  const outer = signed(level);
  if (outer.length === 0 || outer.length < both.length) return null;
  return { ...largestMagnitude(outer, signed(1 - (1 - level) / both.length)), method: 'delong' };
}

/** Interval of the largest magnitude of signed figures. @param inner  at the level of the lower end */
function largestMagnitude(outer: readonly Bounds[], inner: readonly Bounds[]): Bounds {
  return { low: largestOf(inner.map(folded)).low, high: largestOf(outer.map(folded)).high };
}

/**
 * Interval of the conditional disparity: the tables of its strata drawn anew, with percentiles of the signed disparity
 * of each group, which unlike those of the largest magnitude may hold 0. Of k groups k - 1 are free, and lower ends
 * have Bonferroni's level over these.
 */
export function conditionalInterval(
  strata: readonly StratumCounts[],
  { level, replicates, seed }: { readonly level: number; readonly replicates: number; readonly seed: number },
): Interval | null {
  if (strata.length === 0 || replicates === 0) return null;
  const groups = strata[0]!.counts.length;
  const counts = strata
    .flatMap((stratum) => stratum.counts.map(selectionOf))
    .flatMap(({ selected, rejected }) => [selected, rejected]);
  const draws = strata[0]!.counts.map(() => new Float64Array(replicates));
  forEachTable(
    { counts, cells: groups * 2, resampling: 'dirichlet', replicates, seed },
    (table, replicate) => {
      const drawn = strata.map((_, stratum) =>
        Array.from({ length: groups }, (_, group) => {
          const at = (stratum * groups + group) * 2;
          return { selected: table[at]!, rejected: table[at + 1]! };
        }),
      );
      conditionalByGroup(drawn).values!.forEach((value, group) => {
        draws[group]![replicate] = value;
      });
    },
  );
  const percentiles = (at: number) => draws.map((each) => percentileInterval(each, at)!);
  const inner = percentiles(1 - (1 - level) / (groups - 1));
  return { ...largestMagnitude(percentiles(level), inner), method: 'bootstrap' };
}
