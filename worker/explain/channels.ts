import type { LayerChannels, MaskedChannel } from '../../core/jobs/explanation.ts';
import type { Parameter } from '../../core/model/classifier.ts';
import type { Importance } from '../bmft/importance.ts';
import type { Mask } from '../bmft/mask.ts';

export interface ChannelsInput {
  /** Weights of the body, in forward order. */
  readonly parameters: readonly Parameter[];
  readonly mask: Mask;
  readonly disparity: Importance;
  /** Channels that are kept of each layer. */
  readonly most: number;
}

type Unread = Omit<MaskedChannel, 'firing'>;

/**
 * Output channels of every kernel by the share of the layer's disparity importance that their masked weights hold,
 * largest first, then by the share of their weights in the mask.
 */
export function rankChannels({ parameters, mask, disparity, most }: ChannelsInput): LayerChannels[] {
  const kernels = parameters.filter(({ shape }) => shape.length === 2 || shape.length === 4);
  return kernels.map((kernel) => {
    const all = channelsOf(kernel, mask.values.get(kernel.name)!, disparity.get(kernel.name)!);
    const top = all.toSorted(byMass).slice(0, most);
    return {
      layer: kernel.layer,
      parameter: kernel.name,
      channels: all.length,
      top: top.map((channel) => ({ ...channel, firing: null })),
    };
  });
}

function byMass(a: Unread, b: Unread): number {
  const mass = (b.disparityMass ?? 0) - (a.disparityMass ?? 0);
  return mass || b.selected / b.weights - a.selected / a.weights || a.channel - b.channel;
}

/** Kernels are held with output channels last, [.., O]; a depthwise one as [H, W, C, M], with C · M of them. */
function channelsOf({ name, shape }: Parameter, entries: Float32Array, importance: Float64Array): Unread[] {
  const isDepthwise = /depthwise/i.test(name);
  const count = isDepthwise ? shape.at(-1)! * shape.at(-2)! : shape.at(-1)!;
  const selected = new Float64Array(count);
  const mass = new Float64Array(count);
  let total = 0;
  entries.forEach((entry, place) => {
    selected[place % count]! += entry;
    mass[place % count]! += entry * importance[place]!;
    total += importance[place]!;
  });
  const weights = entries.length / count;
  return Array.from({ length: count }, (_, channel) => ({
    channel,
    weights,
    selected: selected[channel]!,
    disparityMass: total === 0 ? null : mass[channel]! / total,
  }));
}
