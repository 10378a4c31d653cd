import { describe, expect, it } from 'vitest';
import { probeLayer } from '../../../worker/explain/probes.ts';
import type { Pooled } from '../../../worker/explain/readings.ts';
import { makeRandom } from '../../../worker/random.ts';
import { noise } from '../../helpers/tensors.ts';

const ROWS = 200;
const rows = Array.from({ length: ROWS }, (_, row) => row);
const truth = { groups: rows.map((row) => row % 2), labels: rows.map((row) => (row >> 1) % 2) };

/** Channel 0 tells the group by its maximum only, channel 1 the label by its mean; the rest is noise. */
function outputs(seed: number, knowsGroup: boolean): Pooled {
  const mean = noise(ROWS * 2, seed);
  const max = noise(ROWS * 2, seed + 1);
  for (const row of rows) {
    if (knowsGroup) max[row * 2]! += 4 * truth.groups[row]!;
    mean[row * 2 + 1]! += 4 * truth.labels[row]!;
  }
  return { channels: 2, mean, max };
}
const both = (seed: number, knowsGroup: boolean) => ({
  trained: outputs(seed, knowsGroup),
  measured: outputs(seed + 10, knowsGroup),
});
const input = {
  layer: 'conv',
  before: both(1, true),
  after: both(1, false),
  trained: truth,
  measured: truth,
  groups: 2,
  ridge: 0.01,
  random: makeRandom(1),
};

describe('probeLayer', () => {
  it('reads what is planted and says when it is gone', async () => {
    const { layer, width, attribute, label } = await probeLayer(input);
    expect([layer, width]).toEqual(['conv', 4]);
    expect(attribute.before!.auc).toBe(1); // noise in [-1, 1), the groups 4 apart
    expect(attribute.after!.low).toBeLessThan(0.5);
    expect(attribute.after!.high).toBeGreaterThan(0.5);
    expect(attribute.change!.high).toBeLessThan(-0.3);
    expect([label.before!.auc, label.after!.auc]).toEqual([1, 1]);
    expect(label.change!.value).toBe(0);
  });

  it('cannot read permuted groups, though it may learn some of them by heart', async () => {
    const { control, memorised } = await probeLayer(input);
    expect(Math.abs(control.before!.auc - 0.5)).toBeLessThan(0.12); // 2.8 standard errors of 100 against 100
    expect(memorised.before).toBeGreaterThan(0.5);
  });

  it('measures nothing where a group is absent, and no after where nothing was tuned', async () => {
    const alone = { ...truth, groups: rows.map(() => 0) };
    const { attribute, label } = await probeLayer({ ...input, measured: alone, after: null });
    expect(attribute).toEqual({ before: null, after: null, change: null });
    expect(label).toMatchObject({ before: { auc: 1 }, after: null, change: null });
  });

  it('reads several groups one against the rest', async () => {
    const three = { ...truth, groups: rows.map((row) => row % 3) };
    const values = Float32Array.from(
      rows.flatMap((row) => [0, 1, 2].map((group) => Number(row % 3 === group))),
    );
    const side = { channels: 3, mean: values, max: null };
    const { attribute, width } = await probeLayer({
      ...input,
      before: { trained: side, measured: side },
      after: null,
      trained: three,
      measured: three,
      groups: 3,
    });
    expect([width, attribute.before!.auc]).toEqual([3, 1]);
  });

  it('stops when told to', async () => {
    await expect(probeLayer({ ...input, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'INTERRUPTED',
    });
  });
});
