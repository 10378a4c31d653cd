import { describe, expect, it } from 'vitest';
import type { Classifier } from '../../../core/model/classifier.ts';
import type { CompositionInput } from '../../../worker/explain/composition.ts';
import { compose } from '../../../worker/explain/composition.ts';

const body = [
  { name: 'conv/kernel', layer: 'conv', shape: [1, 1, 2, 2] },
  { name: 'conv/bias', layer: 'conv', shape: [2] },
  { name: 'hidden/kernel', layer: 'hidden', shape: [2, 1] },
] as unknown as Classifier['body'];
const summary = { outputShape: [], parameters: 0, part: 'body' } as const;
const model = {
  body,
  layers: [
    { name: 'conv', kind: 'Conv2D', ...summary },
    { name: 'hidden', kind: 'Dense', ...summary },
  ],
} as unknown as Classifier;

const named = <T>(kernel: T, bias: T, dense: T) =>
  new Map([
    ['conv/kernel', kernel],
    ['conv/bias', bias],
    ['hidden/kernel', dense],
  ]);
const f32 = (...values: number[]) => Float32Array.from(values);
const f64 = (...values: number[]) => Float64Array.from(values);

const input = (overrides: Partial<CompositionInput> = {}): CompositionInput => ({
  model,
  parameters: body,
  mask: { values: named(f32(1, 0, 1, 0), f32(0, 0), f32(1, 1)), notes: new Map() },
  disparity: named(f64(4, 1, 2, 1), f64(1, 1), f64(6, 4)), // 8 + 2 + 10 = 20
  task: named(f64(1, 0, 0, 3), f64(0, 0), f64(3, 1)), // 4 + 0 + 4 = 8
  before: named(f32(0, 0, 0, 0), f32(1, 1), f32(5, 5)),
  after: named(f32(3, 0, 0, 0), f32(1, 1), f32(5, 6)), // squared changes 9 and 1
  ...overrides,
});

describe('compose', () => {
  it('gives shares of weights, importances and change by layer', () => {
    const { layers, total } = compose(input());
    expect(layers).toEqual([
      {
        name: 'conv',
        weights: 6,
        selected: 2,
        disparityMass: { held: 10 / 20, masked: (4 + 2) / 20 },
        taskMass: { held: 4 / 8, masked: 1 / 8 },
        change: 9 / 10,
      },
      {
        name: 'hidden',
        weights: 2,
        selected: 2,
        disparityMass: { held: 10 / 20, masked: 10 / 20 },
        taskMass: { held: 4 / 8, masked: 4 / 8 },
        change: 1 / 10,
      },
    ]);
    expect(total).toMatchObject({
      weights: 8,
      selected: 4,
      disparityMass: { held: 1, masked: 16 / 20 },
      taskMass: { held: 1, masked: 5 / 8 },
      change: 1,
    });
  });

  it('gives the same sums by kind of weight and by block', () => {
    const { kinds, blocks } = compose(input());
    expect(kinds.map(({ name, weights, selected }) => [name, weights, selected])).toEqual([
      ['kernel', 4, 2],
      ['bias', 2, 0],
      ['dense kernel', 2, 2],
    ]);
    expect(blocks.map(({ name }) => name)).toEqual(['conv', 'hidden']);
  });

  it('counts a weight of a soft mask by its entry', () => {
    const mask = { values: named(f32(0.5, 0, 0, 0), f32(0, 0.25), f32(0, 0)), notes: new Map() };
    const { total } = compose(input({ mask }));
    expect(total.selected).toBe(0.75);
    expect(total.disparityMass!.masked).toBe((0.5 * 4 + 0.25 * 1) / 20);
  });

  it('has no mass where nothing is important, and no change where nothing was tuned', () => {
    const none = named(f64(0, 0, 0, 0), f64(0, 0), f64(0, 0));
    const { total } = compose(input({ disparity: none, after: null }));
    expect(total).toMatchObject({ disparityMass: null, taskMass: { held: 1 }, change: null });
    expect(compose(input({ after: input().before })).total.change).toBeNull();
  });
});
