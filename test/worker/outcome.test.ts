import { describe, expect, test } from 'vitest';
import { MISSING_GROUP } from '../../core/data/types.ts';
import { audit } from '../../core/fairness/audit.ts';
import type { AuditReport } from '../../core/fairness/types.ts';
import type { CandidateRecord } from '../../core/jobs/run-record.ts';
import type { Classifier } from '../../core/model/classifier.ts';
import { PRESETS } from '../../worker/bmft/options.ts';
import { NO_CHECKPOINTS } from '../../worker/checkpoints.ts';
import { conclude, dataProblems, findDataProblem, reject } from '../../worker/outcome.ts';
import type { Parts } from '../../worker/parts.ts';
import type { Progress } from '../../worker/progress.ts';
import { NO_PROGRESS } from '../../worker/progress.ts';
import type { MitigationJob } from '../../worker/run-job.ts';
import type { TrainingSet } from '../../worker/training/batch.ts';
import type { Tuned } from '../../worker/tune.ts';
import { makeSet } from '../helpers/made-data.ts';
import { withBackend } from '../helpers/tensors.ts';

/** A set with so many rows in the cells (a, 0), (a, 1), (b, 0), (b, 1). */
function setOf(counts: readonly number[], groupNames = ['a', 'b']): TrainingSet {
  const cells = counts.flatMap((count, cell) => Array.from({ length: count }, () => cell));
  return makeSet({
    labels: cells.map((cell) => cell % 2),
    groups: cells.map((cell) => cell >> 1),
    groupNames,
  });
}

const USE: Parts['use'] = { rows: 8, excluded: [], parts: [], auditedOn: 'test', isIndependent: true };
const partsOf = (tune: TrainingSet, select: TrainingSet | null = null): Omit<Parts, 'audited'> => ({
  tune,
  select,
  use: USE,
});
const problemOf = (tune: TrainingSet, select: TrainingSet | null = null) =>
  findDataProblem(partsOf(tune, select), PRESETS.robust);

describe('findDataProblem', () => {
  test('is null when every cell can carry its part', () => {
    expect(problemOf(setOf([2, 2, 2, 2]), setOf([1, 1, 1, 1]))).toBeNull();
  });

  test('names the only group there is', () => {
    expect(problemOf(setOf([4, 4], ['a']))).toBe('one group only ("a"): a disparity needs two');
    expect(problemOf(setOf([], []))).toBe(
      'no sample has a value of the sensitive feature: a disparity needs two groups',
    );
  });

  test('names the cell that is empty or too small to tune on', () => {
    expect(problemOf(setOf([3, 3, 3, 0]))).toBe(
      'group "b" has no positive labels among 9 samples, expected at least 2',
    );
    expect(problemOf(setOf([1, 3, 3, 3]))).toBe(
      'group "a" has only 1 negative label among 10 samples, expected at least 2',
    );
  });

  test('does not take a mistake of the program for a problem of the data', () => {
    const broken = { ...setOf([2, 2, 2, 2]), rows: null as never };
    expect(() => problemOf(broken)).toThrow(TypeError);
  });

  test('names the cell that is empty where candidates are judged', () => {
    expect(problemOf(setOf([2, 2, 2, 2]), setOf([1, 1, 0, 1]))).toBe(
      'group "b" has no negative labels among 3 samples, expected at least 1',
    );
  });
});

interface Rates {
  readonly tpr: number;
  readonly fpr: number;
}

/** An audit over ten positives and ten negatives a group, with the rates given; scores rank as the predictions. */
function auditWith(rates: readonly Rates[], groupNames = ['a', 'b']): AuditReport {
  const rows = rates.flatMap(({ tpr, fpr }, group) =>
    Array.from({ length: 20 }, (_, place) => {
      const label = place < 10 ? 1 : 0;
      return { group, label, score: place % 10 < Math.round(10 * (label ? tpr : fpr)) ? 0.9 : 0.1 };
    }),
  );
  return audit({
    labels: Int32Array.from(rows, ({ label }) => label),
    sensitiveFeatures: [{ name: 'site', groupNames, groups: Int32Array.from(rows, ({ group }) => group) }],
    decisions: { scores: rows.map(({ score }) => score), threshold: 0.5 },
  });
}

const job = (progress: Progress = NO_PROGRESS): MitigationJob => ({
  ...({} as { model: Classifier; samples: never; inputs: never }),
  sensitiveFeature: 'site',
  splits: null,
  options: PRESETS.robust,
  seed: 1,
  threshold: 0.5,
  progress,
  checkpoints: NO_CHECKPOINTS,
});

const TUNED: Tuned = {
  isTuned: true,
  isApplied: true,
  found: {
    mask: { values: new Map(), notes: new Map() },
    summary: { kind: 'hard', percentile: 50, stability: null, selected: 1, total: 2, layers: [] },
  },
  threshold: { value: 0.5, biasShift: 0.25 },
  curves: { body: [], head: [] },
  candidates: [],
};

const BIASED = [
  { tpr: 0.9, fpr: 0.2 },
  { tpr: 0.6, fpr: 0.2 },
];
const concluded = (after: readonly Rates[], { before = BIASED, tuned = TUNED } = {}) =>
  conclude({
    job: job(),
    parts: partsOf(setOf([])),
    before: auditWith(before),
    after: auditWith(after),
    tuned,
  });

describe('conclude', () => {
  withBackend('cpu');

  test('calls a smaller disparity at the same accuracy improved', () => {
    const after = [
      { tpr: 0.8, fpr: 0.2 },
      { tpr: 0.7, fpr: 0.2 },
    ];
    const { outcome, after: report, mask, threshold } = concluded(after);
    expect(outcome).toMatchObject({
      status: 'improved',
      sensitiveFeature: 'site',
      metric: 'equalizedOddsDifference',
      before: expect.closeTo(0.9 - 0.6, 12),
      after: expect.closeTo(0.8 - 0.7, 12),
      reasons: [],
    });
    expect(report).toEqual(auditWith(after));
    expect(mask!.summary).toEqual({ ...TUNED.found.summary, isApplied: true });
    expect(threshold).toEqual({ value: 0.5, biasShift: 0.25 });
  });

  test('calls a disparity that did not fall on the audited part not improved, with both figures', () => {
    expect(concluded(BIASED).outcome).toMatchObject({
      status: 'not-improved',
      reasons: ['the disparity did not fall on the audited data: 0.300 before, 0.300 after'],
    });
  });

  test('never calls a collapse to one class improved, although its disparity is 0', () => {
    for (const everywhere of [0, 1]) {
      const { outcome } = concluded(BIASED.map(() => ({ tpr: everywhere, fpr: everywhere })));
      expect(outcome.after).toBe(0);
      expect(outcome.status).toBe('not-improved');
      expect(outcome.reasons).toContain('balanced accuracy fell from 0.775 to 0.500, by more than 0.01');
    }
  });

  test('does not improve what was not defined before', () => {
    const { outcome } = conclude({
      job: job(),
      parts: partsOf(setOf([])),
      before: auditWith(BIASED.slice(0, 1), ['a', 'b']),
      after: auditWith(BIASED),
      tuned: TUNED,
    });
    expect(outcome.before).toBeNull();
    expect(outcome.status).toBe('not-improved');
    expect(outcome.reasons[0]).toBe(
      'the disparity before is not defined, so nothing can be said to have improved',
    );
  });

  test('does not call a disparity that is no longer defined improved', () => {
    const { outcome } = conclude({
      job: job(),
      parts: partsOf(setOf([])),
      before: auditWith(BIASED),
      after: auditWith(BIASED.slice(0, 1), ['a', 'b']),
      tuned: TUNED,
    });
    expect(outcome).toMatchObject({ status: 'not-improved', after: null });
    expect(outcome.reasons).toContain('the disparity is not defined');
  });

  test('notes what a group lost without letting it decide', () => {
    const { outcome } = concluded([
      { tpr: 0.7, fpr: 0 },
      { tpr: 0.7, fpr: 0.1 },
    ]);
    expect(outcome).toMatchObject({
      status: 'improved',
      reasons: ['true positive rate of "a" fell from 0.900 to 0.700, by more than 0.1'],
    });
  });

  test('leaves the group of rows without a value out of the disparity', () => {
    const groupNames = ['a', 'b', MISSING_GROUP];
    const { outcome } = conclude({
      job: job(),
      parts: partsOf(setOf([])),
      before: auditWith([...BIASED, { tpr: 0, fpr: 1 }], groupNames),
      after: auditWith([...BIASED, { tpr: 0, fpr: 0 }], groupNames),
      tuned: TUNED,
    });
    expect(outcome.before).toBeCloseTo(0.9 - 0.6, 12);
  });

  test('says why no candidate was chosen, and shows no figures after', () => {
    const candidate = (kind: CandidateRecord['kind'], violations: string[]) =>
      ({ kind, violations }) as unknown as CandidateRecord;
    const candidates = [
      candidate('original', []),
      candidate('control', ['AUC fell']),
      candidate('bmft', []),
      candidate('bmft', ['AUC fell']),
    ];
    const { outcome, after } = concluded(BIASED, { tuned: { ...TUNED, isTuned: false, candidates } });
    expect(outcome).toMatchObject({
      status: 'not-improved',
      after: null,
      aucAfter: null,
      reasons: [
        'none of 3 candidates was chosen: 2 broke a guard rail on the select part, 1 did not lower the disparity there',
      ],
    });
    expect(after).toBeNull();
  });
});

describe('dataProblems', () => {
  const finding = (severity: 'care' | 'unfit') =>
    ({ code: 'x', severity, reason: `A ${severity} reason.`, repair: 'Collect more.' }) as const;
  const check = {
    schemaVersion: 1,
    verdict: 'unfit',
    findings: [finding('unfit'), finding('care')],
    cells: [],
    reach: [],
    distance: null,
    twoSets: [],
    histograms: null,
  } as const;
  const sound = partsOf(setOf([2, 2, 2, 2]));
  const problems = (despiteCheck: boolean, parts = sound) =>
    dataProblems({ job: { ...job(NO_PROGRESS), despiteCheck }, parts, check });

  test('are what makes data unfit, each with its repair, unless the run is to go on', () => {
    expect(problems(false)).toEqual(['A unfit reason. Collect more.']);
    expect(problems(true)).toEqual([]);
    expect(dataProblems({ job: job(NO_PROGRESS), parts: sound })).toEqual([]);
  });

  test('cannot be overruled where the method has nothing to work on', () => {
    const problem = 'one group only ("a"): a disparity needs two';
    expect(problems(true, partsOf(setOf([4, 4], ['a'])))).toEqual([problem]);
  });
});

describe('reject', () => {
  withBackend('cpu');

  test('gives the audit before, the problem and nothing else, and ends the progress', () => {
    const heard: string[] = [];
    const progress = { ...NO_PROGRESS, finish: () => void heard.push('finish') };
    const before = auditWith(BIASED);
    const parts = partsOf(setOf([]));
    expect(reject({ job: job(progress), parts, before, problems: ['no labels'] })).toEqual({
      outcome: {
        status: 'rejected',
        sensitiveFeature: 'site',
        metric: 'equalizedOddsDifference',
        before: expect.closeTo(0.3, 12),
        after: null,
        aucBefore: before.overall.auc.value,
        aucAfter: null,
        reasons: ['no labels'],
      },
      before,
      after: null,
      data: USE,
      mask: null,
      threshold: { value: 0.5, biasShift: 0 },
      curves: { body: [], head: [] },
      candidates: [],
    });
    expect(heard).toEqual(['finish']);
  });
});
