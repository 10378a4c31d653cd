import type {
  Explanation,
  LayerProbe,
  Occlusion,
  OcclusionMap,
  Probes,
} from '../../core/jobs/explanation.ts';
import { weightsOf } from '../../core/model/classifier.ts';
import type { Snapshot } from '../search/snapshot.ts';
import { restoreSnapshot, takeSnapshot } from '../search/snapshot.ts';
import type { Tuned, TuneInput } from '../tune.ts';
import { rankChannels } from './channels.ts';
import { compose } from './composition.ts';
import type { ChannelImages } from './firing.ts';
import { describeFiring } from './firing.ts';
import { compareVariants, measureOwn, passesOf } from './masks.ts';
import { probeLayer } from './probes.ts';
import type { Plan, State } from './states.ts';
import { planOf, readState } from './states.ts';

export interface ExplainInput {
  readonly prepared: TuneInput;
  readonly tuned: Tuned;
  /** The model before it was tuned. */
  readonly original: Snapshot;
}

export interface Explained {
  readonly explanation: Explanation;
  readonly images: {
    /** Name of the further table that the rows are of; null for that of the external data. */
    readonly table: string | null;
    readonly channels: readonly ChannelImages[];
  };
}

/**
 * What the mask is made of, how far it depends on the draw, what its channels respond to, and what can be read from
 * the layers and which places of the images matter before and after. The model is left bit for bit as it came.
 *
 * @see docs/explain.md
 */
export async function explain(input: ExplainInput): Promise<Explained> {
  const { prepared, tuned, original } = input;
  const { model, progress } = prepared.job;
  const current = takeSnapshot(model);
  const after = tuned.isTuned ? current : null;
  const plan = planOf(prepared);
  try {
    restoreSnapshot(model, original);
    const mask = await explainMask(input, after);
    const first = await readState(prepared, plan, 'before');
    if (after !== null) restoreSnapshot(model, after);
    const second = after === null ? null : await readState(prepared, plan, 'after');
    const { channels, images } = describeFiring(mask.channels, { prepared, plan, first, second });
    const { feature, limits } = plan;
    return {
      explanation: {
        schemaVersion: 1,
        sensitiveFeature: feature,
        groups: plan.split.groupNames,
        isApplied: tuned.isApplied,
        isTuned: tuned.isTuned,
        composition: mask.composition,
        stability: mask.stability,
        channels,
        probes: await probe(prepared, plan, { first, second }),
        occlusion: describeOcclusion(plan, { first, second }),
        limits,
      },
      images: { table: plan.split.measured.table, channels: images },
    };
  } finally {
    progress.finish();
    restoreSnapshot(model, current);
  }
}

async function explainMask({ prepared, tuned, original }: ExplainInput, after: Snapshot | null) {
  const { model, options, progress } = prepared.job;
  const { mask, summary } = tuned.found;
  const parameters = options.mask.kind === 'soft' ? weightsOf(model) : model.body;
  const names = parameters.map(({ name }) => name);
  const input = { prepared, mask, percentile: summary.percentile, names };
  progress.start('explain: mask', passesOf(prepared.job) * prepared.parts.tune.rows.length);
  // importances of a large model are gigabytes, so they are let go of before the next pass
  const describeOwn = async () => {
    const { halves, ...own } = await measureOwn(input);
    return {
      halves,
      composition: compose({ model, parameters, mask, ...own, before: original, after }),
      channels: rankChannels({
        parameters: model.body,
        mask,
        disparity: own.disparity,
        most: options.explain.channels,
      }),
    };
  };
  const { halves, composition, channels } = await describeOwn();
  return { composition, channels, stability: [...halves, ...(await compareVariants(input))] };
}

interface States {
  readonly first: State;
  readonly second: State | null;
}

async function probe(
  { job, random }: TuneInput,
  { readings, split }: Plan,
  { first, second }: States,
): Promise<Probes | null> {
  const names = [...first.trained.keys()];
  if (names.length === 0 || split.trained.rows.length === 0 || split.measured.rows.length === 0) return null;
  job.progress.start('explain: probes', names.length);
  const outputsOf = ({ trained, measured }: State, name: string) => ({
    trained: trained.get(name)!,
    measured: measured.get(name)!,
  });
  const layers: LayerProbe[] = [];
  for (const name of names) {
    layers.push(
      await probeLayer({
        layer: readings.find(({ output }) => output.name === name)?.layer ?? 'features',
        before: outputsOf(first, name),
        after: second && outputsOf(second, name),
        trained: split.trained,
        measured: split.measured,
        groups: split.groupNames.length,
        ridge: job.options.explain.probeRidge,
        random: random.fork('explain probes'),
        signal: job.signal,
      }),
    );
    job.progress.advance();
  }
  return {
    trainedOn: { part: split.trained.part, rows: split.trained.rows.length },
    measuredOn: { part: split.measured.part, rows: split.measured.rows.length },
    layers,
  };
}

function describeOcclusion({ patches, covered, split }: Plan, { first, second }: States): Occlusion | null {
  if (patches === null || first.occlusion === null) return null;
  const before = first.occlusion;
  const after = second?.occlusion ?? null;
  const maps = split.groupNames.flatMap((group, index): OcclusionMap[] => {
    const grid = before.grids[index];
    if (!grid) return [];
    return [{ group, images: covered[index]!.length, before: grid, after: after?.grids[index] ?? null }];
  });
  const { height, width, patch, tops, lefts } = patches;
  const logitDeviation = { before: before.deviation, after: after?.deviation ?? null };
  return { height, width, patch, tops, lefts, logitDeviation, maps };
}
