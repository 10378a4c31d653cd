import { describe, expect, test } from 'vitest';
import { frontier, groupCuts } from '../../../worker/methods/group-thresholds.ts';
import { METHODS } from '../../../worker/methods/registry.ts';
import { runMethod } from '../../../worker/methods/run-method.ts';
import { contextOf, makeTableBench, useTableClassifier } from '../../helpers/bench.ts';
import { bitsOf } from '../../helpers/made-data.ts';

describe('group thresholds', () => {
  const table = useTableClassifier({ isNarrow: true });

  test('know the rates at every cut of a group, ties taken together', () => {
    const rows = [
      { logit: 2, label: 1 },
      { logit: 1, label: 0 },
      { logit: 1, label: 1 },
      { logit: -3, label: 0 },
    ];
    const cuts = groupCuts(rows).map(({ cut, truePositiveRate, falsePositiveRate, selectionRate }) => [
      cut,
      truePositiveRate,
      falsePositiveRate,
      selectionRate,
    ]);
    expect(cuts).toEqual([
      [3, 0, 0, 0],
      [1.5, 1 / 2, 0, 1 / 4],
      [-1, 1, 1 / 2, 3 / 4],
      [-4, 1, 1, 1],
    ]);
  });

  test('trade disparity for accuracy on the frontier only', () => {
    const point = (disparity: number, balancedAccuracy: number) => ({
      cuts: [],
      disparity,
      balancedAccuracy,
    });
    const kept = frontier([
      point(0.01, 0.6),
      point(0.02, 0.7),
      point(0.04, 0.65),
      point(0.09, 0.8),
      point(0.5, 0.99),
    ]);
    expect(kept.map(({ disparity }) => disparity)).toEqual([0.01, 0.02, 0.09]);
  });

  test('are found among as many combinations as are looked at', () => {
    const many = Array.from({ length: 200_000 }, (_, place) => ({
      cuts: [],
      disparity: 0.5 - place * 1e-6, // from 0.5 down to 0.300001
      balancedAccuracy: 0.5,
    }));
    expect(frontier(many).map(({ disparity }) => disparity)).toEqual([many.at(-1)!.disparity]);
  });

  /** Equalised odds difference and balanced accuracy of every pair of cuts, by counting. */
  async function everyPair() {
    const { judge, select } = await contextOf(makeTableBench(table.model));
    const logits = [...(await judge.logits())];
    const rows = select.rows.map((row, place) => ({
      logit: logits[place]!,
      label: select.labels[row]!,
      group: select.groups[row]!,
    }));
    const rate = (group: number, label: number, cut: number) => {
      const own = rows.filter((row) => row.group === group && row.label === label);
      return own.filter((row) => row.logit >= cut).length / own.length;
    };
    const cuts = [...new Set(logits)].sort((a, b) => a - b);
    const least = judge.original.groups.map(({ truePositiveRate }) => truePositiveRate! - 0.1);
    const rates = [0, 1].map((group) =>
      cuts
        .map((cut) => ({ tpr: rate(group, 1, cut), fpr: rate(group, 0, cut) }))
        .filter(({ tpr }) => tpr >= least[group]!),
    );
    return rates[0]!.flatMap((a) =>
      rates[1]!.map((b) => Math.max(Math.abs(a.tpr - b.tpr), Math.abs(a.fpr - b.fpr))),
    );
  }

  test('reach the smallest disparity of all pairs of cuts that keep true positive rates', async () => {
    const smallest = Math.min(...(await everyPair()));
    const proposal = await METHODS['group-thresholds']!.propose(await contextOf(makeTableBench(table.model)));
    if (proposal.kind !== 'candidates') throw new TypeError('thresholds are candidates');
    const found = Math.min(...proposal.candidates.map(({ select }) => select.disparity!));
    expect(found).toBeGreaterThanOrEqual(smallest);
    expect(found).toBeLessThanOrEqual(smallest + 0.1); // the first candidate lies within its slack
    expect(proposal.candidates[0]!.select.disparity!).toBeCloseTo(smallest, 12);
  });

  test('are for one feature, not for several that are mitigated at once', async () => {
    const context = await contextOf(makeTableBench(table.model));
    const groupings = [{ name: 'site', groupNames: ['a', 'b'], groupOf: Int32Array.of(0, 1) }];
    const select = { ...context.select, groupings: [...groupings, ...groupings] };
    const proposal = await METHODS['group-thresholds']!.propose({ ...context, select });
    expect(proposal).toMatchObject({
      kind: 'not-applicable',
      reason: expect.stringContaining('one sensitive'),
    });
  });

  test('move no weight, and decide the audited rows of each group by its own cut', async () => {
    const original = bitsOf(table.model);
    const result = await runMethod(makeTableBench(table.model), METHODS['group-thresholds']!, 1);
    expect(bitsOf(table.model)).toEqual(original);
    expect(result.chosen!.kind).toBe('control');
    expect(result.cost.parametersTouched).toBe(2);
    const { before, after } = result.decisions;
    const shifts = ['a', 'b'].map((group) => result.chosen!.settings[`shift:${group}`] as number);
    const expected = [...before.scores].map((score, row) => {
      const shift = shifts[before.rows.groups[row]!]!;
      return Math.log(score / (1 - score)) + shift >= 0 ? 1 : 0;
    });
    expect([...after!.predictions]).toEqual(expected);
  });
});
