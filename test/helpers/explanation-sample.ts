import type { Explanation, LayerProbe, MaskPart } from '../../core/jobs/explanation.ts';

const part = (name: string, weights: number, selected: number, rest: Partial<MaskPart> = {}): MaskPart => ({
  name,
  weights,
  selected,
  disparityMass: { held: 0.5, masked: 0.4 },
  taskMass: { held: 0.5, masked: 0.2 },
  change: 0.5,
  ...rest,
});

const figure = (auc: number) => ({ auc, low: auc - 0.05, high: auc + 0.04 });
const change = (value: number) => ({ value, low: value - 0.02, high: value + 0.02 });

export const LAYER_PROBE: LayerProbe = {
  layer: 'conv1',
  width: 32,
  attribute: { before: figure(0.95), after: figure(0.62), change: change(-0.33) },
  control: { before: figure(0.51), after: figure(0.49), change: change(-0.02) },
  memorised: { before: 0.71, after: 0.68 },
  label: { before: figure(0.81), after: figure(0.8), change: change(-0.01) },
};

/** A body of two layers in one block, two groups, and maps of 2 × 2 places. */
export const EXPLANATION: Explanation = {
  schemaVersion: 1,
  sensitiveFeature: 'ink <i>',
  groups: ['inked', '<b>plain</b>'],
  isApplied: true,
  isTuned: true,
  composition: {
    total: part('all', 200, 100, {
      disparityMass: { held: 1, masked: 0.8 },
      taskMass: { held: 1, masked: 0.4 },
      change: 1,
    }),
    layers: [part('conv1', 120, 40), part('bn1', 80, 60, { change: null })],
    blocks: [part('conv1', 200, 100)],
    kinds: [part('kernel', 120, 40), part('norm scale', 80, 60, { taskMass: null })],
  },
  stability: [
    {
      kind: 'halves',
      differs: 'even batches against odd ones',
      overlap: 0.534,
      chance: 0.333,
      chanceWithinTensors: 0.341,
      layers: [{ parameter: 'conv1/kernel', overlap: 0.4, chance: 0.2 }],
    },
    {
      kind: 'seed',
      differs: 'draw 1',
      overlap: 0.812,
      chance: 0.333,
      chanceWithinTensors: 0.335,
      layers: [{ parameter: 'conv1/kernel', overlap: null, chance: null }],
    },
  ],
  channels: [
    {
      layer: 'conv1',
      parameter: 'conv1/kernel',
      channels: 16,
      top: [
        {
          channel: 13,
          weights: 27,
          selected: 27,
          disparityMass: 0.419,
          firing: {
            before: [
              { group: 'inked', images: 20, expected: 9.6 },
              { group: '<b>plain</b>', images: 0, expected: 10.4 },
            ],
            after: [
              { group: 'inked', images: 11, expected: 9.6 },
              { group: '<b>plain</b>', images: 9, expected: 10.4 },
            ],
          },
        },
        { channel: 2, weights: 27, selected: 0, disparityMass: null, firing: null },
      ],
    },
  ],
  probes: {
    trainedOn: { part: 'tune', rows: 599 },
    measuredOn: { part: 'test', rows: 877 },
    layers: [LAYER_PROBE, { ...LAYER_PROBE, layer: 'features', width: 64 }],
  },
  occlusion: {
    height: 16,
    width: 16,
    patch: { height: 3, width: 3 },
    tops: [0, 13],
    lefts: [0, 13],
    logitDeviation: { before: 2, after: 4 },
    maps: [
      {
        group: 'inked',
        images: 24,
        before: [
          [0.2, 1.2],
          [0, -0.4],
        ],
        after: [
          [0.2, 0.4],
          [0, -0.4],
        ],
      },
    ],
  },
  limits: ['Activations of 2 of 3 layers were read, spread evenly over the depth.'],
};
