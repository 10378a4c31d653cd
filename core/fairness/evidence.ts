import { estimatorOf, missShare } from './estimators.ts';
import { type Figure, figureOf, isRate } from './figures.ts';
import type { MeasuredGroup } from './measure.ts';
import { rateOfCells } from './rates.ts';
import { forEachClusterTable, percentileInterval } from './statistics/bootstrap.ts';
import { aucGapTest, homogeneity, rateGapTest } from './statistics/gap-tests.ts';
import { type Bounds, differenceOf } from './statistics/mover.ts';
import { holm } from './statistics/multiple-tests.ts';
import { smallestDetectable, smallestDetectableAuc } from './statistics/power.ts';
import type { Clusters } from './subject-cells.ts';
import { CELLS } from './tally.ts';
import type { GapTest, Interval, IntervalMethod, RateName } from './types.ts';

/** Groups beyond which gaps have neither interval nor test, and comparisons are too many to list. */
export const MOST_COMPARED_GROUPS = 200;

/** With which chance the smallest detectable gap is found. */
const POWER = 0.8;

/** The groups of one feature, and what gaps between them rest on. */
export interface Evidence {
  readonly groups: readonly MeasuredGroup[];
  /** Place of the reference group; -1 where there is none. */
  readonly reference: number;
  readonly level: number;
  /** Tables of subjects drawn anew, [group · 4 + cell] each; null where rows are independent. */
  readonly draws: readonly Float64Array[] | null;
  /** Of "no gap among all groups", or between one group and the reference. */
  readonly testOf: (figure: Figure, place?: number) => GapTest | null;
}

/** @returns null where rows are independent, empty where there are too few subjects to draw from */
export function clusterDraws(
  clusters: Clusters | null,
  { replicates, seed }: { readonly replicates: number; readonly seed: number },
): Float64Array[] | null {
  if (clusters === null) return null;
  const draws: Float64Array[] = [];
  if (clusters.units.length < 2) return draws;
  forEachClusterTable({ units: clusters.units, replicates, seed }, (table) => {
    draws.push(table.slice());
  });
  return draws;
}

/** Rates that say the same as another one: a gap in one is a gap in the other, and one test is enough. */
const SAME_AS: Readonly<Partial<Record<Figure, Figure>>> = {
  trueNegativeRate: 'falsePositiveRate',
  falseNegativeRate: 'truePositiveRate',
  falseDiscoveryRate: 'positivePredictiveValue',
  falseOmissionRate: 'negativePredictiveValue',
};

const TESTED: readonly Figure[] = [
  'selectionRate',
  'truePositiveRate',
  'falsePositiveRate',
  'positivePredictiveValue',
  'negativePredictiveValue',
  'accuracy',
  'baseRate',
  'balancedAccuracy',
  'missRatio',
  'auc',
  'specificityAtSensitivity',
  'brier',
];

type RawTest = Omit<GapTest, 'adjustedPValue'>;
type Tests = ReadonlyMap<string, RawTest>;

export interface TestedFeature {
  readonly groups: readonly MeasuredGroup[];
  readonly reference: number;
}

/**
 * Every test of a report, each hypothesis once, adjusted together.
 *
 * @returns [feature] → the test of a figure
 */
export function testFeatures(
  features: readonly TestedFeature[],
  options: { readonly replicates: number; readonly seed: number },
): Evidence['testOf'][] {
  const tests = features.map((feature) => hypotheses(feature, options));
  const adjusted = holm(tests.flatMap((each) => [...each.values()].map(({ pValue }) => pValue)));
  let place = 0;
  return tests.map((each, feature) => {
    const ready = new Map<string, GapTest>();
    for (const [key, test] of each) {
      ready.set(key, { ...test, adjustedPValue: Math.max(test.pValue, adjusted[place]!) });
      place += 1;
    }
    const isPair = features[feature]!.groups.length === 2;
    return (figure, group) => ready.get(keyOf(figure, isPair ? undefined : group)) ?? null;
  });
}

const keyOf = (figure: Figure, group?: number) =>
  `${SAME_AS[figure] ?? figure}${group === undefined ? '' : ` of group ${group}`}`;

function hypotheses(
  { groups, reference }: TestedFeature,
  options: { readonly replicates: number; readonly seed: number },
): Tests {
  const tests = new Map<string, RawTest>();
  if (groups.length < 2 || groups.length > MOST_COMPARED_GROUPS) return tests;
  const add = (key: string, test: RawTest | null) => {
    if (test !== null) tests.set(key, test);
  };
  for (const figure of TESTED) {
    add(keyOf(figure), testOf(groups, figure, options));
    if (groups.length === 2 || reference < 0 || !(isRate(figure) || figure === 'auc')) continue;
    groups.forEach((group, place) => {
      if (place === reference) return;
      add(keyOf(figure, place), testOf([group, groups[reference]!], figure, options));
    });
  }
  return tests;
}

/** @returns null when a group has no value, and for small cells of many groups where nothing may be drawn */
function testOf(
  groups: readonly MeasuredGroup[],
  figure: Figure,
  { replicates, seed }: { readonly replicates: number; readonly seed: number },
): RawTest | null {
  if (groups.some(({ metrics }) => figureOf(metrics, figure) === null)) return null;
  if (figure === 'auc') {
    const estimates = groups.flatMap(({ auc, estimators }) => (auc && estimators.auc ? [auc] : []));
    return estimates.length < groups.length ? null : aucGapTest(estimates);
  }
  if (!isRate(figure) && figure !== 'missRatio') return waldTest(groups, figure);
  const rates = groups.map((group) => (isRate(figure) ? group.proportions[figure] : missShare(group)));
  const isDrawn = groups.length > 2 && replicates === 0;
  const test = isDrawn ? null : rateGapTest(rates, seed);
  return test && { name: test.name, pValue: test.pValue };
}

/** Homogeneity of independent figures; null where one has no interval. */
function waldTest(groups: readonly MeasuredGroup[], figure: Figure): RawTest | null {
  const estimators = groups.flatMap((group) => estimatorOf(group, figure) ?? []);
  const pValue = estimators.length < groups.length ? null : homogeneity(estimators);
  return pValue === null ? null : { name: 'wald', pValue };
}

/**
 * Smallest difference of a rate or of the AUC between two groups that their supports would have shown.
 *
 * @returns null for other figures too
 */
export function detectable(
  { groups, level }: Pick<Evidence, 'groups' | 'level'>,
  figure: Figure,
  [first, second]: readonly [number, number],
): number | null {
  const [one, two] = [groups[first]!, groups[second]!];
  const options = { level, power: POWER };
  if (isRate(figure)) return smallestDetectable(one.proportions[figure], two.proportions[figure], options);
  const isKnown = figure === 'auc' && one.estimators.auc && two.estimators.auc;
  return isKnown ? smallestDetectableAuc(one.auc!, two.auc!, options) : null;
}

/** Interval of the figure of one group minus that of another. */
export function differenceInterval(
  { groups, draws, level }: Evidence,
  figure: Figure,
  [first, second]: readonly [number, number],
): Interval | null {
  const drawn = draws && isRate(figure) ? drawnDifference(draws, figure, { first, second, level }) : null;
  if (drawn) return { ...drawn, method: 'cluster-bootstrap' };
  const [one, two] = [estimatorOf(groups[first]!, figure), estimatorOf(groups[second]!, figure)];
  if (one === null || two === null) return null;
  return { ...differenceOf(one(level), two(level)), method: methodOf(figure) };
}

/** @returns null where the draws show no spread, which is no proof that there is none */
function drawnDifference(
  draws: readonly Float64Array[],
  figure: RateName,
  { first, second, level }: { readonly first: number; readonly second: number; readonly level: number },
): Bounds | null {
  const rateIn = (table: Float64Array, group: number) => {
    const cells = table.subarray(group * CELLS, (group + 1) * CELLS);
    const { numerator, support } = rateOfCells(cells, figure);
    return numerator / support; // NaN where the draw has no support
  };
  const differences = Float64Array.from(draws, (table) => rateIn(table, first) - rateIn(table, second));
  const bounds = percentileInterval(differences, level);
  return bounds && bounds.low < bounds.high ? bounds : null;
}

/** How the interval of a gap of a figure is made from those of two groups. */
export function methodOf(figure: Figure): IntervalMethod {
  if (figure === 'auc') return 'delong';
  if (figure === 'brier') return 'wald';
  return figure === 'specificityAtSensitivity' ? 'bootstrap' : 'newcombe';
}
