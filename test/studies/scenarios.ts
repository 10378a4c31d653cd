import {
  forEachClusterTable,
  forEachTable,
  percentileInterval,
  type Resampling,
} from '../../core/fairness/statistics/bootstrap.ts';
import { type AucEstimate, aucEstimator, aucOf } from '../../core/fairness/statistics/delong.ts';
import { criticalValue, normalQuantile } from '../../core/fairness/statistics/distributions.ts';
import { aucGapTest, rateGapTest } from '../../core/fairness/statistics/gap-tests.ts';
import {
  type Bounds,
  differenceOf,
  largestDifference,
  largestOf,
  ratioOf,
  smallestRatio,
} from '../../core/fairness/statistics/mover.ts';
import {
  newcombe,
  type Proportion,
  rateEstimator,
  wilson,
} from '../../core/fairness/statistics/rate-intervals.ts';
import {
  binomial,
  gamma,
  normal,
  seededUniform,
  type Uniform,
} from '../../core/fairness/statistics/sampling.ts';
import { countScores } from '../helpers/count-scores.ts';

export const LEVEL = 0.95;
const REPLICATES = 1000;

/** A known truth, and data sets drawn from it with the interval that each leads to. */
export interface Scenario {
  readonly truth: number;
  readonly interval: (uniform: Uniform) => Bounds | null;
}

export interface Coverage {
  /** Shares of the data sets that have an interval. */
  readonly covered: number;
  /** The truth lies below the interval. */
  readonly below: number;
  readonly above: number;
  readonly width: number;
  /** Data sets without an interval. */
  readonly undefinedCount: number;
}

/** How often the intervals of simulated data sets hold the truth. */
export function coverageOf({ truth, interval }: Scenario, dataSets: number, seed = 1): Coverage {
  const uniform = seededUniform(seed);
  let [below, above, width, undefinedCount] = [0, 0, 0, 0];
  for (let dataSet = 0; dataSet < dataSets; dataSet += 1) {
    const bounds = interval(uniform);
    if (!bounds) {
      undefinedCount += 1;
      continue;
    }
    if (truth < bounds.low - 1e-9) below += 1;
    if (truth > bounds.high + 1e-9) above += 1;
    width += bounds.high - bounds.low;
  }
  const defined = dataSets - undefinedCount;
  return {
    covered: 1 - (below + above) / defined,
    below: below / defined,
    above: above / defined,
    width: width / defined,
    undefinedCount,
  };
}

/** Share of data sets without a gap in which a test at 0.05 finds one. */
export function falseAlarms(pValue: (uniform: Uniform) => number, dataSets: number, seed = 1): number {
  const uniform = seededUniform(seed);
  let alarms = 0;
  for (let dataSet = 0; dataSet < dataSets; dataSet += 1) if (pValue(uniform) <= 1 - LEVEL) alarms += 1;
  return alarms / dataSets;
}

/** One group: a rate p in n rows. */
export interface RateGroup {
  readonly n: number;
  readonly p: number;
}

const draw = ({ n, p }: RateGroup, uniform: Uniform): Proportion => ({
  numerator: binomial(n, p, uniform),
  support: n,
});

export const oneRate = (group: RateGroup): Scenario => ({
  truth: group.p,
  interval: (uniform) => wilson(draw(group, uniform), LEVEL),
});

export const rateDifference = (first: RateGroup, second: RateGroup): Scenario => ({
  truth: first.p - second.p,
  interval: (uniform) => newcombe(draw(first, uniform), draw(second, uniform), LEVEL),
});

/** The same difference by the bootstrap of the two tables. */
export const redrawnDifference = (first: RateGroup, second: RateGroup, resampling: Resampling): Scenario => ({
  truth: first.p - second.p,
  interval: (uniform) => {
    const [one, two] = [draw(first, uniform), draw(second, uniform)];
    const counts = [one, two].flatMap(({ numerator, support }) => [numerator, support - numerator]);
    const gaps = new Float64Array(REPLICATES);
    forEachTable(
      { counts, cells: 2, resampling, replicates: REPLICATES, seed: uniform() * 2 ** 31 },
      (table, at) => {
        gaps[at] = table[0]! / first.n - table[2]! / second.n;
      },
    );
    return percentileInterval(gaps, LEVEL);
  },
});

export const rateRatio = (first: RateGroup, second: RateGroup, method: 'mover' | 'katz'): Scenario => ({
  truth: first.p / second.p,
  interval: (uniform) => {
    const [one, two] = [draw(first, uniform), draw(second, uniform)];
    return method === 'mover'
      ? ratioOf(rateEstimator(one)(LEVEL), rateEstimator(two)(LEVEL))
      : katz(one, two);
  },
});

/**
 * Katz's interval of the ratio `first / second` (1978), for comparison: R exp(± z √(1/x1 - 1/n1 + 1/x2 - 1/n2)).
 *
 * @returns null when a numerator is 0
 */
export function katz(first: Proportion, second: Proportion): Bounds | null {
  const { numerator: x1, support: n1 } = first;
  const { numerator: x2, support: n2 } = second;
  if (x1 === 0 || x2 === 0) return null;
  const ratio = x1 / n1 / (x2 / n2);
  const reach = Math.exp(criticalValue(LEVEL) * Math.sqrt(1 / x1 - 1 / n1 + 1 / x2 - 1 / n2));
  return { low: ratio / reach, high: ratio * reach };
}

const alike = (rates: readonly Proportion[], tests = 1) => rateGapTest(rates, 1)!.pValue * tests > 1 - LEVEL;
const spread = (values: readonly number[]) => Math.max(...values) - Math.min(...values);

/** Largest minus smallest rate over groups. */
export const largestRateGap = (groups: readonly RateGroup[]): Scenario => ({
  truth: spread(groups.map(({ p }) => p)),
  interval: (uniform) => {
    const rates = groups.map((group) => draw(group, uniform));
    return largestDifference(rates.map(rateEstimator), { level: LEVEL, areAlike: alike(rates) });
  },
});

export const smallestRateRatio = (groups: readonly RateGroup[]): Scenario => ({
  truth: Math.min(...groups.map(({ p }) => p)) / Math.max(...groups.map(({ p }) => p)),
  interval: (uniform) => {
    const rates = groups.map((group) => draw(group, uniform));
    return smallestRatio(rates.map(rateEstimator), { level: LEVEL, areAlike: alike(rates) });
  },
});

/** A group of n rows, half of them positive on average. */
export interface OddsGroup {
  readonly n: number;
  readonly truePositiveRate: number;
  readonly falsePositiveRate: number;
}

interface OddsTable {
  readonly truePositive: Proportion;
  readonly falsePositive: Proportion;
}

function drawOdds({ n, truePositiveRate, falsePositiveRate }: OddsGroup, uniform: Uniform): OddsTable {
  const positives = binomial(n, 0.5, uniform);
  return {
    truePositive: draw({ n: positives, p: truePositiveRate }, uniform),
    falsePositive: draw({ n: n - positives, p: falsePositiveRate }, uniform),
  };
}

const oddsGap = (groups: readonly OddsGroup[]) =>
  Math.max(
    spread(groups.map(({ truePositiveRate }) => truePositiveRate)),
    spread(groups.map(({ falsePositiveRate }) => falsePositiveRate)),
  );

/** Equalized odds difference: the larger of the gaps of both rates. */
export const equalizedOdds = (groups: readonly OddsGroup[]): Scenario => ({
  truth: oddsGap(groups),
  interval: (uniform) => {
    const tables = groups.map((group) => drawOdds(group, uniform));
    const rates = [
      tables.map(({ truePositive }) => truePositive),
      tables.map(({ falsePositive }) => falsePositive),
    ];
    const areAlike = rates.every((ofClass) => alike(ofClass, rates.length));
    return largestOf(
      rates.map((ofClass) => largestDifference(ofClass.map(rateEstimator), { level: LEVEL, areAlike })),
    );
  },
});

/** The same by redrawing each group's table and taking percentiles of the gap. */
export const redrawnOdds = (groups: readonly OddsGroup[], resampling: Resampling): Scenario => ({
  truth: oddsGap(groups),
  interval: (uniform) => {
    const counts = groups.flatMap((group) => {
      const { truePositive, falsePositive } = drawOdds(group, uniform);
      const missed = ({ numerator, support }: Proportion) => support - numerator;
      return [truePositive.numerator, missed(truePositive), falsePositive.numerator, missed(falsePositive)];
    });
    const gaps = new Float64Array(REPLICATES);
    forEachTable(
      { counts, cells: 4, resampling, replicates: REPLICATES, seed: uniform() * 2 ** 31 },
      (table, at) => {
        const rate = (group: number, cell: number) =>
          table[group * 4 + cell]! / (table[group * 4 + cell]! + table[group * 4 + cell + 1]!);
        gaps[at] = Math.max(
          spread(groups.map((_, group) => rate(group, 0))),
          spread(groups.map((_, group) => rate(group, 2))),
        );
      },
    );
    return percentileInterval(gaps, LEVEL);
  },
});

/** Scores of m positives and n negatives with a known AUC. */
export interface ScoreGroup {
  readonly positives: number;
  readonly negatives: number;
  readonly auc: number;
  /** `normal`: both classes normal, equal spread. `wide`: positives of twice the spread. `skewed`: exponential. */
  readonly shape: 'normal' | 'wide' | 'skewed';
}

const SCORES = {
  normal: ({ auc }: ScoreGroup, uniform: Uniform) => normalQuantile(auc) * Math.SQRT2 + normal(uniform),
  wide: ({ auc }: ScoreGroup, uniform: Uniform) => normalQuantile(auc) * Math.sqrt(5) + 2 * normal(uniform),
  skewed: ({ auc }: ScoreGroup, uniform: Uniform) => (gamma(1, uniform) * auc) / (1 - auc),
};

function drawAuc(group: ScoreGroup, uniform: Uniform): AucEstimate {
  const negative = group.shape === 'skewed' ? () => gamma(1, uniform) : () => normal(uniform);
  const scores = (length: number, one: () => number) => Float64Array.from({ length }, one).sort();
  return aucOf(
    countScores(
      scores(group.positives, () => SCORES[group.shape](group, uniform)),
      scores(group.negatives, negative),
    ),
  )!;
}

export const oneAuc = (group: ScoreGroup): Scenario => ({
  truth: group.auc,
  interval: (uniform) => aucEstimator(drawAuc(group, uniform))(LEVEL),
});

/** AUC ± z √variance, as many programs print it. */
export const plainAuc = (group: ScoreGroup): Scenario => ({
  truth: group.auc,
  interval: (uniform) => {
    const { auc, variance } = drawAuc(group, uniform);
    const half = criticalValue(LEVEL) * Math.sqrt(variance ?? 0);
    return { low: auc - half, high: auc + half };
  },
});

export const aucDifference = (first: ScoreGroup, second: ScoreGroup): Scenario => ({
  truth: first.auc - second.auc,
  interval: (uniform) =>
    differenceOf(aucEstimator(drawAuc(first, uniform))(LEVEL), aucEstimator(drawAuc(second, uniform))(LEVEL)),
});

export const largestAucGap = (groups: readonly ScoreGroup[]): Scenario => ({
  truth: spread(groups.map(({ auc }) => auc)),
  interval: (uniform) => {
    const estimates = groups.map((group) => drawAuc(group, uniform));
    const areAlike = aucGapTest(estimates)!.pValue > 1 - LEVEL;
    return largestDifference(estimates.map(aucEstimator), { level: LEVEL, areAlike });
  },
});

/** Subjects of one to five rows; a subject's own rate is beta(2p, 2(1 - p)), so its rows go together. */
export interface ClusterGroup {
  readonly subjects: number;
  readonly p: number;
}

/** Difference of two rates of rows by subjects drawn whole. */
export const clusterDifference = (first: ClusterGroup, second: ClusterGroup): Scenario => ({
  truth: first.p - second.p,
  interval: (uniform) => {
    const units = [...subjectsOf(first, 0, uniform), ...subjectsOf(second, 2, uniform)];
    const gaps = new Float64Array(REPLICATES);
    forEachClusterTable({ units, replicates: REPLICATES, seed: uniform() * 2 ** 31 }, (table, at) => {
      const rate = (cell: number) => table[cell]! / (table[cell]! + table[cell + 1]!);
      gaps[at] = rate(0) - rate(2);
    });
    return percentileInterval(gaps, LEVEL);
  },
});

function subjectsOf({ subjects, p }: ClusterGroup, cell: number, uniform: Uniform): number[][] {
  return Array.from({ length: subjects }, () => {
    const [yes, no] = [gamma(2 * p, uniform), gamma(2 * (1 - p), uniform)];
    const rows = 1 + Math.floor(5 * uniform());
    const positive = binomial(rows, yes / (yes + no), uniform);
    const table = [0, 0, 0, 0];
    table[cell] = positive;
    table[cell + 1] = rows - positive;
    return table;
  });
}

export const rateAlarm = (groups: readonly RateGroup[]) => (uniform: Uniform) =>
  rateGapTest(
    groups.map((group) => draw(group, uniform)),
    1,
  )!.pValue;

export const aucAlarm = (groups: readonly ScoreGroup[]) => (uniform: Uniform) =>
  aucGapTest(groups.map((group) => drawAuc(group, uniform)))!.pValue;
