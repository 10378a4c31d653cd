import { beforeAll, describe, expect, test } from 'vitest';
import { audit } from '../../../core/fairness/audit.ts';
import type { Decisions } from '../../../worker/methods/evaluate.ts';
import type { Reached } from '../../../worker/methods/paired.ts';
import { pairedDifferences } from '../../../worker/methods/paired.ts';
import { selectFigures } from '../../../worker/search/selection.ts';
import { noise, withBackend } from '../../helpers/tensors.ts';

const ROWS = 400;
const labels = Int32Array.from({ length: ROWS }, (_, row) => row % 2);
const groups = Int32Array.from({ length: ROWS }, (_, row) => (row >> 1) % 2);
const OPTIONS = { metric: 'equalizedOdds', level: 0.95, replicates: 600, seed: 1 } as const;

/** Scores with noise of their own; `shift` moves those of the second group. */
function reached(
  seed: number,
  {
    shift,
    noiseSeed,
    subjects = [...labels.keys()],
  }: { shift: number; noiseSeed: number; subjects?: number[] },
): Reached {
  const spread = noise(ROWS, noiseSeed);
  const scores = Float64Array.from(labels, (label, row) => {
    const logit = 1.5 * (label - 0.5) + 2 * spread[row]! + (groups[row] === 1 ? shift : 0);
    return 1 / (1 + Math.exp(-logit));
  });
  const predictions = Uint8Array.from(scores, (score) => (score >= 0.5 ? 1 : 0));
  const rows = { labels, groups, groupNames: ['a', 'b'], subjects: Int32Array.from(subjects) };
  return { seed, figures: figuresOf(scores), decisions: { rows, scores, predictions } satisfies Decisions };
}

function figuresOf(scores: Float64Array) {
  const report = audit({
    labels,
    decisions: { scores, threshold: 0.5 },
    sensitiveFeatures: [{ name: 'g', groupNames: ['a', 'b'], groups }],
    replicates: 0,
  });
  const targets = [{ sensitiveFeature: 'g', groups: report.features[0]!.groups }];
  return selectFigures(report, targets, 'equalizedOdds');
}

describe('pairedDifferences', () => {
  withBackend('wasm');
  let shifted: Reached[];
  let level: Reached[];

  beforeAll(() => {
    shifted = [1, 2, 3].map((seed) => reached(seed, { shift: 1.5, noiseSeed: seed }));
    level = [1, 2, 3].map((seed) => reached(seed, { shift: 0, noiseSeed: seed }));
  });

  test('is the mean over seeds of what the audits differ by', () => {
    const { disparity, auc } = pairedDifferences(level, shifted, OPTIONS);
    const mean = (pick: (of: Reached) => number) =>
      level.reduce((sum, _, place) => sum + pick(level[place]!) - pick(shifted[place]!), 0) / 3;
    expect(disparity.value).toBeCloseTo(
      mean(({ figures }) => figures.disparity!),
      12,
    );
    expect(auc.value).toBeCloseTo(
      mean(({ figures }) => figures.auc!),
      12,
    );
  });

  test('has an interval that holds the difference and leaves out zero where the gap is plain', () => {
    const { disparity } = pairedDifferences(level, shifted, OPTIONS);
    expect(disparity.interval!.low).toBeLessThan(disparity.value!);
    expect(disparity.interval!.high).toBeGreaterThan(disparity.value!);
    expect(disparity.interval!.high).toBeLessThan(0);
  });

  test('is nothing at all for a method against itself', () => {
    const differences = pairedDifferences(level, level, OPTIONS);
    for (const { value, interval } of Object.values(differences)) {
      expect(value).toBe(0);
      expect(interval).toEqual({ low: 0, high: 0 });
    }
  });

  test('has the width that the formula of a difference of proportions gives', () => {
    // one seed; predictions differ in 40 of 200 positives, so balanced accuracy falls by 40 / 200 / 2
    const base = reached(1, { shift: 0, noiseSeed: 5 });
    const predictions = Uint8Array.from(labels);
    const perfect: Reached = {
      seed: 1,
      figures: { ...base.figures, balancedAccuracy: 1 },
      decisions: { ...base.decisions, predictions },
    };
    const wrong = Uint8Array.from(labels, (label, row) => (label === 1 && row % 10 === 1 ? 0 : label));
    const worse: Reached = {
      seed: 1,
      figures: { ...base.figures, balancedAccuracy: 0.9 },
      decisions: { ...base.decisions, predictions: wrong },
    };
    const { balancedAccuracy } = pairedDifferences([worse], [perfect], { ...OPTIONS, replicates: 4000 });
    const deviation = Math.sqrt((0.2 * 0.8) / 200) / 2;
    expect(balancedAccuracy.value).toBeCloseTo(-0.1, 12);
    expect(balancedAccuracy.interval!.low).toBeCloseTo(-0.1 - 1.96 * deviation, 2);
    expect(balancedAccuracy.interval!.high).toBeCloseTo(-0.1 + 1.96 * deviation, 2);
  });

  test('is wider when rows of a subject go together', () => {
    // 40 subjects of ten rows, of one group and one label each
    const order = [...labels.keys()].sort(
      (a, b) => groups[a]! * 2 + labels[a]! - (groups[b]! * 2 + labels[b]!),
    );
    const subjects = order.reduce<number[]>((all, row, place) => {
      all[row] = Math.floor(place / 10);
      return all;
    }, []);
    // a method that is wrong for whole subjects
    const wrong = (own: number[]): Reached => {
      const base = reached(1, { shift: 0, noiseSeed: 3, subjects: own });
      const predictions = Uint8Array.from(labels, (label, row) =>
        subjects[row]! % 5 === 0 ? 1 - label : label,
      );
      return { ...base, decisions: { ...base.decisions, predictions } };
    };
    const right = (own: number[]): Reached => {
      const base = reached(1, { shift: 0, noiseSeed: 3, subjects: own });
      return { ...base, decisions: { ...base.decisions, predictions: Uint8Array.from(labels) } };
    };
    const width = (own: number[]) => {
      const { interval } = pairedDifferences([wrong(own)], [right(own)], OPTIONS).balancedAccuracy;
      return interval!.high - interval!.low;
    };
    // ten rows of one subject that always agree: the deviation grows by √10
    expect(width(subjects) / width([...labels.keys()])).toBeGreaterThan(2);
  });

  test('grows with how much seeds differ', () => {
    const steady = [1, 2, 3].map((seed) => reached(seed, { shift: 1.5, noiseSeed: 1 }));
    const varied = [0, 1.5, 3].map((shift, seed) => reached(seed + 1, { shift, noiseSeed: 1 }));
    const reference = [1, 2, 3].map((seed) => reached(seed, { shift: 0, noiseSeed: 1 }));
    const width = (of: Reached[]) => {
      const { interval } = pairedDifferences(of, reference, OPTIONS).disparity;
      return interval!.high - interval!.low;
    };
    expect(width(varied)).toBeGreaterThan(2 * width(steady));
  });

  test('counts ties in the AUC by half', () => {
    const rows = {
      labels: Int32Array.of(0, 1, 0, 1),
      groups: Int32Array.of(0, 0, 1, 1),
      groupNames: ['a', 'b'],
      subjects: Int32Array.of(0, 0, 0, 0), // one subject: every draw is the data themselves
    };
    const of = (scores: number[]): Reached => ({
      seed: 1,
      figures: { disparity: 0, auc: 0, balancedAccuracy: 0 },
      decisions: { rows, scores: Float64Array.from(scores), predictions: Uint8Array.of(0, 1, 0, 1) },
    });
    const aucOf = (scores: number[]) =>
      pairedDifferences([of(scores)], [of([0.9, 0.1, 0.9, 0.1])], OPTIONS).auc.interval!.low;
    expect(aucOf([0.1, 0.9, 0.1, 0.9])).toBe(1);
    expect(aucOf([0.5, 0.5, 0.5, 0.5])).toBe(0.5);
    expect(aucOf([0.5, 0.5, 0.2, 0.9])).toBe((0.5 + 1 + 1 + 1) / 4);
  });

  test('is not defined where a figure is not, or where no seed is shared', () => {
    const undefinedGap = level.map((each) => ({ ...each, figures: { ...each.figures, disparity: null } }));
    expect(pairedDifferences(undefinedGap, level, OPTIONS).disparity).toEqual({
      value: null,
      interval: null,
    });
    const others = level.map((each) => ({ ...each, seed: each.seed + 10 }));
    expect(pairedDifferences(others, level, OPTIONS).auc).toEqual({ value: null, interval: null });
  });
});
