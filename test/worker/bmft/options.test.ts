import { describe, expect, test } from 'vitest';
import { PRESET_NAMES } from '../../../core/jobs/schema.ts';
import { mitigationOptionsSchema, optionsOf, PRESETS } from '../../../worker/bmft/options.ts';

const messagesOf = (options: unknown) =>
  mitigationOptionsSchema
    .safeParse(options)
    .error?.issues.map(({ path, message }) => [path.join('.'), message]);

describe('presets', () => {
  test('are those that a job may name', () => {
    expect(Object.keys(PRESETS)).toEqual(PRESET_NAMES);
  });

  test.each(PRESET_NAMES)('%s keeps to the ranges of its own schema', (name) => {
    expect(mitigationOptionsSchema.parse(PRESETS[name])).toEqual(PRESETS[name]);
  });

  test('robust has no weight decay and a still batch norm, so that a frozen weight stays', () => {
    expect(PRESETS.robust.body).toMatchObject({
      weightDecay: 0,
      normalizationMoves: false,
      maskActsOn: 'update',
    });
  });

  test('robust judges every checkpoint within its epochs', () => {
    const { body, selection } = PRESETS.robust;
    expect(Math.max(...selection!.checkpoints)).toBeLessThanOrEqual(body.epochs);
  });

  test('released presets compare two groups by signed gaps of the logits', () => {
    for (const name of ['bmft-released', 'swift-released'] as const) {
      expect(PRESETS[name].disparity).toMatchObject({ form: 'signed', surrogate: 'logit', smoothing: 0 });
    }
  });
});

describe('the schema', () => {
  test('pairs a selection with a head solved to convergence', () => {
    const message = 'must be "converged" with a selection, and "epochs" without one';
    expect(messagesOf({ ...PRESETS.robust, selection: null })).toEqual([['head.solver', message]]);
    expect(messagesOf({ ...PRESETS.robust, head: PRESETS['bmft-released'].head })).toEqual([
      ['head.solver', message],
    ]);
  });

  test('refuses an unknown setting at any depth', () => {
    const { body } = PRESETS.robust;
    expect(messagesOf({ ...PRESETS.robust, body: { ...body, learningRate: 1 } })).toHaveLength(1);
    expect(messagesOf({ ...PRESETS.robust, seed: 1 })).toHaveLength(1);
  });

  test.each([
    ['batchSize', { batchSize: 1 }],
    ['mask.percentiles.0', { mask: { ...PRESETS.robust.mask, percentiles: [101] } }],
    ['mask.percentiles', { mask: { ...PRESETS.robust.mask, percentiles: [] } }],
    ['body.learningRates.0', { body: { ...PRESETS.robust.body, learningRates: [0] } }],
    ['disparity.cellMinimum', { disparity: { ...PRESETS.robust.disparity, cellMinimum: 0 } }],
    ['metric', { metric: 'accuracy' }],
  ])('names %s when it is out of range', (name, change) => {
    expect(messagesOf({ ...PRESETS.robust, ...change })?.map(([path]) => path)).toEqual([name]);
  });
});

describe('optionsOf', () => {
  const of = (changes: unknown, metric?: 'demographicParity') =>
    optionsOf({ preset: 'robust', metric, changes }, 'options "o.json"');

  test('is the preset when nothing changes', () => {
    expect(of({})).toEqual(PRESETS.robust);
  });

  test('replaces settings key by key and leaves the preset itself alone', () => {
    const before = structuredClone(PRESETS.robust);
    const changed = of({ body: { epochs: 3, learningRates: [0.5] }, selection: { checkpoints: [3] } });
    expect(changed).toEqual({
      ...before,
      body: { ...before.body, epochs: 3, learningRates: [0.5] },
      selection: { ...before.selection, checkpoints: [3] },
    });
    expect(PRESETS.robust).toEqual(before);
  });

  test('takes the metric, which a change may still replace', () => {
    expect(of({}, 'demographicParity').metric).toBe('demographicParity');
    expect(of({ metric: 'equalOpportunity' }, 'demographicParity').metric).toBe('equalOpportunity');
  });

  test('names where an unknown key and a value out of range come from', () => {
    for (const [changes, key] of [
      [{ body: { speed: 1 } }, 'body.speed'],
      [{ batchSize: 0 }, 'batchSize'],
    ] as const) {
      expect(() => of(changes)).toThrow(
        expect.objectContaining({
          code: 'INVALID_INPUT',
          message: expect.stringMatching(`^options "o.json": .*${key}`),
        }),
      );
    }
  });

  test('refuses changes that are no object', () => {
    expect(() => of([1])).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' }));
  });

  test('searches by default as asked for, and within the ranges of a change', () => {
    const asked = (search: string | true, changes: unknown = {}) =>
      optionsOf({ preset: 'robust', search, changes }, 'options').search;
    expect(asked(true)).toMatchObject({ budget: '2.5x', settings: 9, factor: 3 });
    expect(asked('10m')).toEqual({ ...asked(true), budget: '10m' });
    const narrow = { search: { percentiles: [60, 70], budget: '5epochs' } };
    expect(asked(true, narrow)).toEqual({ ...asked(true), percentiles: [60, 70], budget: '5epochs' });
    expect(asked('10m', narrow)).toEqual({ ...asked('10m'), percentiles: [60, 70] });
    expect(of({}).search).toBeNull();
  });

  test.each([
    [{ search: { percentiles: [70, 60] } }, 'must be the lowest value, then the highest'],
    [{ search: { learningRates: [0, 0.1] } }, 'search.learningRates'],
    [{ search: { budget: 'much' } }, 'must be above 0 and like 2.5x'],
  ])('refuses %j', (changes, says) => {
    expect(() => of(changes)).toThrow(
      expect.objectContaining({ code: 'INVALID_INPUT', message: expect.stringContaining(says) }),
    );
  });

  test('refuses a search where nothing selects', () => {
    expect(() => optionsOf({ preset: 'bmft-released', search: true, changes: {} }, 'options')).toThrow(
      expect.objectContaining({ message: expect.stringContaining('needs a selection') }),
    );
  });
});
