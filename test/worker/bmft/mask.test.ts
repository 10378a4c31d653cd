import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Importance } from '../../../worker/bmft/importance.ts';
import type { Mask, Ratio } from '../../../worker/bmft/mask.ts';
import {
  hardMask,
  importanceRatio,
  maskOverlap,
  percentile,
  softMask,
  summarizeMask,
} from '../../../worker/bmft/mask.ts';
import { PRESETS } from '../../../worker/bmft/options.ts';

const RELEASED = PRESETS['bmft-released'].mask;
const SWIFT = PRESETS['swift-released'].mask;
const ROBUST = PRESETS.robust.mask;

type Table = Readonly<Record<string, readonly number[]>>;

const importance = (table: Table): Importance =>
  new Map(Object.entries(table).map(([name, values]) => [name, Float64Array.from(values)]));
const ratioOf = (table: Table): Ratio => ({ values: importance(table), notes: new Map() });
const maskOf = (table: Table): Mask => ({
  values: new Map(Object.entries(table).map(([name, values]) => [name, Float32Array.from(values)])),
  notes: new Map(),
});
const plain = (values: ReadonlyMap<string, ArrayLike<number>>) =>
  Object.fromEntries([...values].map(([name, entries]) => [name, Array.from(entries)]));

describe('percentile', () => {
  test('interpolates between order statistics', () => {
    const values = Float64Array.of(4, 1, 3, 2);
    expect(percentile(values, 0)).toBe(1);
    expect(percentile(values, 50)).toBe((2 + 3) / 2);
    expect(percentile(values, 80)).toBeCloseTo(3 + 0.4 * (4 - 3), 12);
    expect(percentile(values, 100)).toBe(4);
  });

  test('of one value is that value', () => {
    expect(percentile(Float64Array.of(7), 50)).toBe(7);
  });

  test('has the share of values below it that its definition says, and does not depend on their order', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: -1000, max: 1000 }), { minLength: 2, maxLength: 40 }),
        fc.integer({ min: 0, max: 100 }),
        (values, percent) => {
          const threshold = percentile(Float64Array.from(values), percent);
          const below = values.filter((value) => value < threshold).length;
          expect(below).toBe(Math.max(0, Math.ceil((percent / 100) * (values.length - 1) - 1e-9)));
          expect(percentile(Float64Array.from(values.toReversed()), percent) === threshold).toBe(true);
        },
      ),
      { seed: 1 },
    );
  });
});

describe('importanceRatio', () => {
  const table = { disparity: importance({ w: [1, 3, 5] }), task: importance({ w: [4, 0, 2] }) };

  test('scales both importances to [0, 1] per tensor as released', () => {
    const epsilon = RELEASED.epsilon;
    const expected = [0 / (1 + epsilon), 0.5 / (0 + epsilon), 1 / (0.5 + epsilon)];
    expect(plain(importanceRatio(table, RELEASED).values)).toEqual({ w: expected });
  });

  test('divides mid-ranks by mid-ranks under robust', () => {
    const ratio = importanceRatio(
      { disparity: importance({ w: [10, 10, 1, 1000] }), task: importance({ w: [1, 2, 3, 3] }) },
      ROBUST,
    );
    // ranks 0 … 3 over 3; equal values share the mean of theirs
    const disparityRanks = [1.5 / 3, 1.5 / 3, 0, 1];
    const taskRanks = [0, 1 / 3, 2.5 / 3, 2.5 / 3];
    const epsilon = 0.1 * ((0 + 1 / 3 + 2.5 / 3 + 2.5 / 3) / 4);
    const expected = disparityRanks.map((rank, place) => rank / (taskRanks[place]! + epsilon));
    ratio.values.get('w')!.forEach((value, place) => {
      expect(value).toBeCloseTo(expected[place]!, 12);
    });
  });

  test('under ranks a monotone change of the importances changes nothing', () => {
    const positive = fc.uniqueArray(fc.integer({ min: 1, max: 10_000 }), { minLength: 4, maxLength: 20 });
    fc.assert(
      fc.property(positive, (values) => {
        const task = importance({ w: values.map((_, place) => place) });
        const ratio = importanceRatio({ disparity: importance({ w: values }), task }, ROBUST);
        const stretched = importance({ w: values.map((value) => value ** 3) });
        expect(importanceRatio({ disparity: stretched, task }, ROBUST)).toEqual(ratio);
      }),
      { seed: 2 },
    );
  });

  test('leaves a tensor without information out and says why', () => {
    const { values, notes } = importanceRatio(
      {
        disparity: importance({ dead: [0, 0], single: [3], w: [1, 2] }),
        task: importance({ dead: [1, 2], single: [1], w: [5, 5] }),
      },
      RELEASED,
    );
    expect([...values.keys()]).toEqual([]);
    expect(Object.fromEntries(notes)).toEqual({
      dead: 'left out: the disparity importance is the same for every weight of this tensor',
      single: 'one weight only, so its importance cannot be compared',
      w: 'left out: the task importance is the same for every weight of this tensor',
    });
  });

  test('keeps a constant tensor unscaled as SWiFT does', () => {
    const { values, notes } = importanceRatio(
      { disparity: importance({ bias: [3] }), task: importance({ bias: [2] }) },
      SWIFT,
    );
    expect(plain(values)).toEqual({ bias: [3 / (2 + 1e-10)] });
    expect(notes.size).toBe(0);
  });

  test('of a dead tensor that is kept unscaled is a number under a relative epsilon', () => {
    const dead = importance({ w: [0, 0] });
    const options = { ...ROBUST, constantTensors: 'unscaled' } as const;
    const { values } = importanceRatio({ disparity: dead, task: dead }, options);
    expect(Array.from(values.get('w')!).filter(Number.isNaN)).toEqual([]);
  });
});

describe('a dead tensor', () => {
  const alive = { w: [1, 5, 2, 4], v: [3, 9, 1] };
  const task = { w: [2, 1, 4, 3], v: [1, 2, 3] };
  const sizes = new Map([
    ['w', 4],
    ['v', 3],
    ['dead', 2],
  ]);

  test.each(Object.entries({ RELEASED, ROBUST }))(
    'leaves all other masks unchanged under %s',
    (_, options) => {
      const masked = (extra: Table) =>
        hardMask(
          importanceRatio(
            { disparity: importance({ ...alive, ...extra }), task: importance({ ...task, ...extra }) },
            options,
          ),
          { sizes, body: ['w', 'v', 'dead'], percent: 50 },
        ).values;
      const without = plain(masked({}));
      const beside = plain(masked({ dead: [0, 0] }));
      expect(beside).toEqual(without);
      expect(beside.dead).toEqual([0, 0]);
      expect([...beside.w!, ...beside.v!]).toContain(1);
    },
  );
});

describe('hardMask', () => {
  const sizes = new Map([
    ['w', 3],
    ['v', 2],
    ['head', 2],
  ]);

  test('selects what lies above the percentile of the whole body, and nothing of the head', () => {
    const ratio = ratioOf({ w: [1, 2, 3], v: [4, 5], head: [100, 100] });
    expect(plain(hardMask(ratio, { sizes, body: ['w', 'v'], percent: 50 }).values)).toEqual({
      w: [0, 0, 0],
      v: [1, 1],
      head: [0, 0],
    });
  });

  test('gives 0 to a tensor that was left out', () => {
    const mask = hardMask(ratioOf({ w: [1, 2, 3] }), { sizes, body: ['w', 'v'], percent: 50 });
    expect(plain(mask.values)).toEqual({ w: [0, 0, 1], v: [0, 0], head: [0, 0] });
  });

  test('is empty when every tensor was left out', () => {
    const mask = hardMask(ratioOf({}), { sizes, body: ['w', 'v'], percent: 50 });
    expect(plain(mask.values)).toEqual({ w: [0, 0, 0], v: [0, 0], head: [0, 0] });
  });

  test('is as large as the percentile of distinct ratios asks for', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 0, max: 10_000 }), { minLength: 2, maxLength: 60 }),
        fc.integer({ min: 0, max: 100 }),
        (ratios, percent) => {
          const mask = hardMask(ratioOf({ w: ratios }), {
            sizes: new Map([['w', ratios.length]]),
            body: ['w'],
            percent,
          });
          const selected = mask.values.get('w')!.reduce((sum, entry) => sum + entry, 0);
          const atOrBelow = Math.floor((percent / 100) * (ratios.length - 1) + 1e-9) + 1;
          expect(selected).toBe(ratios.length - atOrBelow);
        },
      ),
      { seed: 3 },
    );
  });
});

describe('softMask', () => {
  test('is tanh of the ratio, head included, and 0 where a tensor was left out', () => {
    const sizes = new Map([
      ['w', 2],
      ['head', 1],
      ['left out', 2],
    ]);
    const { values } = softMask(ratioOf({ w: [0, 0.5], head: [1e6] }), sizes);
    expect(plain(values)).toEqual({ w: [0, Math.fround(Math.tanh(0.5))], head: [1], 'left out': [0, 0] });
  });
});

describe('maskOverlap', () => {
  test('is shared over either', () => {
    const a = maskOf({ w: [1, 1, 0, 0], v: [1] });
    const b = maskOf({ w: [0, 1, 1, 0], v: [1] });
    expect(maskOverlap(a, b)).toBe(2 / 4);
    expect(maskOverlap(a, a)).toBe(1);
  });

  test('of soft masks is minima over maxima', () => {
    expect(maskOverlap(maskOf({ w: [0.5, 0.25] }), maskOf({ w: [0.25, 0.75] }))).toBe(
      (0.25 + 0.25) / (0.5 + 0.75),
    );
  });

  test('of two empty masks is null, not 1', () => {
    expect(maskOverlap(maskOf({ w: [0] }), maskOf({ w: [0] }))).toBeNull();
  });
});

describe('summarizeMask', () => {
  test('counts selected weights by layer over the names given, and carries notes', () => {
    const mask = { ...maskOf({ w: [1, 0, 1], v: [0, 0], head: [1] }), notes: new Map([['v', 'left out']]) };
    const about = { kind: 'hard', percentile: 50, stability: 0.5 } as const;
    expect(summarizeMask(mask, ['w', 'v'], about)).toEqual({
      ...about,
      selected: 2,
      total: 5,
      layers: [
        { parameter: 'w', size: 3, selected: 2 },
        { parameter: 'v', size: 2, selected: 0, note: 'left out' },
      ],
    });
  });
});
