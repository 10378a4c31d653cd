import { describe, expect, test } from 'vitest';
import { conditionalDisparity } from '../../../core/fairness/conditional.ts';
import { groupFrom } from '../../helpers/metric-tables.ts';

/** Selected and rejected rows; which of them have positive labels does not matter. */
const selection = (selected: number, rejected: number) => ({
  truePositives: selected,
  falsePositives: 0,
  trueNegatives: rejected,
  falseNegatives: 0,
});
const groups = [groupFrom('F', selection(5, 7)), groupFrom('M', selection(7, 5))];
const stratum = (name: string, [f, m]: readonly [[number, number], [number, number]]) => ({
  stratum: name,
  counts: [selection(...f), selection(...m)],
});

describe('conditionalDisparity', () => {
  test('R4: a gap that the strata explain is none within them', () => {
    const within = [
      stratum('s1', [
        [3, 1],
        [6, 2],
      ]),
      stratum('s2', [
        [2, 6],
        [1, 3],
      ]),
    ];
    expect(conditionalDisparity(groups, within).value).toBeCloseTo(0, 12);
    const pooled = [
      stratum('all', [
        [5, 7],
        [7, 5],
      ]),
    ];
    expect(conditionalDisparity(groups, pooled).value).toBeCloseTo(7 / 12 - 5 / 12, 12);
  });

  test('weighs strata by their rows and leaves out none in silence', () => {
    const strata = [
      stratum('s1', [
        [1, 3],
        [3, 1],
      ]),
      stratum('s2', [
        [0, 1],
        [0, 1],
      ]),
    ];
    expect(conditionalDisparity(groups, strata)).toMatchObject({
      value: null,
      amongSupported: 3 / 4 - 1 / 4,
      reason: '1 of 2 strata select nobody or everybody, so shares among them are 0/0',
    });
  });

  test('is not defined where no stratum is', () => {
    const none = [
      stratum('s1', [
        [0, 3],
        [0, 1],
      ]),
    ];
    expect(conditionalDisparity(groups, none)).toMatchObject({ value: null, amongSupported: null });
  });

  test('needs strata and two groups', () => {
    expect(conditionalDisparity(groups, []).reason).toBe('the rows have no strata');
    const one = [{ stratum: 's', counts: [selection(1, 1)] }];
    expect(conditionalDisparity(groups.slice(1), one).reason).toBe('one group only: a disparity needs two');
  });
});
