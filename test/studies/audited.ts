import { audit } from '../../core/fairness/audit.ts';
import { METRICS } from '../../core/fairness/disparity.ts';
import { normalQuantile } from '../../core/fairness/statistics/distributions.ts';
import { normal, seededUniform, type Uniform } from '../../core/fairness/statistics/sampling.ts';
import type { DisparityName, FeatureAudit, Interval, RateName } from '../../core/fairness/types.ts';
import { RATE_NAMES } from '../../core/fairness/types.ts';

/**
 * Rows of a group: positive with chance `baseRate`, scores normal within each class (put into (0, 1) by the logistic
 * function) so that the report's threshold of 0.5 has these rates.
 */
export interface RowGroup {
  readonly rows: number;
  readonly baseRate: number;
  readonly truePositiveRate: number;
  readonly falsePositiveRate: number;
}

/** How often a figure's intervals held the truth, as shares of those that there were. */
interface Hits {
  readonly covered: number;
  /** The truth lies below the interval. */
  readonly below: number;
  readonly above: number;
  readonly intervals: number;
  /** Without an interval. */
  readonly without: number;
}

const SENSITIVITY = 0.9;
const THRESHOLD = 0.5;

/** P(Z <= z), from its own quantiles. */
function normalShare(z: number): number {
  let [low, high] = [1e-12, 1 - 1e-12];
  for (let halving = 0; halving < 60; halving += 1) {
    const middle = (low + high) / 2;
    if (normalQuantile(middle) < z) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** The chance that a positive of one group scores above a negative of another. */
const aucBetween = (positives: RowGroup, negatives: RowGroup) =>
  normalShare(
    (normalQuantile(positives.truePositiveRate) - normalQuantile(negatives.falsePositiveRate)) / Math.SQRT2,
  );

type Truths = Readonly<Record<RateName | 'auc' | 'balancedAccuracy' | 'missRatio' | 'specificity', number>>;

function truthsOf(group: RowGroup): Truths {
  const { baseRate, truePositiveRate, falsePositiveRate } = group;
  const hits = baseRate * truePositiveRate;
  const alarms = (1 - baseRate) * falsePositiveRate;
  const selectionRate = hits + alarms;
  const positivePredictiveValue = hits / selectionRate;
  const falseOmissionRate = (baseRate - hits) / (1 - selectionRate);
  const cut = normalQuantile(truePositiveRate) - normalQuantile(SENSITIVITY);
  return {
    selectionRate,
    truePositiveRate,
    falsePositiveRate,
    trueNegativeRate: 1 - falsePositiveRate,
    falseNegativeRate: 1 - truePositiveRate,
    positivePredictiveValue,
    negativePredictiveValue: 1 - falseOmissionRate,
    falseDiscoveryRate: 1 - positivePredictiveValue,
    falseOmissionRate,
    accuracy: hits + (1 - baseRate) * (1 - falsePositiveRate),
    baseRate,
    auc: aucBetween(group, group),
    balancedAccuracy: (1 + truePositiveRate - falsePositiveRate) / 2,
    missRatio: (baseRate - hits) / alarms,
    specificity: normalShare(cut - normalQuantile(falsePositiveRate)),
  };
}

/** Disparities whose truth follows from the groups' rates and normal scores. */
const STUDIED = [
  'demographicParityDifference',
  'equalOpportunityDifference',
  'equalizedOddsDifference',
  'equalizedOddsMeanDifference',
  'bmftEqualizedOdds',
  'predictiveParityDifference',
  'accuracyDifference',
  'balancedAccuracyDifference',
  'treatmentEqualityDifference',
  'demographicParityRatio',
  'disparateImpactRatio',
  'equalOpportunityRatio',
  'equalizedOddsRatio',
  'equalizedOddsMeanRatio',
  'conditionalDemographicDisparity',
  'aucDifference',
  'xAucDifference',
  'specificityAtSensitivityDifference',
] as const satisfies readonly DisparityName[];

/** The reference is the first group: the largest, as all studies have it. */
function trueDisparity(name: (typeof STUDIED)[number], groups: readonly RowGroup[]): number | null {
  if (name === 'conditionalDemographicDisparity') return trueConditional(groups);
  if (name === 'xAucDifference') {
    const gaps = groups.flatMap((a) => groups.map((b) => Math.abs(aucBetween(a, b) - aucBetween(b, a))));
    return Math.max(...gaps);
  }
  const truths = groups.map(truthsOf);
  const { figures, reduce, exactGroups } = METRICS[name];
  if (exactGroups !== undefined && exactGroups !== groups.length) return null;
  const figure = (each: Truths, wanted: string) =>
    each[wanted === 'specificityAtSensitivity' ? 'specificity' : (wanted as keyof Truths)];
  return reduce(
    figures.map((wanted) => truths.map((each) => figure(each, wanted))),
    0,
  );
}

/** Strata are drawn without regard to anything, so within each the disparity is that of all rows. */
function trueConditional(groups: readonly RowGroup[]): number {
  const shares = groups.map((group) => {
    const { selectionRate } = truthsOf(group);
    return { selected: group.rows * selectionRate, rejected: group.rows * (1 - selectionRate) };
  });
  const sum = (part: 'selected' | 'rejected') => shares.reduce((total, share) => total + share[part], 0);
  return Math.max(
    ...shares.map(({ selected, rejected }) =>
      Math.abs(rejected / sum('rejected') - selected / sum('selected')),
    ),
  );
}

/** Groups with what is true of them. */
interface Population {
  readonly groups: readonly RowGroup[];
  readonly truths: readonly Truths[];
  readonly gaps: readonly { readonly figure: (typeof STUDIED)[number]; readonly truth: number | null }[];
  /** [of positives][of negatives] */
  readonly crossAuc: readonly (readonly number[])[];
  /** [group] → [of negatives, of positives] */
  readonly centres: readonly (readonly [number, number])[];
}

const populationOf = (groups: readonly RowGroup[]): Population => ({
  groups,
  truths: groups.map(truthsOf),
  gaps: STUDIED.map((figure) => ({ figure, truth: trueDisparity(figure, groups) })),
  crossAuc: groups.map((positives) => groups.map((negatives) => aucBetween(positives, negatives))),
  centres: groups.map(({ falsePositiveRate, truePositiveRate }) => [
    normalQuantile(falsePositiveRate),
    normalQuantile(truePositiveRate),
  ]),
});

const STRATA = ['s1', 's2'];

/** The audit of one simulated table of predictions. */
function simulatedAudit(population: Population, uniform: Uniform, replicates: number): FeatureAudit {
  const { groups } = population;
  const rows = groups.flatMap((group, place) =>
    Array.from({ length: group.rows }, () => rowOf(population, place, uniform)),
  );
  return audit({
    labels: Int32Array.from(rows, ({ label }) => label),
    sensitiveFeatures: [
      {
        name: 'group',
        groupNames: groups.map((_, place) => `g${place}`),
        groups: Int32Array.from(rows, ({ group }) => group),
      },
    ],
    decisions: { scores: rows.map(({ score }) => score), threshold: THRESHOLD },
    strata: { names: STRATA, codes: Int32Array.from(rows, ({ stratum }) => stratum) },
    replicates,
    reference: { group: 'g0' },
  }).features[0]!;
}

function rowOf({ groups, centres }: Population, group: number, uniform: Uniform) {
  const label = uniform() < groups[group]!.baseRate ? 1 : 0;
  const score = 1 / (1 + Math.exp(-(centres[group]![label] + normal(uniform))));
  return { group, label, score, stratum: uniform() < 0.5 ? 0 : 1 };
}

interface Asked {
  readonly figure: string;
  readonly truth: number;
  readonly interval: Interval | null;
}

/** Every interval of a feature with what it should hold. */
function asked({ truths, gaps, crossAuc }: Population, feature: FeatureAudit): Asked[] {
  const disparities = gaps.flatMap(({ figure, truth }) =>
    truth === null ? [] : [{ figure, truth, interval: feature.disparities[figure].interval }],
  );
  const figures = feature.groups.flatMap((group, place) => [
    ...RATE_NAMES.map((rate) => ({
      figure: 'rates of groups',
      truth: truths[place]![rate],
      interval: group.rates[rate].interval,
    })),
    { figure: 'AUC of groups', truth: truths[place]!.auc, interval: group.auc.interval },
    {
      figure: 'balanced accuracy of groups',
      truth: truths[place]!.balancedAccuracy,
      interval: group.balancedAccuracy.interval,
    },
    {
      figure: 'specificity at sensitivity of groups',
      truth: truths[place]!.specificity,
      interval: group.specificityAtSensitivity.interval,
    },
  ]);
  const compared = feature.comparisons.flatMap(({ group, rate, difference, ratio }) => {
    const [one, two] = [truths[Number(group.slice(1))]![rate], truths[0]![rate]];
    const of = rate === 'auc' ? 'AUC' : 'rates';
    return [
      { figure: `comparisons, difference of ${of}`, truth: one - two, interval: difference.interval },
      { figure: `comparisons, ratio of ${of}`, truth: one / two, interval: ratio.interval },
    ];
  });
  const pairs = feature.crossAuc.map(({ positives, negatives, auc }) => ({
    figure: 'xAUC of pairs',
    truth: crossAuc[Number(positives.slice(1))]![Number(negatives.slice(1))]!,
    interval: auc.interval,
  }));
  return [...disparities, ...compared, ...figures, ...pairs];
}

/** How often the intervals that reports print hold the truth, by figure. */
export function auditCoverage(
  groups: readonly RowGroup[],
  { dataSets, replicates, seed = 1 }: StudyOptions,
): Map<string, Hits> {
  const population = populationOf(groups);
  const uniform = seededUniform(seed);
  const sides = new Map<string, (number | null)[]>();
  for (let dataSet = 0; dataSet < dataSets; dataSet += 1) {
    for (const { figure, truth, interval } of asked(
      population,
      simulatedAudit(population, uniform, replicates),
    )) {
      const own = sides.get(figure) ?? [];
      sides.set(figure, own);
      own.push(interval && sideOf(truth, interval));
    }
  }
  return new Map([...sides].map(([figure, own]) => [figure, hitsOf(own)]));
}

interface StudyOptions {
  readonly dataSets: number;
  readonly replicates: number;
  readonly seed?: number;
}

/** -1 for a truth below the interval, 1 above. */
function sideOf(truth: number, { low, high }: Interval): number {
  if (truth < low - 1e-9) return -1;
  return truth > high + 1e-9 ? 1 : 0;
}

function hitsOf(sides: readonly (number | null)[]): Hits {
  const without = sides.filter((side) => side === null).length;
  const intervals = sides.length - without;
  const share = (wanted: number) => sides.filter((side) => side === wanted).length / intervals;
  return { covered: share(0), below: share(-1), above: share(1), intervals, without };
}
