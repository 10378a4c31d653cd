import { type AucEstimate, aucEstimator, aucOf } from '../fairness/statistics/delong.ts';
import { rateGapTest } from '../fairness/statistics/gap-tests.ts';
import { contradictionsOf } from './contradictions.ts';
import { type CheckedSet, indicesWhere, rowsByGroup } from './sets.ts';
import { CHECK_LEVEL } from './shifts.ts';
import type { Finding } from './types.ts';
import { groupText, percentText, pText } from './words.ts';

/** Rows of a class below which an AUC says nothing. */
const LEAST_CLASS = 10;
/** Score from which the model is sure of the positive label; below one less this, of the negative. */
const SURE = 0.9;
/** How much more often than in other groups, and than the scores themselves say, the model must be sure and wrong. */
const FAR_ABOVE = { others: 3, scores: 2 } as const;

/** Labels that the model contradicts: swapped in all, swapped in a group, random, or doubtful one by one. */
export function labelFindings(whole: CheckedSet): Finding[] {
  const { seen, samples } = whole;
  if (seen === null) return [];
  const rows = indicesWhere(samples.labels, () => true);
  const overall = rank(whole, rows);
  if (overall === null) return [];
  const { value, low, high } = aucEstimator(overall)(1 - CHECK_LEVEL);
  const interval = `AUC ${value.toFixed(2)}, ${low.toFixed(2)} to ${high.toFixed(2)} at 99 %`;
  if (high < 0.5) {
    return [
      {
        code: 'swapped-labels',
        severity: 'unfit',
        reason: `The labels are the reverse of what the model says (${interval}): positive and negative look swapped.`,
        repair: 'Check --positive-label and --positive-class, and the coding of the labels.',
      },
    ];
  }
  const perGroup = samples.sensitiveFeatures.flatMap((feature) => {
    const groups = [...rowsByGroup(feature)];
    return groups.flatMap(([group, own]) => {
      const others = groups.filter(([name]) => name !== group).flatMap(([, each]) => each);
      return groupFindings(whole, { name: groupText(feature.name, group), own, others });
    });
  });
  if (low >= 0.5) return perGroup;
  return [
    {
      code: 'no-signal',
      severity: 'care',
      reason: `The model ranks these labels no better than chance may (${interval}).`,
      repair:
        'Check that these are the inputs and the labels that the model was trained for, and that the preprocess is its own; else collect more rows.',
    },
    ...perGroup,
  ];
}

/** Whether the model still ranks the labels, as far as these findings say. */
export function hasSignal(findings: readonly Finding[]): boolean {
  return !findings.some(({ code }) => code === 'no-signal' || code === 'swapped-labels');
}

interface GroupRows {
  readonly name: string;
  readonly own: readonly number[];
  readonly others: readonly number[];
}

/** AUC of the model's logits over the rows; null where a class is absent or tiny. */
function rank({ seen, samples }: CheckedSet, rows: readonly number[]): AucEstimate | null {
  const order = [...rows].sort((a, b) => seen!.logits[a]! - seen!.logits[b]!);
  const [positives, negatives]: [number[], number[]] = [[], []];
  let last = Number.NaN;
  for (const row of order) {
    const logit = seen!.logits[row]!;
    if (logit !== last) {
      positives.push(0);
      negatives.push(0);
    }
    last = logit;
    (samples.labels[row] === 1 ? positives : negatives)[positives.length - 1]! += 1;
  }
  const estimate = aucOf({ positives, negatives });
  return estimate && Math.min(estimate.positives, estimate.negatives) >= LEAST_CLASS ? estimate : null;
}

function groupFindings(whole: CheckedSet, { name, own, others }: GroupRows): Finding[] {
  const [mine, rest] = [rank(whole, own), rank(whole, others)];
  if (mine === null) return [];
  const { value, low, high } = aucEstimator(mine)(1 - CHECK_LEVEL);
  const interval = `AUC ${value.toFixed(2)}, ${low.toFixed(2)} to ${high.toFixed(2)} at 99 %`;
  if (high < 0.5) {
    return [
      {
        code: 'swapped-labels-in-group',
        severity: 'unfit',
        reason: `In ${name} the labels are the reverse of what the model says (${interval}): they look swapped there.`,
        repair: `Check how labels of ${name} were coded; tuning on them would teach the model the reverse.`,
      },
    ];
  }
  const least = rest && aucEstimator(rest)(1 - CHECK_LEVEL).low;
  if (least !== null && low < 0.5 && high < least) {
    return [
      {
        code: 'no-signal-in-group',
        severity: 'care',
        reason: `In ${name} the model ranks no better than chance may (${interval}), in the other groups it does (AUC ${rest!.auc.toFixed(2)}).`,
        repair: `Look at a sample of ${name}: either its labels are wrong in part, or the model has learnt nothing about it.`,
      },
    ];
  }
  return [...sureAndWrong(whole, { name, own, others }), ...outOfPlace(whole, name, own)];
}

/** The model is sure, the label says the opposite, and in other groups this is rare. */
function sureAndWrong(whole: CheckedSet, { name, own, others }: GroupRows): Finding[] {
  const [mine, rest] = [own, others].map((rows) => countWrong(whole, rows)) as [Wrong, Wrong];
  if (mine.sure < LEAST_CLASS || rest.sure < LEAST_CLASS) return [];
  const [rate, usual] = [mine.wrong / mine.sure, rest.wrong / rest.sure];
  const test = rateGapTest(
    [mine, rest].map(({ wrong, sure }) => ({ numerator: wrong, support: sure })),
    0,
  )!;
  const isFar = rate >= FAR_ABOVE.others * usual && mine.wrong >= FAR_ABOVE.scores * mine.expected;
  if (!isFar || test.pValue >= CHECK_LEVEL || mine.wrong < LEAST_CLASS) return [];
  return [
    {
      code: 'contradicted-labels',
      severity: 'care',
      reason: `In ${name} the label is the opposite in ${mine.wrong} of ${mine.sure} rows that the model is sure of (${percentText(rate)}; its scores allow ${mine.expected.toFixed(1)} rows, other groups have ${percentText(usual)}; ${pText(test.pValue)}).`,
      repair: `Look at a sample of these rows: either labels of ${name} are wrong, or this is the disparity that is to be lowered.`,
    },
  ];
}

interface Wrong {
  readonly sure: number;
  readonly wrong: number;
  /** Of the sure ones, by the scores themselves. */
  readonly expected: number;
}

function countWrong({ seen, samples }: CheckedSet, rows: readonly number[]): Wrong {
  let [sure, wrong, expected] = [0, 0, 0];
  for (const row of rows) {
    const score = 1 / (1 + Math.exp(-seen!.logits[row]!));
    if (Math.max(score, 1 - score) < SURE) continue;
    sure += 1;
    expected += Math.min(score, 1 - score);
    if (score > 0.5 !== (samples.labels[row] === 1)) wrong += 1;
  }
  return { sure, wrong, expected };
}

/** Rows of one label in the midst of those of the other, where the two are apart otherwise. */
function outOfPlace({ seen, samples }: CheckedSet, name: string, rows: readonly number[]): Finding[] {
  const of = (label: number) =>
    rows.filter((row) => samples.labels[row] === label).map((row) => seen!.logits[row]!);
  const found = contradictionsOf(of(0), of(1));
  if (found === null) return [];
  return [
    {
      code: 'doubtful-labels',
      severity: 'care',
      reason: `In ${name}, ${found.count} of ${rows.length} rows (${percentText(found.count / rows.length)}) have a score from the midst of the other label's, where the two are apart by ${found.distance.toFixed(1)} standard deviations and ${found.expected.toFixed(1)} rows would be there by chance (${pText(found.pValue)}): about ${found.wrong} look mislabelled.`,
      repair: `Look at a sample of these rows again: their labels may be wrong.`,
    },
  ];
}
