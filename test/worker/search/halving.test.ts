import { describe, expect, test } from 'vitest';
import { NonFiniteError } from '../../../core/errors.ts';
import type { BracketRules, Contender, Standing } from '../../../worker/search/halving.ts';
import {
  bracketOf,
  compareStandings,
  epochsOf,
  largestBracket,
  losingWhenDiverged,
  planBrackets,
  runBracket,
} from '../../../worker/search/halving.ts';

const RULES: BracketRules = { epochs: [1, 3, 5], settings: 9, factor: 3 };

describe('a bracket', () => {
  test('lets one in three go on, and at least one', () => {
    const settings = (count: number) => bracketOf(count, RULES).map((rung) => rung.settings);
    expect(settings(9)).toEqual([9, 3, 1]);
    expect(settings(7)).toEqual([7, 2, 1]);
    expect(settings(1)).toEqual([1, 1, 1]);
  });

  test('takes the epochs that its settings train beyond the rung before', () => {
    expect(epochsOf(bracketOf(9, RULES))).toBe(9 * 1 + 3 * 2 + 1 * 2);
    expect(epochsOf(bracketOf(7, RULES))).toBe(7 * 1 + 2 * 2 + 1 * 2);
    expect(epochsOf(bracketOf(1, RULES))).toBe(5);
  });

  test('is the largest within what is left, and none below one setting trained to its end', () => {
    expect(largestBracket(17, RULES)).toEqual(bracketOf(9, RULES));
    expect(largestBracket(16, RULES)).toEqual(bracketOf(8, RULES)); // 8 + 4 + 2 = 14
    expect(largestBracket(5, RULES)).toEqual(bracketOf(1, RULES));
    expect(largestBracket(4.9, RULES)).toBeNull();
    expect(largestBracket(-1, RULES)).toBeNull();
  });

  test('is planned whole as often as it fits, then smaller', () => {
    const entered = (epochs: number) => planBrackets(epochs, RULES).map(([first]) => first!.settings);
    expect(entered(30)).toEqual([9, 7]); // 17 + 13
    expect(entered(40)).toEqual([9, 9, 2]); // 17 + 17 + 6
    expect(entered(4)).toEqual([]);
  });
});

describe('compareStandings', () => {
  test('puts fewer violations first, then the smaller disparity, and an undefined one last', () => {
    const standings: Standing[] = [
      { violations: 1, disparity: 0 },
      { violations: 0, disparity: null },
      { violations: 0, disparity: 0.2 },
      { violations: Number.POSITIVE_INFINITY, disparity: null },
      { violations: 0, disparity: 0.1 },
    ];
    expect(standings.toSorted(compareStandings).map((standing) => standings.indexOf(standing))).toEqual([
      4, 2, 1, 0, 3,
    ]);
  });
});

describe('runBracket', () => {
  /** Disparities of each contender by epoch, and what was asked of it. */
  function race(disparities: readonly (readonly number[])[], rules = RULES) {
    const log: string[] = [];
    const resting = { now: 0, most: 0 };
    const bracket = bracketOf(disparities.length, rules);
    const enter = (place: number): Contender => {
      resting.now += 1;
      return {
        reach: async (epoch) => {
          log.push(`${place}@${epoch}`);
          resting.most = Math.max(resting.most, resting.now);
          const disparity = disparities[place]![rules.epochs.indexOf(epoch)]!;
          if (disparity < 0) throw new Error('stopped');
          return { violations: 0, disparity };
        },
        dispose: () => {
          resting.now -= 1;
        },
      };
    };
    return {
      log,
      resting,
      run: (onRung?: Parameters<typeof runBracket>[2]) => runBracket(bracket, enter, onRung),
    };
  }

  test('trains all to the first rung, the best to the next, in order of their standing', async () => {
    const { log, resting, run } = race([
      [0.5, 0.1, 0.1],
      [0.3, 0.4, 0.3],
      [0.9, 0, 0],
      [0.2, 0.6, 0.2],
      [0.8, 0, 0],
      [0.7, 0, 0],
      [0.4, 0.2, 0.4],
      [0.6, 0, 0],
      [0.5, 0, 0],
    ]);
    const rungs: string[] = [];
    await run(({ epoch, settings }, place) => void rungs.push(`${place}: ${settings} to ${epoch}`));
    expect(log).toEqual([
      ...[0, 1, 2, 3, 4, 5, 6, 7, 8].map((place) => `${place}@1`),
      ...[3, 1, 6].map((place) => `${place}@3`),
      '6@5',
    ]);
    expect(rungs).toEqual(['0: 9 to 1', '1: 3 to 3', '2: 1 to 5']);
    expect(resting.now).toBe(0);
    expect(resting.most).toBe(4); // three that may go on, and the one that trains
  });

  test('lets the first of equal ones go on', async () => {
    const { log, run } = race([
      [0.5, 0.5, 0.5],
      [0.5, 0.5, 0.5],
      [0.5, 0.5, 0.5],
    ]);
    await run();
    expect(log).toEqual(['0@1', '1@1', '2@1', '0@3', '0@5']);
  });

  test('disposes all when one fails', async () => {
    const { resting, run } = race([[0.5], [0.4], [-1], [0.1]], { epochs: [1, 2], settings: 4, factor: 2 });
    await expect(run()).rejects.toThrow('stopped');
    expect(resting.now).toBe(0);
  });
});

describe('losingWhenDiverged', () => {
  const failing = (error: Error) => {
    const asked: number[] = [];
    const contender: Contender = {
      reach: async (epoch) => {
        asked.push(epoch);
        throw error;
      },
      dispose: () => {},
    };
    return { asked, contender };
  };

  test('lets a race go on without what has left the finite numbers, which is trained no further', async () => {
    const { asked, contender } = failing(new NonFiniteError('loss: expected a finite number, received NaN'));
    let diverged = 0;
    const reached: number[] = [];
    const sound: Contender = {
      reach: async (epoch) => {
        reached.push(epoch);
        return { violations: 3, disparity: null };
      },
      dispose: () => {},
    };
    const entrants = [
      losingWhenDiverged(contender, () => {
        diverged += 1;
      }),
      sound,
    ];
    const rungs = [
      { epoch: 1, settings: 2 },
      { epoch: 3, settings: 1 },
    ];
    await runBracket(rungs, (place) => entrants[place]!);
    expect(reached).toEqual([1, 3]); // it stands before the other, whatever it breaks
    expect([asked, diverged]).toEqual([[1], 1]);
    await runBracket([{ epoch: 5, settings: 1 }], () => entrants[0]!);
    expect([asked, diverged]).toEqual([[1], 1]);
  });

  test('hides no other failure', async () => {
    const { contender } = failing(new Error('stopped'));
    await expect(losingWhenDiverged(contender, () => {}).reach(1)).rejects.toThrow('stopped');
  });
});
