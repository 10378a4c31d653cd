import { describe, expect, test } from 'vitest';
import { fitLogistic } from '../../../core/fairness/statistics/logistic.ts';
import { averageFit, balancedSubsets } from '../../../worker/methods/dfr.ts';
import { METHODS } from '../../../worker/methods/registry.ts';
import { makeRandom } from '../../../worker/random.ts';
import { restoreSnapshot } from '../../../worker/search/snapshot.ts';
import { contextOf, makeTableBench, useTableClassifier } from '../../helpers/bench.ts';
import { bitsOf, makeSet } from '../../helpers/made-data.ts';

describe('deep feature reweighting', () => {
  const table = useTableClassifier();

  test('draws ten subsets with as many rows of each cell as the smallest has, each row once', () => {
    const labels = [0, 0, 0, 1, 1, 0, 0, 1, 1, 1, 1, 0];
    const groups = [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 0];
    const rows = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]; // the last is not of the set
    const subsets = balancedSubsets(makeSet({ labels, groups, rows }), makeRandom(1));
    expect(subsets).toHaveLength(10);
    for (const places of subsets) {
      expect(new Set(places).size).toBe(8);
      const cells = places.map((place) => groups[place]! * 2 + labels[place]!);
      expect([0, 1, 2, 3].map((cell) => cells.filter((own) => own === cell).length)).toEqual([2, 2, 2, 2]);
    }
    expect(subsets[0]).not.toEqual(subsets[1]);
  });

  test('averages the solutions on the subsets', () => {
    const all = {
      features: Float32Array.of(1, 2, 3, 4, 5, 6),
      width: 1,
      labels: Int32Array.of(0, 0, 1, 0, 1, 1),
      offsets: new Float64Array(6),
      hasIntercept: true,
    };
    const options = { penalty: 'l2', strength: 1 } as const;
    const alone = (places: number[]) =>
      fitLogistic(
        {
          ...all,
          features: Float32Array.from(places, (place) => place + 1),
          labels: Int32Array.from(places, (place) => all.labels[place]!),
          offsets: new Float64Array(places.length),
        },
        options,
      );
    const [first, second] = [alone([0, 2]), alone([3, 5])];
    const mean = averageFit(
      all,
      [
        [0, 2],
        [3, 5],
      ],
      options,
    );
    expect([...mean]).toEqual([...first].map((entry, place) => (entry + second[place]!) / 2));
  });

  test('proposes a head for each penalty and strength, with the body as it was', async () => {
    const original = bitsOf(table.model);
    const proposal = await METHODS.dfr!.propose(await contextOf(makeTableBench(table.model)));
    if (proposal.kind !== 'candidates') throw new TypeError('dfr proposes candidates');
    expect(proposal.candidates).toHaveLength(2 * 5);
    const heads = proposal.candidates.map(({ snapshot }) => {
      restoreSnapshot(table.model, snapshot);
      const bits = bitsOf(table.model);
      expect({ ...bits, [table.model.head.kernel.name]: 0, [table.model.head.bias!.name]: 0 }).toEqual({
        ...original,
        [table.model.head.kernel.name]: 0,
        [table.model.head.bias!.name]: 0,
      });
      return JSON.stringify(bits[table.model.head.kernel.name]);
    });
    expect(new Set(heads).size).toBe(10);
  });

  test('ranks samples by what tells labels apart, not by what tells groups apart', async () => {
    const context = await contextOf(makeTableBench(table.model));
    const proposal = await METHODS.dfr!.propose(context);
    if (proposal.kind !== 'candidates') throw new TypeError('dfr proposes candidates');
    const best = Math.min(...proposal.candidates.map(({ select }) => select.disparity!));
    expect(best).toBeLessThan(context.judge.original.disparity! / 2);
  });
});
