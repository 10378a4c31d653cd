import { describe, expect, it } from 'vitest';
import { remember } from '../../../../functions/local/listings/remember.ts';

describe('what is remembered', () => {
  it('is found out again when it is old, once for all who ask at the same time', async () => {
    let time = 0;
    let asked = 0;
    const find = async () => ++asked;
    const recall = remember<number>(() => new Date(time), 100);
    expect(await Promise.all([recall('a', find), recall('a', find)])).toEqual([1, 1]);
    time = 99;
    expect(await recall('a', find)).toBe(1);
    expect(await recall('b', find)).toBe(2);
    time = 100;
    expect(await recall('a', find)).toBe(3);
  });

  it('is no failure', async () => {
    const recall = remember<number>(() => new Date(0), 100);
    await expect(recall('a', () => Promise.reject(new Error('away')))).rejects.toThrow('away');
    expect(await recall('a', async () => 1)).toBe(1);
  });

  it('is so much and no more: the eldest goes', async () => {
    const recall = remember<number>(() => new Date(0), 100);
    for (let name = 0; name <= 1000; name += 1) await recall(String(name), async () => 1);
    expect(await recall('1', async () => 2)).toBe(1);
    expect(await recall('0', async () => 2)).toBe(2);
  });
});
