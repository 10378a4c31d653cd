import { describe, expect, it } from 'vitest';
import { makeGate } from '../../../functions/local/gate.ts';

/** Work that ends when it is told to. */
function makeWorks() {
  const started: number[] = [];
  const ends: (() => void)[] = [];
  const work = (id: number) => () => {
    started.push(id);
    return new Promise<number>((resolve) => ends.push(() => resolve(id)));
  };
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  return { started, ends, work, turn };
}

describe('a gate', () => {
  it('lets so many run, lets the others in by their order, and turns away who finds the line full', async () => {
    const gate = makeGate(2, 2);
    const { started, ends, work, turn } = makeWorks();
    const calls = [1, 2, 3, 4].map((id) => gate(work(id)));
    await turn();
    expect(started).toEqual([1, 2]);
    await expect(gate(work(5))).rejects.toMatchObject({ code: 'STORAGE' });
    ends[1]!();
    await turn();
    expect(started).toEqual([1, 2, 3]);
    ends[0]!();
    await turn();
    for (const end of ends.slice(2)) end();
    expect(await Promise.all(calls)).toEqual([1, 2, 3, 4]);
  });

  it('is passed on by work that fails, and is free again in the end', async () => {
    const gate = makeGate(1, 5);
    const fail = async () => {
      throw new Error('broken');
    };
    const results = await Promise.allSettled([gate(fail), gate(fail), gate(async () => 'well')]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
    expect(await gate(async () => 'again')).toBe('again');
  });
});
