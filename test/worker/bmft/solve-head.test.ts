import { readFile } from 'node:fs/promises';
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Classifier } from '../../../core/model/classifier.ts';
import { loadTfjsLayers } from '../../../core/model/formats/tfjs-layers.ts';
import { makeObjective } from '../../../worker/bmft/objective.ts';
import type { ConvergedHeadOptions } from '../../../worker/bmft/options.ts';
import { PRESETS } from '../../../worker/bmft/options.ts';
import { solveHead } from '../../../worker/bmft/solve-head.ts';
import { useTempFolder } from '../../helpers/files.ts';
import { centralDifferences, makeSet, writeFilled } from '../../helpers/made-data.ts';
import { expectClose, expectNoLeak, noise, withBackend } from '../../helpers/tensors.ts';

const SIZE = 24;
const WIDTH = 2;
const HEAD = { ...(PRESETS.robust.head as ConvergedHeadOptions), ridge: 0.05, tolerance: 1e-5 };

const set = makeSet({
  labels: Array.from({ length: SIZE }, (_, row) => (row % 3 === 0 ? 1 : 0)),
  groups: Array.from({ length: SIZE }, (_, row) => row % 2),
});
const sigmoid = (logit: number) => 1 / (1 + Math.exp(-logit));
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Feature columns of very different scales, the first of which tells the label apart. */
const COLUMNS = [
  Array.from(noise(SIZE, 1), (value, row) => 50 + 10 * (value + set.labels[row]!)),
  Array.from(noise(SIZE, 2), (value, row) => 0.01 * (value + 2 * set.groups[row]!)),
];

/** Columns less their mean (if so asked), over their standard deviation. */
function standardized(columns: readonly (readonly number[])[], isCentred = true): number[][] {
  return columns.map((column) => {
    const centre = mean(column);
    const deviation = Math.sqrt(mean(column.map((value) => (value - centre) ** 2)));
    return column.map((value) => (value - (isCentred ? centre : 0)) / deviation);
  });
}

type Columns = readonly (readonly number[])[];

const logitsAt = (point: readonly number[], columns: Columns) =>
  Array.from({ length: SIZE }, (_, row) =>
    columns.reduce((sum, column, place) => sum + column[row]! * point[place]!, point[columns.length] ?? 0),
  );

const POSITIVES = set.labels.reduce((sum, label) => sum + label, 0);
/** What each sample counts in the task loss. */
const WEIGHTS = Array.from(set.labels, (label) => (label ? SIZE - POSITIVES : POSITIVES) / SIZE ** 2);
const NO_OFFSETS: readonly number[] = new Array(SIZE).fill(0);

/** task + λ · disparity + (ridge/2) · |v|² in float64; `point` is v, then b. */
function objectiveAt(
  point: readonly number[],
  columns: Columns,
  { lambda = 0, offsets = NO_OFFSETS }: { lambda?: number; offsets?: readonly number[] } = {},
): number {
  const logits = logitsAt(point, columns).map((logit, row) => logit + offsets[row]!);
  const task = logits.reduce((sum, logit, row) => {
    return sum + WEIGHTS[row]! * Math.log1p(Math.exp(set.labels[row] ? -logit : logit));
  }, 0);
  const scoresIn = (group: number, label: number) =>
    logits.filter((_, row) => set.groups[row] === group && set.labels[row] === label).map(sigmoid);
  const gaps = [0, 1].map((label) => mean(scoresIn(0, label)) - mean(scoresIn(1, label)));
  const disparity = mean(gaps.map((gap) => Math.sqrt(gap * gap + PRESETS.robust.disparity.smoothing)));
  const ridge = (HEAD.ridge / 2) * point.slice(0, columns.length).reduce((sum, v) => sum + v * v, 0);
  return task + lambda * disparity + ridge;
}

const POSITIVE = 2;

/** −log Σ_{j≠k} exp(x · (w_j − r) + b_j − s) of a saved head of four units, with r and s the means over j ≠ k. */
async function offsetsOf(path: string, columns: Columns): Promise<number[]> {
  const weights = new Float32Array(new Uint8Array(await readFile(`${path}/weights.bin`)).buffer);
  const rows = [weights.slice(0, 4), weights.slice(4, 8), weights.slice(8)]; // by feature, then the bias
  const others = rows.map((row) => {
    const rest = Array.from(row).filter((_, unit) => unit !== POSITIVE);
    return rest.map((weight) => weight - mean(rest));
  });
  return Array.from({ length: SIZE }, (_, row) => {
    const powers = [0, 1, 2].map((unit) =>
      Math.exp(
        columns.reduce((sum, column, place) => sum + column[row]! * others[place]![unit]!, others[2]![unit]!),
      ),
    );
    return -Math.log(powers.reduce((sum, power) => sum + power, 0));
  });
}

/** The minimum of task and ridge by Newton's steps: v, then b. */
function newton(columns: Columns, offsets: readonly number[]): number[] {
  const design = [...columns, new Array(SIZE).fill(1)] as number[][];
  const ridges = [...columns.map(() => HEAD.ridge), 0];
  let point = design.map(() => 0);
  for (let step = 0; step < 20; step += 1) {
    const scores = logitsAt(point, columns).map((logit, row) => sigmoid(logit + offsets[row]!));
    const gradient = design.map((column, place) =>
      column.reduce(
        (sum, x, row) => sum + WEIGHTS[row]! * (scores[row]! - set.labels[row]!) * x,
        ridges[place]! * point[place]!,
      ),
    );
    const hessian = design.map((first, place) =>
      design.map((second, other) =>
        first.reduce(
          (sum, x, row) => sum + WEIGHTS[row]! * scores[row]! * (1 - scores[row]!) * x * second[row]!,
          place === other ? ridges[place]! : 0,
        ),
      ),
    );
    const move = solveLinear(hessian, gradient);
    point = point.map((entry, place) => entry - move[place]!);
  }
  return point;
}

/** By elimination; the matrix is positive definite. */
function solveLinear(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((row, place) => [...row, right[place]!]);
  for (const [place, pivot] of rows.entries()) {
    for (const [other, row] of rows.entries()) {
      if (other === place) continue;
      const factor = row[place]! / pivot[place]!;
      rows[other] = row.map((entry, column) => entry - factor * pivot[column]!);
    }
  }
  return rows.map((row, place) => row.at(-1)! / row[place]!);
}

describe('solveHead', () => {
  withBackend('wasm');
  const folder = useTempFolder();
  const models: Record<'biased' | 'plain' | 'classes', Classifier> = {} as never;

  beforeAll(async () => {
    for (const kind of ['biased', 'plain'] as const) {
      const head = layers.dense({ name: 'head', units: 1, inputShape: [WIDTH], useBias: kind === 'biased' });
      models[kind] = await loadTfjsLayers(await writeFilled(folder.at(kind), sequential({ layers: [head] })));
    }
    const units = layers.dense({ name: 'head', units: 4, inputShape: [WIDTH], activation: 'softmax' });
    const path = await writeFilled(folder.at('classes'), sequential({ layers: [units] }));
    models.classes = await loadTfjsLayers(path, { positiveClass: POSITIVE });
  });
  afterAll(() =>
    Object.values(models).forEach((model) => {
      model.dispose();
    }),
  );

  function solve(
    columns: readonly (readonly number[])[],
    { lambda = 0, kind = 'biased' as keyof typeof models, options = HEAD } = {},
  ) {
    const model = models[kind];
    const rows = Array.from({ length: SIZE }, (_, row) => columns.map((column) => column[row]!));
    const features = tf.tensor2d(rows, [SIZE, WIDTH]);
    const curve = solveHead({
      model,
      features,
      truth: set,
      objective: makeObjective(PRESETS.robust, set),
      options,
      disparityWeight: lambda,
    });
    const logits = model.headLogits(features);
    const solved = {
      curve,
      logits: Array.from(logits.dataSync()),
      kernel: Array.from(model.head.kernel.variable.dataSync()),
      bias: model.head.bias?.variable.dataSync()[0] ?? null,
    };
    tf.dispose([features, logits]);
    return solved;
  }

  /** The standardised weights and bias behind a folded head. */
  function unfolded(
    { kernel, bias }: { kernel: readonly number[]; bias: number | null },
    columns: Columns = COLUMNS,
  ): number[] {
    const centres = columns.map(mean);
    const deviations = columns.map((column, place) =>
      Math.sqrt(mean(column.map((value) => (value - centres[place]!) ** 2))),
    );
    const weights = kernel.map((weight, place) => weight * deviations[place]!);
    const shift = kernel.reduce((sum, weight, place) => sum + weight * centres[place]!, 0);
    return bias === null ? weights : [...weights, bias + shift];
  }

  test.each([0, 0.1, 1])('ends where the gradient is near zero, with disparity weight %f', (lambda) => {
    const point = unfolded(solve(COLUMNS, { lambda }));
    const objective = (at: readonly number[]) => objectiveAt(at, standardized(COLUMNS), { lambda });
    const gradient = centralDifferences(objective, point);
    const atStart = centralDifferences(objective, [0, 0, 0]);
    expect(Math.max(...gradient.map(Math.abs))).toBeLessThan(1e-3);
    expect(Math.max(...atStart.map(Math.abs))).toBeGreaterThan(0.05);
  });

  test('of the task alone is what gradient descent in float64 finds', () => {
    const columns = standardized(COLUMNS);
    let point = [0, 0, 0];
    for (let step = 0; step < 1500; step += 1) {
      const gradient = centralDifferences((at) => objectiveAt(at, columns), point);
      point = point.map((entry, place) => entry - 2 * gradient[place]!);
    }
    expectClose(unfolded(solve(COLUMNS)), point, 2e-3);
  });

  test.each([0, 1])(
    'of several classes is what Newton finds with offsets in float64, near a zero gradient (λ = %f)',
    async (lambda) => {
      const columns = [noise(SIZE, 1), noise(SIZE, 2)].map((column, place) =>
        Array.from(column, (value, row) => 2 * value + (place === 0 ? set.labels[row]! : set.groups[row]!)),
      );
      const offsets = await offsetsOf(folder.at('classes'), columns);
      expect(Math.max(...offsets) - Math.min(...offsets)).toBeGreaterThan(1); // they matter
      const solved = solve(columns, { lambda, kind: 'classes' });
      const point = unfolded(solved, columns);
      const objective = (at: readonly number[]) =>
        objectiveAt(at, standardized(columns), { lambda, offsets });
      expect(Math.max(...centralDifferences(objective, point).map(Math.abs))).toBeLessThan(1e-3);
      const linear = logitsAt(point, standardized(columns));
      expectClose(
        solved.logits,
        linear.map((logit, row) => logit + offsets[row]!),
        1e-4,
      );
      if (lambda === 0) expectClose(point, newton(standardized(columns), offsets), 2e-3);
    },
  );

  test('folds the solution back: logits of the head are standardised logits', () => {
    const solved = solve(COLUMNS, { lambda: 0.1 });
    expectClose(solved.logits, logitsAt(unfolded(solved), standardized(COLUMNS)), 1e-4);
  });

  test('with a larger disparity weight trades the gap for the task', () => {
    const [task, both] = [solve(COLUMNS), solve(COLUMNS, { lambda: 5 })].map(({ curve }) => curve.at(-1)!);
    expect(both!.disparityLoss).toBeLessThan(task!.disparityLoss);
    expect(both!.taskLoss).toBeGreaterThan(task!.taskLoss);
  });

  test('reports its losses from the start, where the score is one half, downwards', () => {
    const { curve } = solve(COLUMNS, { lambda: 0.1 });
    expect(curve.map(({ step }) => step)).toEqual(curve.map((_, step) => step));
    expect(curve[0]!.taskLoss).toBeCloseTo((8 / 24) * (16 / 24) * 2 * Math.LN2, 5);
    expect(curve.at(-1)!.loss).toBeLessThan(curve[0]!.loss);
  });

  test('does not depend on where the head stood before', () => {
    const first = solve(COLUMNS);
    expect(solve(COLUMNS)).toEqual(first);
  });

  test('without a bias leaves the features uncentred and is as near to a zero gradient', () => {
    const solved = solve(COLUMNS, { kind: 'plain' });
    expect(solved.bias).toBeNull();
    const columns = standardized(COLUMNS, false);
    const point = unfolded(solved);
    expectClose(solved.logits, logitsAt(point, columns), 1e-3);
    const gradient = centralDifferences((at) => objectiveAt(at, columns), point);
    expect(Math.max(...gradient.map(Math.abs))).toBeLessThan(2e-3);
  });

  test.each([0, 0.1, 7, 1000.1])('gives weight 0 to a feature that is always %f', (value) => {
    const { kernel } = solve([COLUMNS[0]!, COLUMNS[1]!.map(() => value)]);
    expect(kernel[1]).toBe(0);
    expect(kernel[0]).not.toBe(0);
  });

  test('a stronger ridge makes a smaller head', () => {
    const norm = (ridge: number) =>
      Math.hypot(...unfolded(solve(COLUMNS, { options: { ...HEAD, ridge } })).slice(0, 2));
    expect(norm(1)).toBeLessThan(norm(0.01));
  });

  test('leaves no tensor', async () => {
    solve(COLUMNS);
    await expectNoLeak(() => solve(COLUMNS, { lambda: 1 }));
  });
});
