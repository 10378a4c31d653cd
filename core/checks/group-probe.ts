import { contradictionsOf } from './contradictions.ts';
import { separate } from './separation.ts';
import { type CheckedSet, featureOf, joinSets, rowsByGroup } from './sets.ts';
import type { Finding } from './types.ts';
import { percentText, pText } from './words.ts';

/** Rows of a group, in a part, that a probe needs. */
const LEAST_ROWS = 40;
/** Rows of a group that a probe reads at most. */
const MOST_ROWS = 1_000;
/** AUC from which a group can be read from the features, and at most which it cannot. */
const [READABLE, UNREADABLE] = [0.85, 0.65];
const FOLDS = 5;
/** Pull of the probe's weights towards 0, in shares of a feature's variance summed over rows. */
const RIDGE = 0.1;
const MOST_STEPS = 50;
const TOLERANCE = 1e-6;

/**
 * Group labels that the model's own features contradict. A linear probe (Alain and Bengio 2017) reads the two largest
 * groups from the features, each row by a probe that has not seen its subject. Where it can within each part but not
 * from one part to the other, group labels of one part mean something else; where single rows lie in the midst of the
 * other group, they may be mislabelled.
 */
export function groupProbeFindings(parts: readonly CheckedSet[]): Finding[] {
  if (parts.some(({ seen }) => seen === null)) return [];
  return parts[0]!.samples.sensitiveFeatures.flatMap(({ name }) => {
    const sides = twoGroups(joinSets('all', parts), name);
    if (sides === null) return [];
    const across = parts.length < 2 ? [] : acrossFindings(parts, name, sides);
    return across.length > 0 ? across : withinFindings(parts, name, sides);
  });
}

type Sides = readonly [string, string];

/** The two largest groups, when both have rows enough. */
function twoGroups(set: CheckedSet, feature: string): Sides | null {
  const groups = [...rowsByGroup(featureOf(set, feature)!)].sort(([, a], [, b]) => b.length - a.length);
  const [first, second] = groups;
  return first && second && second[1].length >= LEAST_ROWS ? [first[0], second[0]] : null;
}

/** Rows of the two groups, with 1 for the second. */
interface Sample {
  readonly set: CheckedSet;
  readonly rows: readonly number[];
  readonly isSecond: readonly boolean[];
}

/** Evenly spaced rows. */
const thin = (rows: readonly number[]): readonly number[] =>
  rows.length <= MOST_ROWS
    ? rows
    : Array.from({ length: MOST_ROWS }, (_, place) => rows[Math.floor((place * rows.length) / MOST_ROWS)]!);

function sampleOf(set: CheckedSet, feature: string, [first, second]: Sides): Sample {
  const groups = rowsByGroup(featureOf(set, feature)!);
  const [own, other] = [first, second].map((group) => thin(groups.get(group) ?? [])) as [
    readonly number[],
    readonly number[],
  ];
  return { set, rows: [...own, ...other], isSecond: [...own.map(() => false), ...other.map(() => true)] };
}

const split = ({ isSecond }: Sample, scores: readonly number[]) =>
  [false, true].map((side) => scores.filter((_, index) => isSecond[index] === side)) as [number[], number[]];
const hasEnough = ({ isSecond }: Sample) => {
  const second = isSecond.filter(Boolean).length;
  return Math.min(second, isSecond.length - second) >= LEAST_ROWS;
};

function acrossFindings(parts: readonly CheckedSet[], feature: string, sides: Sides): Finding[] {
  const [external, test] = parts.map((part) => sampleOf(part, feature, sides)) as [Sample, Sample];
  if (!hasEnough(external) || !hasEnough(test)) return [];
  const within = [external, test].map((sample) => separate(...split(sample, outOfFold(sample)))!.auc);
  const across = separate(...split(test, scoresOf(test, fitProbe(external))))!;
  if (Math.max(...within) < READABLE || across.auc > UNREADABLE) return [];
  return [
    {
      code: 'mislabelled-groups',
      severity: across.auc < 1 - UNREADABLE ? 'unfit' : 'care',
      reason: `Groups "${sides[0]}" and "${sides[1]}" of ${feature} can be read from the model's features within the ${parts[0]!.name} part (AUC ${within[0]!.toFixed(2)}) or the ${parts[1]!.name} part (${within[1]!.toFixed(2)}), but not from one to the other (${across.auc.toFixed(2)}): their names do not mean the same in both.`,
      repair: `Check how ${feature} was coded in each part: groups look swapped or mixed up in one of them.`,
    },
  ];
}

function withinFindings(parts: readonly CheckedSet[], feature: string, sides: Sides): Finding[] {
  const sample = sampleOf(joinSets('all', parts), feature, sides);
  const found = contradictionsOf(...split(sample, outOfFold(sample)));
  if (found === null) return [];
  return [
    {
      code: 'mislabelled-groups',
      severity: 'care',
      reason: `${found.count} of ${sample.rows.length} rows (${percentText(found.count / sample.rows.length)}) of groups "${sides[0]}" and "${sides[1]}" of ${feature} have the features of the other group, where the two are ${found.distance.toFixed(1)} standard deviations apart and ${found.expected.toFixed(1)} rows would be there by chance (${pText(found.pValue)}): about ${found.wrong} look mislabelled.`,
      repair: `Look at a sample of these rows again: their value of ${feature} may be wrong.`,
    },
  ];
}

/** Score of each row by a probe that was fitted without its fold; all rows of a subject are in one fold. */
function outOfFold(sample: Sample): number[] {
  const { set, rows, isSecond } = sample;
  const foldOf = new Map<string | number, number>();
  const folds = rows.map((row) => {
    const subject = set.samples.subjects?.[row] ?? row;
    if (!foldOf.has(subject)) foldOf.set(subject, foldOf.size % FOLDS);
    return foldOf.get(subject)!;
  });
  const scores = new Array<number>(rows.length);
  for (let fold = 0; fold < FOLDS; fold += 1) {
    const kept = rows.flatMap((_, index) => (folds[index] === fold ? [] : [index]));
    const probe = fitProbe({ set, rows: kept.map((i) => rows[i]!), isSecond: kept.map((i) => isSecond[i]!) });
    scoresOf(sample, probe).forEach((score, index) => {
      if (folds[index] === fold) scores[index] = score;
    });
  }
  return scores;
}

interface Probe {
  readonly weights: Float64Array;
  readonly mean: Float64Array;
}

function scoresOf({ set, rows }: Sample, { weights, mean }: Probe): number[] {
  const { features, width } = set.seen!;
  return rows.map((row) => {
    let sum = 0;
    for (let at = 0; at < width; at += 1) sum += (features[row * width + at]! - mean[at]!) * weights[at]!;
    return sum;
  });
}

/**
 * Ridge regression on ±1 by conjugate gradients: (XᵀX + ridge · diag XᵀX) w = Xᵀy, centred, preconditioned by the
 * diagonal, so that the scale of a feature does not matter.
 */
function fitProbe({ set, rows, isSecond }: Sample): Probe {
  const { features, width } = set.seen!;
  const mean = new Float64Array(width);
  for (const row of rows)
    for (let at = 0; at < width; at += 1) mean[at]! += features[row * width + at]! / rows.length;
  const seconds = isSecond.filter(Boolean).length;
  const targets = isSecond.map((each) => (each ? 1 / seconds : -1 / (rows.length - seconds)) * rows.length);
  const transpose = (values: readonly number[]) => {
    const sums = new Float64Array(width);
    rows.forEach((row, index) => {
      for (let at = 0; at < width; at += 1) {
        sums[at]! += (features[row * width + at]! - mean[at]!) * values[index]!;
      }
    });
    return sums;
  };
  const diagonal = new Float64Array(width);
  for (const row of rows) {
    for (let at = 0; at < width; at += 1) diagonal[at]! += (features[row * width + at]! - mean[at]!) ** 2;
  }
  const sample = { set, rows, isSecond };
  const apply = (weights: Float64Array) =>
    transpose(scoresOf(sample, { weights, mean })).map(
      (value, at) => value + RIDGE * diagonal[at]! * weights[at]!,
    );
  return { weights: conjugateGradients(apply, transpose(targets), diagonal), mean };
}

const dot = (a: Float64Array, b: Float64Array): number =>
  a.reduce((sum, value, at) => sum + value * b[at]!, 0);

/** Solves A w = b for a symmetric positive definite A; a row of zeros in the diagonal keeps its weight 0. */
function conjugateGradients(
  apply: (weights: Float64Array) => Float64Array,
  target: Float64Array,
  diagonal: Float64Array,
): Float64Array {
  const precondition = (values: Float64Array) =>
    values.map((value, at) => (diagonal[at]! > 0 ? value / diagonal[at]! : 0));
  const weights = new Float64Array(target.length);
  const residual = target.slice();
  let direction = precondition(residual);
  let energy = dot(residual, direction);
  const enough = TOLERANCE * energy;
  for (let step = 0; step < MOST_STEPS && energy > enough; step += 1) {
    const image = apply(direction);
    const length = energy / dot(direction, image);
    for (let at = 0; at < weights.length; at += 1) {
      weights[at]! += length * direction[at]!;
      residual[at]! -= length * image[at]!;
    }
    const next = precondition(residual);
    const nextEnergy = dot(residual, next);
    direction = next.map((value, at) => value + (nextEnergy / energy) * direction[at]!);
    energy = nextEnergy;
  }
  return weights;
}
