import { describe, expect, test } from 'vitest';
import type { MitigationOptions, SearchOptions } from '../../../worker/bmft/options.ts';
import { optionsOf, PRESETS } from '../../../worker/bmft/options.ts';
import { makeRandom } from '../../../worker/random.ts';
import { bodyGrid, makeSpace, nameOf, recordedSettings } from '../../../worker/search/space.ts';

const SEARCH = optionsOf({ preset: 'robust', search: '2.5x', changes: {} }, 'options').search!;

const draw = (count: number, search: SearchOptions = SEARCH, seed = 1) => {
  const space = makeSpace(search, makeRandom(seed));
  return Array.from({ length: count }, (_, index) => space(index));
};

describe('bodyGrid', () => {
  test('is every percentile with every rate and every weight, on the surrogate of the preset', () => {
    expect(bodyGrid(PRESETS.robust)).toEqual(
      [50, 80].flatMap((percentile) =>
        [1, 4].map((disparityWeight) => ({
          percentile,
          surrogate: 'score',
          learningRate: 0.01,
          disparityWeight,
        })),
      ),
    );
  });

  test('has a soft mask once, whatever the percentiles', () => {
    const soft: MitigationOptions = { ...PRESETS.robust, mask: { ...PRESETS.robust.mask, kind: 'soft' } };
    expect(bodyGrid(soft).map(({ percentile, disparityWeight }) => [percentile, disparityWeight])).toEqual([
      [null, 1],
      [null, 4],
    ]);
  });
});

describe('the search space', () => {
  const drawn = draw(243);

  test('stays in its ranges', () => {
    for (const { percentile, learningRate, disparityWeight, headDisparityWeight } of drawn) {
      if (percentile !== null) expect([percentile >= 30, percentile <= 95]).toEqual([true, true]);
      expect([learningRate >= 0.0025, learningRate <= 0.04]).toEqual([true, true]);
      expect([disparityWeight >= 0.25, disparityWeight <= 8]).toEqual([true, true]);
      expect([headDisparityWeight >= 0.03, headDisparityWeight <= 3]).toEqual([true, true]);
    }
  });

  test('is filled evenly: each share within two of its points, each half of a logarithmic range alike', () => {
    const count = (keep: (each: (typeof drawn)[number]) => boolean) => drawn.filter(keep).length;
    expect(Math.abs(count(({ percentile }) => percentile === null) - 0.2 * 243)).toBeLessThanOrEqual(2);
    expect(Math.abs(count(({ surrogate }) => surrogate === 'logit') - 243 / 2)).toBeLessThanOrEqual(2);
    // √(0.0025 · 0.04) = 0.01; rounding to two digits moves at most those within half a percent of it
    expect(Math.abs(count(({ learningRate }) => learningRate < 0.01) - 243 / 2)).toBeLessThanOrEqual(5);
    const middle = Math.sqrt(0.25 * 8);
    expect(Math.abs(count(({ disparityWeight }) => disparityWeight < middle) - 243 / 2)).toBeLessThanOrEqual(
      4,
    );
  });

  test('has steps of the generalised golden ratio, which solves x^6 = x + 1', () => {
    const search: SearchOptions = { ...SEARCH, softShare: 0, percentiles: [0, 100] };
    const steps = draw(40, search).map(({ percentile }, place, all) =>
      place === 0 ? 0 : (percentile! - all[place - 1]!.percentile! + 100) % 100,
    );
    const ratio = 1.1347241384; // of d = 5, by Newton's method
    expect(ratio ** 6).toBeCloseTo(ratio + 1, 8);
    for (const step of steps.slice(1)) expect(Math.abs(step - 100 / ratio)).toBeLessThanOrEqual(1); // rounded twice
  });

  test('depends on the seed and the number alone', () => {
    expect(draw(9)).toEqual(draw(243).slice(0, 9));
    expect(draw(9, SEARCH, 2)).not.toEqual(draw(9));
    const random = makeRandom(1);
    random.next();
    expect(makeSpace(SEARCH, random)(4)).toEqual(draw(5)[4]);
  });

  test('writes rates and weights with two digits, so that its names tell the settings apart and whole', () => {
    for (const { learningRate, disparityWeight } of drawn) {
      expect(Number(learningRate.toPrecision(2))).toBe(learningRate);
      expect(Number(disparityWeight.toPrecision(2))).toBe(disparityWeight);
    }
    expect(new Set(drawn.map((each) => nameOf(each, 'score'))).size).toBe(drawn.length);
  });

  test('can be one surrogate, and hard masks only', () => {
    const narrow = draw(50, { ...SEARCH, surrogates: ['logit'], softShare: 0 });
    expect(new Set(narrow.map(({ surrogate }) => surrogate))).toEqual(new Set(['logit']));
    expect(narrow.every(({ percentile }) => percentile !== null)).toBe(true);
  });
});

describe('a setting', () => {
  const settings = {
    percentile: 67,
    surrogate: 'logit',
    learningRate: 0.0031,
    disparityWeight: 2.4,
  } as const;

  test('is named by what it is, the surrogate only where it is not the preset’s', () => {
    expect(nameOf(settings, 'score')).toBe('p67-lr0.0031-d2.4-logit');
    expect(nameOf(settings, 'logit')).toBe('p67-lr0.0031-d2.4');
    expect(nameOf({ ...settings, percentile: null }, 'logit')).toBe('soft-lr0.0031-d2.4');
  });

  test('is recorded likewise', () => {
    expect(recordedSettings(settings, 'score')).toEqual({
      percentile: 67,
      learningRate: 0.0031,
      disparityWeight: 2.4,
      surrogate: 'logit',
    });
    expect(recordedSettings({ ...settings, percentile: null }, 'logit')).toEqual({
      mask: 'soft',
      learningRate: 0.0031,
      disparityWeight: 2.4,
    });
  });
});
