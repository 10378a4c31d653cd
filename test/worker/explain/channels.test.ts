import { describe, expect, it } from 'vitest';
import type { Parameter } from '../../../core/model/classifier.ts';
import { rankChannels } from '../../../worker/explain/channels.ts';

const parameter = (name: string, shape: number[]) =>
  ({ name, layer: name.split('/')[0], shape }) as unknown as Parameter;
const rank = (own: Parameter, mask: readonly number[], importance: readonly number[], most = 5) =>
  rankChannels({
    parameters: [own],
    mask: { values: new Map([[own.name, Float32Array.from(mask)]]), notes: new Map() },
    disparity: new Map([[own.name, Float64Array.from(importance)]]),
    most,
  });

describe('rankChannels', () => {
  const dense = parameter('hidden/kernel', [2, 3]); // [inputs, channels]: channel = place mod 3

  it('adds masked importance up by output channel and puts the largest first', () => {
    const [layer] = rank(dense, [1, 0, 1, 1, 1, 0], [1, 9, 3, 2, 4, 1]);
    expect(layer).toMatchObject({ layer: 'hidden', parameter: 'hidden/kernel', channels: 3 });
    expect(layer!.top).toEqual([
      { channel: 1, weights: 2, selected: 1, disparityMass: 4 / 20, firing: null },
      { channel: 0, weights: 2, selected: 2, disparityMass: 3 / 20, firing: null },
      { channel: 2, weights: 2, selected: 1, disparityMass: 3 / 20, firing: null },
    ]);
  });

  it('keeps as many as asked for', () => {
    expect(
      rank(dense, [0, 1, 0, 0, 1, 0], [1, 1, 1, 1, 1, 1], 1)[0]!.top.map(({ channel }) => channel),
    ).toEqual([1]);
  });

  it('counts channels times multiplier for depthwise kernels', () => {
    const depthwise = parameter('dw/depthwise_kernel', [1, 1, 2, 2]);
    const [layer] = rank(depthwise, [0, 0, 0, 1], [1, 1, 1, 1]);
    expect(layer!.channels).toBe(4);
    expect(layer!.top[0]).toMatchObject({ channel: 3, weights: 1, selected: 1, disparityMass: 1 / 4 });
  });

  it('leaves biases and normalisations out, and has no mass where nothing is important', () => {
    expect(rank(parameter('conv/bias', [4]), [1, 1, 1, 1], [1, 1, 1, 1])).toEqual([]);
    expect(rank(dense, [1, 0, 0, 1, 0, 0], [0, 0, 0, 0, 0, 0])[0]!.top[0]).toMatchObject({
      channel: 0,
      disparityMass: null,
    });
  });
});
