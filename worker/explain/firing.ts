import type { Firing, LayerChannels } from '../../core/jobs/explanation.ts';
import type { TuneInput } from '../tune.ts';
import type { Pooled } from './readings.ts';
import type { Plan, State } from './states.ts';

export interface FiringInput {
  readonly pooled: Pooled;
  readonly channel: number;
  /** [N] group of each pooled row, from 0 */
  readonly groups: readonly number[];
  readonly groupNames: readonly string[];
  /** Images that count as those in which the channel fires most. */
  readonly most: number;
}

/** Places among the pooled rows, in order of the channel's largest activation, largest first; ties by place. */
export function strongest({ pooled, channel, groups, most }: FiringInput): number[] {
  const { channels, mean, max } = pooled;
  const values = max ?? mean;
  const activationAt = (place: number) => values[place * channels + channel]!;
  return Array.from(groups.keys())
    .sort((a, b) => activationAt(b) - activationAt(a) || a - b)
    .slice(0, most);
}

/** Groups of the images in which a channel fires most, beside their number if it did not depend on the group. */
export function firingByGroup(input: FiringInput): Firing[] {
  const { groups, groupNames } = input;
  const top = strongest(input);
  return groupNames.map((group, index) => ({
    group,
    images: top.filter((place) => groups[place] === index).length,
    expected: (top.length * groups.filter((own) => own === index).length) / groups.length,
  }));
}

/** Rows whose images a channel fires most in, by group. They are patients: no JSON and no report holds them. */
export interface ChannelImages {
  readonly layer: string;
  readonly channel: number;
  readonly groups: readonly { readonly group: string; readonly rows: readonly number[] }[];
}

export interface FiringStates {
  readonly prepared: TuneInput;
  readonly plan: Plan;
  readonly first: State;
  readonly second: State | null;
}

/** The ranked channels with the groups of the images in which they fire most, and those images' rows. */
export function describeFiring(
  ranked: readonly LayerChannels[],
  { prepared, plan, first, second }: FiringStates,
): { channels: LayerChannels[]; images: ChannelImages[] } {
  const { groupNames, measured } = plan.split;
  const { rows, groups } = measured;
  const images: ChannelImages[] = [];
  const channels = ranked.map((own): LayerChannels => {
    const output = plan.readings.find(({ layer }) => layer === own.layer)?.output;
    const pooled = output && first.measured.get(output.name);
    if (pooled === undefined || pooled.channels !== own.channels || rows.length === 0) return own;
    const pooledAfter = second?.measured.get(output!.name) ?? null;
    const top = own.top.map((channel) => {
      const about = {
        channel: channel.channel,
        groups,
        groupNames,
        most: prepared.job.options.explain.firingImages,
      };
      const places = strongest({ ...about, pooled });
      images.push({
        layer: own.layer,
        channel: channel.channel,
        groups: groupNames.map((group, index) => ({
          group,
          rows: places.filter((place) => groups[place] === index).map((place) => rows[place]!),
        })),
      });
      return {
        ...channel,
        firing: {
          before: firingByGroup({ ...about, pooled }),
          after: pooledAfter && firingByGroup({ ...about, pooled: pooledAfter }),
        },
      };
    });
    return { ...own, top };
  });
  return { channels, images };
}
