import { describe, expect, test } from 'vitest';
import { clarifyNumbers } from '../../../../core/fairness/libraries/clarify.ts';
import { LIBRARIES, type LibraryName } from '../../../../core/fairness/libraries/index.ts';
import { divide, printed, pythonMax, pythonMin } from '../../../../core/fairness/libraries/printed.ts';
import { findNumber, inputFrom, type Rows } from '../../../helpers/library-inputs.ts';

const numbersOf = (library: LibraryName, rows: Rows) => LIBRARIES[library].numbers(inputFrom(rows));

/** A: TPR 1/2, FPR 1/2; B has no positives and an FPR of 1/4. */
const WITHOUT_POSITIVES = {
  labels: [1, 1, 0, 0, 0, 0, 0, 0],
  predictions: [1, 0, 1, 0, 1, 0, 0, 0],
  groups: ['A', 'A', 'A', 'A', 'B', 'B', 'B', 'B'],
  reference: 'A',
};
/** The labels the other way: B has no negatives and a TPR of 1/4. */
const WITHOUT_NEGATIVES = { ...WITHOUT_POSITIVES, labels: [1, 1, 0, 0, 1, 1, 1, 1] };
const NOBODY_SELECTED = { ...WITHOUT_POSITIVES, predictions: [0, 0, 0, 0, 0, 0, 0, 0] };

/** A selects 4 of 8, B 1 of 6, C 4 of 6. */
const THREE_GROUPS = {
  labels: Array(20).fill(0),
  predictions: [1, 1, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 1, 1, 1, 0, 0],
  groups: [...'AAAAAAAABBBBBBCCCCCC'],
  reference: 'A',
};

describe('printed', () => {
  test('spells what JSON cannot hold', () => {
    expect(printed(0.25, 'X')).toEqual({ value: 0.25 });
    expect(printed(Number.NaN, 'X')).toEqual({ value: null, reason: 'X gives NaN' });
    expect([printed(1 / 0, 'X'), printed(-1 / 0, 'X')]).toEqual([
      { value: 'Infinity' },
      { value: '-Infinity' },
    ]);
  });

  test("Python's max and min keep a NaN in front and lose one behind", () => {
    expect([pythonMax(1, 2), pythonMax(2, Number.NaN), pythonMax(Number.NaN, 2)]).toEqual([2, 2, Number.NaN]);
    expect([pythonMin(1, 2), pythonMin(2, Number.NaN), pythonMin(Number.NaN, 2)]).toEqual([1, 2, Number.NaN]);
    expect([divide(1, 4, 9), divide(0, 0, 9)]).toEqual([1 / 4, 9]);
  });
});

describe('what each library makes of 0/0', () => {
  test('fairlearn counts a rate without support as 0, where ours is null', () => {
    const numbers = numbersOf('fairlearn', WITHOUT_POSITIVES);
    expect(findNumber(numbers, 'equal_opportunity_difference', [null])).toMatchObject({
      value: 1 / 2 - 0,
      ours: { value: null, reason: 'group "B" has no positive labels (support 0 of 4)' },
      note: 'a rate without support counts as 0',
    });
    expect(findNumber(numbers, 'true_positive_rate', ['B'])).toMatchObject({
      value: 0,
      ours: { value: null },
    });
    // of the classes that B has only
    expect(findNumber(numbers, 'balanced_accuracy_score', ['B'])).toMatchObject({ value: 3 / 4 });
    expect(findNumber(numbers, 'recall_score_group_min', [null])).toMatchObject({
      value: 0,
      ours: { value: null },
    });
  });

  test('fairlearn gives NaN for a ratio of 0 to 0, and leaves it out of a mean', () => {
    const numbers = numbersOf('fairlearn', { ...NOBODY_SELECTED, predictions: [1, 0, 0, 0, 0, 0, 0, 0] });
    expect(findNumber(numbers, 'false_positive_rate_ratio', [null])).toMatchObject({
      value: null,
      reason: 'fairlearn gives NaN',
    });
    expect(findNumber(numbers, "equalized_odds_ratio(agg='mean')", [null]).value).toBe(0);
    expect(findNumber(numbers, 'equalized_odds_ratio', [null]).value).toBe(0);
  });

  test('AIF360 gives NaN; of two odds it keeps the one that comes second if only that is defined', () => {
    const withoutPositives = numbersOf('aif360', WITHOUT_POSITIVES);
    expect(findNumber(withoutPositives, 'equal_opportunity_difference', ['B'])).toMatchObject({
      value: null,
      reason: 'AIF360 gives NaN',
      ours: { value: null, reason: 'group "B" has no positive labels (support 0 of 4)' },
    });
    expect(findNumber(withoutPositives, 'equalized_odds_difference', ['B'])).toMatchObject({
      value: 1 / 2 - 1 / 4,
      ours: { value: null },
    });
    expect(
      findNumber(numbersOf('aif360', WITHOUT_NEGATIVES), 'equalized_odds_difference', ['B']).value,
    ).toBeNull();
  });

  test('AIF360: a ratio to 0 is infinite, the rate of an unused prediction 0', () => {
    const numbers = numbersOf('aif360', { ...WITHOUT_POSITIVES, predictions: [0, 0, 0, 0, 1, 0, 0, 0] });
    expect(findNumber(numbers, 'disparate_impact', ['B'])).toMatchObject({
      value: 'Infinity',
      ours: { value: null, reason: 'selectionRate of "A" is 0, so a ratio to it is not defined' },
    });
    expect(findNumber(numbers, 'false_discovery_rate_difference', ['B'])).toMatchObject({
      value: 1 - 0,
      ours: { value: null },
    });
  });

  test('Clarify: 0/0 is 0, and an analysis without a predicted positive fails as a whole', () => {
    const numbers = numbersOf('clarify', WITHOUT_POSITIVES);
    expect(findNumber(numbers, 'RD', ['B'])).toMatchObject({ value: 1 / 2 - 0, ours: { value: null } });
    expect(findNumber(numbers, 'CDDL', ['B']).reason).toBe(
      'SageMaker Clarify reports an error: Group variable is empty or not provided',
    );
    const selectsNobody = numbersOf('clarify', NOBODY_SELECTED);
    expect(findNumber(selectsNobody, 'DI', ['B']).reason).toMatch(/No Label values are present/);
    expect(findNumber(selectsNobody, 'CI', ['B']).value).toBe(0);
  });

  test('Clarify: errors for rows of one group, labels of one class and benefits of nobody', () => {
    const oneGroup = numbersOf('clarify', { ...WITHOUT_POSITIVES, groups: Array(8).fill('A') });
    expect(oneGroup.every(({ value }) => value === null)).toBe(true);
    const strata = Array<string>(8).fill('all');
    const negatives = numbersOf('clarify', { ...WITHOUT_POSITIVES, labels: Array(8).fill(0), strata });
    expect(findNumber(negatives, 'CDDL', ['B']).reason).toMatch(/No positive labels/);
    const positives = numbersOf('clarify', { ...WITHOUT_POSITIVES, labels: Array(8).fill(1), strata });
    expect(findNumber(positives, 'CDDL', ['B']).reason).toMatch(/No negative labels/);
    const apart = numbersOf('clarify', { ...WITHOUT_POSITIVES, labels: [1, 1, 1, 1, 0, 0, 0, 0] });
    expect(findNumber(apart, 'KL', ['B']).reason).toMatch(/No instance of common facet/);
    expect(findNumber(apart, 'KL', ['A']).ours!.reason).toMatch(/"A" has no negative labels/);
    const missed = clarifyNumbers(inputFrom({ ...NOBODY_SELECTED, labels: Array(8).fill(1) }), {
      metrics: ['GE'],
    });
    expect(missed[0]!.value).toBeNull();
  });

  test('Clarify: several groups may make one facet', () => {
    const [number] = clarifyNumbers(inputFrom(THREE_GROUPS), {
      facets: [['B', 'C'], ['Z']],
      metrics: ['DPPL'],
    });
    // A selects 4 of 8, B and C together 1 + 4 of 12
    expect(number).toMatchObject({ group: 'B,C', against: '(all others)', value: 4 / 8 - 5 / 12 });
  });

  test('Aequitas gives NaN for 0/0 and 10 for a ratio to 0', () => {
    const numbers = numbersOf('aequitas', { ...WITHOUT_POSITIVES, predictions: [0, 0, 0, 0, 1, 0, 0, 0] });
    expect(findNumber(numbers, 'fpr_disparity', ['B'])).toMatchObject({
      value: 10,
      note: '10 stands for a ratio to 0',
    });
    expect(findNumber(numbers, 'tpr', ['B'])).toMatchObject({ value: null, reason: 'Aequitas gives NaN' });
    expect(findNumber(numbers, 'TPR Parity', ['B']).value).toBeNull();
    expect(findNumber(numbers, 'Equalized Odds', ['B']).value).toBe(false);
    expect(findNumber(numbersOf('aequitas', NOBODY_SELECTED), 'ppr', ['A']).value).toBeNull();
  });

  test('Holistic AI raises an error for a group that knows one class only', () => {
    const numbers = numbersOf('holisticai', { ...WITHOUT_POSITIVES, predictions: [1, 0, 1, 0, 0, 0, 0, 0] });
    const reason = 'Holistic AI raises an IndexError: a group has one class only';
    expect(findNumber(numbers, 'equal_opportunity_diff', ['B'])).toMatchObject({ value: null, reason });
    expect(findNumber(numbers, 'average_odds_diff', ['B'])).toMatchObject({ value: null, reason });
    expect(findNumber(numbers, 'z_test_ratio', ['B']).value).toBe('-Infinity');
  });

  test('OxonFair counts 0/0 as 0 in a rate and as 1 in a ratio', () => {
    const numbers = numbersOf('oxonfair', NOBODY_SELECTED);
    expect(findNumber(numbers, 'disparate_impact', [null])).toMatchObject({
      value: 1,
      ours: { value: null },
    });
    expect(findNumber(numbersOf('oxonfair', WITHOUT_POSITIVES), 'equal_opportunity', [null]).value).toBe(
      1 / 2,
    );
  });

  test('the BMFT code counts an empty mean as 0, MEDFAIR gives NaN', () => {
    expect(findNumber(numbersOf('bmft', WITHOUT_POSITIVES), 'eopp', ['B'])).toMatchObject({
      value: 1 / 2 - 0,
      ours: { value: null },
    });
    expect(findNumber(numbersOf('medfair', WITHOUT_POSITIVES), 'EqOdd', ['B'])).toMatchObject({
      value: null,
      reason: 'MEDFAIR gives NaN',
    });
    expect(
      findNumber(LIBRARIES.bmft.numbers(inputFrom(THREE_GROUPS)), 'spd', ['(all others)']).value,
    ).toBeCloseTo(4 / 8 - 5 / 12, 12);
  });
});
