import { describe, expect, test } from 'vitest';
import { fullMasks, randomMasks } from '../../../worker/methods/masked.ts';
import { METHODS } from '../../../worker/methods/registry.ts';
import { contextOf, makeTableBench, SMALL_GRID, useTableClassifier } from '../../helpers/bench.ts';

describe('methods with a mask', () => {
  const table = useTableClassifier();

  const entries = (masks: Awaited<ReturnType<typeof bench>>['found'], percentile = 50) =>
    [...masks(percentile).mask.values].map(([, values]) => [...values]);
  const sizes = (lists: number[][]) => lists.map((list) => list.reduce((sum, entry) => sum + entry, 0));

  async function bench(seed = 1) {
    const context = await contextOf(makeTableBench(table.model), seed);
    return { context, found: await context.masks() };
  }

  test('draw as many weights in each tensor as BMFT takes, but others, anew for each seed', async () => {
    const { context, found } = await bench();
    const random = entries(randomMasks(context, found));
    expect(sizes(random)).toEqual(sizes(entries(found)));
    expect(random).not.toEqual(entries(found));
    expect(entries(randomMasks(context, found))).toEqual(random);
    const other = await bench(2);
    expect(entries(randomMasks(other.context, found))).not.toEqual(random);
  });

  test('put every weight of the body into the mask and none of the head', async () => {
    const { context, found } = await bench();
    // hidden kernel [3, 4] and bias [4], head kernel [4, 1] and bias [1]
    expect(sizes(entries(fullMasks(context, found)))).toEqual([12, 4, 0, 0]);
    expect(fullMasks(context, found)(50).summary).toMatchObject({ selected: 16, total: 16 });
  });

  test.each([
    ['robust', [0, 0]],
    ['random-mask', [0, 0]],
    ['all-ones-mask', [0]],
  ] as const)('%s tunes once for each mask that differs', async (name, masks) => {
    const options = { ...SMALL_GRID, mask: { ...SMALL_GRID.mask, percentiles: [50, 80] } };
    const proposal = await METHODS[name]!.propose(await contextOf(makeTableBench(table.model, { options })));
    if (proposal.kind !== 'searched') throw new TypeError('a method with a mask searches');
    const kinds = proposal.candidates.map(({ kind }) => kind);
    expect(kinds).toEqual(['original', 'control', ...masks.map(() => 'bmft')]);
  });
});
