import { describe, expect, test } from 'vitest';
import type { Samples } from '../../../core/data/types.ts';
import { PRESETS } from '../../../worker/bmft/options.ts';
import { probeRows } from '../../../worker/explain/probe-rows.ts';
import { divide } from '../../../worker/parts.ts';
import { makeRandom } from '../../../worker/random.ts';
import { memoryInputs } from '../../helpers/made-data.ts';

const SIZE = 120;
const rows = Array.from({ length: SIZE }, (_, row) => row);

/** Subjects of three rows each; the last third is the test split. */
const samples = (hasTest: boolean): Samples => ({
  size: SIZE,
  labels: Int32Array.from(rows, (row) => row % 2),
  sensitiveFeatures: [
    {
      name: 'site',
      groupNames: ['a', 'b', '(missing)'],
      groups: Int32Array.from(rows, (row) => (row % 10 === 0 ? 2 : (row >> 1) % 2)),
    },
  ],
  subjects: rows.map((row) => `s${Math.floor(row / 3)}`),
  ...(hasTest && { splits: rows.map((row) => (row < 80 ? 'external' : 'test')) }),
});

function chosen(hasTest: boolean, preset: 'robust' | 'bmft-released', most = 1000) {
  const own = samples(hasTest);
  const subjects = hasTest ? rows.map((row) => `s${row < 80 ? row % 20 : (row % 20) + 20}`) : own.subjects!;
  const parts = divide({
    samples: { ...own, subjects },
    inputs: memoryInputs(new Float32Array(SIZE), [1]),
    sensitiveFeature: 'site',
    splits: hasTest ? { external: 'external', test: ['test'] } : null,
    selection: PRESETS[preset].selection,
    random: makeRandom(1),
  });
  const split = probeRows({
    samples: { ...own, subjects },
    sensitiveFeature: 'site',
    parts,
    most,
    random: makeRandom(2),
  });
  return { split, parts, subjects };
}

describe('probeRows', () => {
  test('trains on tune and measures one row of each subject of the test split, all with a group', () => {
    const { split, parts, subjects } = chosen(true, 'robust');
    expect([split.trained.part, split.measured.part]).toEqual(['tune', 'test']);
    expect(split.trained.rows).toEqual(parts.tune.rows.toSorted((a, b) => a - b));
    const measured = split.measured.rows.map((row) => subjects[row]);
    expect(new Set(measured).size).toBe(measured.length);
    expect(split.measured.rows.every((row) => row >= 80 && row % 10 !== 0)).toBe(true);
  });

  test('measures on select where there is no test split', () => {
    const { split, parts } = chosen(false, 'robust');
    expect(split.measured.part).toBe('select');
    expect(split.measured.rows.every((row) => parts.select!.rows.includes(row))).toBe(true);
  });

  test('halves the tune part by subject where the audit is made on it', () => {
    const { split, subjects } = chosen(false, 'bmft-released');
    expect([split.trained.part, split.measured.part]).toEqual(['half of tune', 'other half of tune']);
    const trained = new Set(split.trained.rows.map((row) => subjects[row]));
    expect(split.measured.rows.length).toBeGreaterThan(10);
    expect(split.measured.rows.filter((row) => trained.has(subjects[row]))).toEqual([]);
  });

  test('keeps to the most that it may take', () => {
    const { split } = chosen(true, 'robust', 20);
    expect(split.trained.rows).toHaveLength(20);
    expect(split.measured.rows.length).toBeLessThanOrEqual(20);
  });
});
