import { describe, expect, test } from 'vitest';
import { PRESETS } from '../../../worker/bmft/options.ts';
import { divide } from '../../../worker/parts.ts';
import { NO_PROGRESS } from '../../../worker/progress.ts';
import { makeRandom } from '../../../worker/random.ts';
import { makeTableBench, useTableClassifier } from '../../helpers/bench.ts';

describe('a bench', () => {
  const table = useTableClassifier();

  test('divides the data of a seed as a mitigation does', async () => {
    const bench = makeTableBench(table.model);
    for (const seed of [1, 2]) {
      const { parts } = await bench.at(seed);
      const { selection } = bench.job.options;
      const expected = divide({ ...bench.job, selection, random: makeRandom(seed) });
      expect(parts.use).toEqual(expected.use);
      expect(parts.tune.rows).toEqual(expected.tune.rows);
      expect(parts.audited[0].rows).toEqual(expected.audited[0].rows);
    }
  });

  test('does shared work once, and counts it for each who asks', async () => {
    let rows = 0;
    const bench = makeTableBench(table.model, {
      progress: {
        ...NO_PROGRESS,
        advance: (by = 1) => {
          rows += by;
        },
      },
    });
    const shared = await bench.at(1);
    const seen = rows; // by the audit of the original
    const first = await shared.measured(shared.masks);
    const once = rows - seen;
    const second = await shared.measured(shared.masks);
    expect(rows - seen).toBe(once);
    expect([first.work.rows, second.work.rows]).toEqual([once, once]);
    expect(second.result).toBe(first.result);
    expect((await shared.measured(async () => 7)).work.rows).toBe(0);
  });

  test('remembers what it knows of the last seed', async () => {
    const bench = makeTableBench(table.model);
    expect(await bench.at(1)).toBe(await bench.at(1));
  });

  test('refuses settings without a selection', () => {
    const options = PRESETS['bmft-released'];
    expect(() => makeTableBench(table.model, { options })).toThrow('expected a selection');
  });
});
