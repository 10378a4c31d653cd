import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { predictScores } from '../../../core/model/predict.ts';
import { makeObjective } from '../../../worker/bmft/objective.ts';
import type { ConvergedHeadOptions } from '../../../worker/bmft/options.ts';
import { PRESETS } from '../../../worker/bmft/options.ts';
import { makeJudge } from '../../../worker/search/judge.ts';
import { logit } from '../../../worker/search/logit.ts';
import { restoreSnapshot } from '../../../worker/search/snapshot.ts';
import { useTableClassifier } from '../../helpers/bench.ts';
import { bitsOf, makeSet, makeTable } from '../../helpers/made-data.ts';
import { expectNoLeak } from '../../helpers/tensors.ts';

const { samples, inputs } = makeTable({ size: 120 });
const labels = Array.from(samples.labels);
const groups = Array.from(samples.sensitiveFeatures[0]!.groups);
const rowsWhere = (keep: (row: number) => boolean) => labels.map((_, row) => row).filter(keep);
const tune = makeSet({ labels, groups, inputs, rows: rowsWhere((row) => (row >> 2) % 3 !== 0) });
const select = makeSet({ labels, groups, inputs, rows: rowsWhere((row) => (row >> 2) % 3 === 0) });
const OPTIONS = PRESETS.robust;
const ABOUT = { kind: 'control', id: 'moved', settings: { shift: 1 }, percentile: null, curve: [] } as const;

describe('a judge', () => {
  const table = useTableClassifier();

  const judge = () =>
    makeJudge({
      model: table.model,
      tune,
      select,
      objective: makeObjective(OPTIONS, tune),
      selection: OPTIONS.selection!,
      head: { ...(OPTIONS.head as ConvergedHeadOptions), iterations: 20 },
      threshold: 0.4,
    });

  /** Rates of the rows of one label by counting. */
  async function countedRates(label: number, threshold: number): Promise<number[]> {
    const scores = await predictScores({ model: table.model, inputs, rows: select.rows });
    return [0, 1].map((group) => {
      const own = select.rows.flatMap((row, place) =>
        groups[row] === group && labels[row] === label ? [scores[place]! >= threshold] : [],
      );
      return own.filter(Boolean).length / own.length;
    });
  }

  test('measures the original at the threshold in place', async () => {
    const { original } = await judge();
    expect(original.threshold).toBe(0.4);
    expect(original.groups.map(({ truePositiveRate }) => truePositiveRate)).toEqual(
      await countedRates(1, 0.4),
    );
    expect(original.groups.map(({ falsePositiveRate }) => falsePositiveRate)).toEqual(
      await countedRates(0, 0.4),
    );
  });

  test('measures the model as it stands, keeps its weights, and finds the cut anew', async () => {
    const asked = await judge();
    tf.tidy(() => table.model.head.bias!.variable.assign(tf.add(table.model.head.bias!.variable, 3)));
    const moved = bitsOf(table.model);
    const candidate = await asked.asItStands(ABOUT);
    expect(bitsOf(table.model)).toEqual(moved);
    // a shift of every logit shifts the cut, so ranks and rates are those of the original
    expect(candidate.select.auc).toBe(asked.original.auc);
    expect(candidate).toMatchObject({ id: 'moved', settings: { shift: 1 }, percentile: null });
    expect(candidate.select.threshold).toBeGreaterThan(0.5);
    expect(candidate.cut).toBeCloseTo(logit(candidate.select.threshold), 10);
    restoreSnapshot(table.model, candidate.snapshot);
    expect(bitsOf(table.model)).toEqual(moved);
  });

  test('solves a head for each setting, whose rates are those of the weights in its snapshot', async () => {
    const before = bitsOf(table.model);
    const candidates = await (await judge()).withHeads(ABOUT);
    expect(candidates.map(({ id }) => id)).toEqual(['moved-h0.1', 'moved-h1']);
    expect(bitsOf(table.model)).toEqual(before);
    for (const { snapshot, select: measured } of candidates) {
      restoreSnapshot(table.model, snapshot);
      expect(measured.groups.map(({ truePositiveRate }) => truePositiveRate)).toEqual(
        await countedRates(1, measured.threshold),
      );
    }
  });

  test('leaves no tensor behind', async () => {
    await expectNoLeak(async () => {
      const asked = await judge();
      await asked.asItStands(ABOUT);
      await asked.withHeads(ABOUT);
    });
  });
});
